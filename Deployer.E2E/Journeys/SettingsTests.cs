using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Deployer.E2E.Hosting;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Deployer.E2E.Journeys;

/// <summary>What a person does in an app's settings, and what keeps them from losing it.</summary>
public sealed class SettingsTests(Browser browser) : Journey(browser)
{
    [Fact]
    public async Task Dates_GivenInTheBrowser_AreTakenForAFreezeAndForASearch()
    {
        var dashboard = Keep(Dashboard.StartWithoutRunner());
        await dashboard.AddAppAsync("shop", Settings.Image("web:v1"));
        var window = await OpenAsync(dashboard);
        var page = window.Page;
        await window.GoToAsync("/environments");
        await page.GetByRole(AriaRole.Button, new() { Name = "Freeze for a time" }).First.ClickAsync();
        await page.GetByLabel("Until (UTC)").FillAsync(TimeProvider.System.GetUtcNow().AddDays(30).ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture));
        await page.GetByLabel("Why").FillAsync("the fair");
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Freeze [a-z]+$", RegexOptions.None, TimeSpan.FromSeconds(1)) }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.List, new() { Name = "Freezes" })).ToContainTextAsync("the fair");
        await window.ScreenshotAsync("environment-frozen");

        await window.GoToAsync("/search");
        await page.Locator("main input").First.FillAsync("container");
        await page.GetByLabel("From (UTC)").FillAsync("2026-01-02T03:04");
        await page.GetByRole(AriaRole.Button, new() { Name = "Search", Exact = true }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("since=2026-01-02T03.+04.+00Z", RegexOptions.None, TimeSpan.FromSeconds(1)));
        await Expect(page.GetByLabel("From (UTC)")).ToHaveValueAsync(new Regex("^2026-01-02T03:04", RegexOptions.None, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task Settings_UnsavedChanges_AreAskedForWithinThePageAndByTheBrowser()
    {
        var dashboard = Keep(Dashboard.StartWithoutRunner());
        var app = await dashboard.AddAppAsync("shop", Settings.Image("web:v1"));
        var window = await OpenAsync(dashboard);
        var (page, question) = (window.Page, window.Page.GetByRole(AriaRole.Dialog));
        await window.GoToAsync($"/apps/{app}/edit");

        // The list of sections leads to them without leaving the page.
        await page.GetByRole(AriaRole.Navigation, new() { Name = "Sections of this page" }).GetByRole(AriaRole.Link, new() { Name = "Secrets" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Secrets" })).ToBeInViewportAsync();

        await window.AppForm.Image.FillAsync(Settings.Image("web:v2"));
        await page.GetByRole(AriaRole.Link, new() { Name = "Activity" }).ClickAsync();
        await Expect(question).ToContainTextAsync("not saved");
        await window.ScreenshotAsync("settings-unsaved");
        await question.GetByRole(AriaRole.Button, new() { Name = "Stay here" }).ClickAsync();
        await Expect(question).ToHaveCountAsync(0);
        await Expect(window.AppForm.Image).ToHaveValueAsync(Settings.Image("web:v2"));

        // Leaving by the browser is asked by the browser.
        var asked = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        page.Dialog += async (_, dialog) =>
        {
            asked.TrySetResult(dialog.Type);
            await dialog.DismissAsync();
        };
        await page.EvaluateAsync("setTimeout(() => location.assign('about:blank'))");
        Assert.Equal("beforeunload", await asked.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, TestContext.Current.CancellationToken));
        await Expect(window.AppForm.Image).ToHaveValueAsync(Settings.Image("web:v2"));

        // What is saved holds nobody back.
        await page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await page.ArriveAtAsync($"/apps/{app}");
        var saved = await dashboard.Api.GetStringAsync($"/api/apps/{app}", TestContext.Current.CancellationToken);
        Assert.Equal(Settings.Image("web:v2"), JsonDocument.Parse(saved).RootElement.GetProperty("image").GetString());
        await page.GetByRole(AriaRole.Link, new() { Name = "Activity" }).ClickAsync();
        await page.ArriveAtAsync("/activity");

        // Whoever says so leaves without saving.
        await window.GoToAsync($"/apps/{app}/edit");
        await window.AppForm.Image.FillAsync(Settings.Image("web:v3"));
        await page.GetByRole(AriaRole.Link, new() { Name = "Activity" }).ClickAsync();
        await question.GetByRole(AriaRole.Button, new() { Name = "Leave without saving" }).ClickAsync();
        await page.ArriveAtAsync("/activity");
    }

    [Fact]
    public async Task Secrets_SetInTheSettings_ReachTheApiByNameAlone()
    {
        const string Value = "correct-horse-battery-staple";
        var dashboard = Keep(Dashboard.StartWithoutRunner());
        var app = await dashboard.AddAppAsync("shop", Settings.Image("web:v1"));
        var window = await OpenAsync(dashboard);
        var page = window.Page;
        await window.GoToAsync($"/apps/{app}/edit");

        await page.GetByRole(AriaRole.Button, new() { Name = "Add a secret" }).ClickAsync();
        var form = page.GetByRole(AriaRole.Form, new() { Name = "New secret" });
        await Expect(form.GetByLabel("Name")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("DATABASE_PASSWORD");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.TypeAsync(Value);
        await form.ScrollIntoViewIfNeededAsync();
        await window.ScreenshotAsync("settings-secret");
        await form.GetByRole(AriaRole.Button, new() { Name = "Store the secret" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.List, new() { Name = $"Secrets of {app}" })).ToContainTextAsync("DATABASE_PASSWORD");
        Assert.DoesNotContain(Value, await page.ContentAsync(), StringComparison.Ordinal);
        var listed = await dashboard.Api.GetStringAsync($"/api/apps/{app}/secrets", TestContext.Current.CancellationToken);
        Assert.Contains("DATABASE_PASSWORD", listed, StringComparison.Ordinal);
        Assert.DoesNotContain(Value, listed, StringComparison.Ordinal);
    }
}
