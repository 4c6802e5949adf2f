using System.Text.RegularExpressions;
using Deployer.E2E.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Deployer.E2E.Journeys;

/// <summary>What a person does from the home page, by mouse, by keyboard and on a phone.</summary>
public sealed partial class HomeTests(Browser browser) : Journey(browser)
{
    [GeneratedRegex("favicon-good", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex GoodIcon { get; }

    [Fact]
    public async Task DeployDialog_TagsThatComeLate_MoveNoButton()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var registry = builder.Build();
        registry.MapGet("/v2/", () => new { });
        registry.MapGet("/v2/slow/tags/list", async () =>
        {
            await asked.Task;
            return new { name = "slow", tags = Enumerable.Range(1, 40).Select(number => $"release-{number}") };
        });
        await registry.StartAsync(TestContext.Current.CancellationToken);
        var dashboard = Keep(Dashboard.Start());
        var app = await dashboard.AddAppAsync("late", $"{new Uri(registry.Urls.Single()).Authority}/slow:release-7");

        var windows = new[] { await OpenAsync(dashboard), await OpenAsync(dashboard, Look.DarkPhone) };
        var before = new List<(float, float)>();
        foreach (var window in windows)
        {
            await window.GoToAsync("/");
            await window.Home.Deploy(app).ClickAsync();
            await Expect(window.Deploy.Dialog).ToContainTextAsync("Asking the registry for its tags");
            before.Add(await PlaceAsync(window));
        }

        asked.SetResult();
        foreach (var (window, place) in windows.Zip(before))
        {
            await Expect(window.Page.GetByRole(AriaRole.Group, new() { Name = "Tags in the registry" })).ToBeVisibleAsync();
            Assert.Equal(place, await PlaceAsync(window));
        }

        foreach (var window in windows)
        {
            Assert.True(await window.Deploy.Tag.EvaluateAsync<bool>("input => input.getBoundingClientRect().right <= input.closest('.mud-dialog').getBoundingClientRect().right"));
        }

        await windows[0].LookAsync("deploy-dialog-tags");
        await windows[1].LookAsync("deploy-dialog-tags");

        static async Task<(float X, float Y)> PlaceAsync(Window window)
        {
            // It grows into its place as it opens.
            await window.Page.EvaluateAsync(
                "() => Promise.all(document.getAnimations().filter(one => one.effect.target.closest('.mud-dialog-container')).map(one => one.finished.catch(() => {})))");
            await window.Deploy.Deploy.ClickAsync(new() { Trial = true });
            var box = await window.Deploy.Deploy.BoundingBoxAsync();
            return (box!.X, box.Y);
        }
    }

    [Fact]
    public async Task DeployAndRestore_ThroughTheDialogs_AreSeenInASecondBrowserAndTold()
    {
        var dashboard = Keep(Dashboard.Start());
        var app = await dashboard.AddAppAsync("web", Settings.Image("web:v1"));
        var window = await OpenAsync(dashboard);
        var other = await OpenAsync(dashboard, Look.DarkPhone);
        await window.GoToAsync("/");
        await other.GoToAsync("/");

        // The registry's tags are offered; another than the app's own is taken.
        await window.Home.Deploy(app).ClickAsync();
        await window.Deploy.Offer("v2").ClickAsync();
        await Expect(window.Deploy.Tag).ToHaveValueAsync("v2");
        await window.Deploy.Reason.FillAsync("the release of Thursday");
        await window.LookAsync("deploy-dialog");
        await window.Deploy.Deploy.ClickAsync();
        await window.Deployment.ArriveAsync();
        await window.Deployment.EndsAsync("Succeeded");
        await Expect(window.Page.Locator("link[rel=icon]")).ToHaveAttributeAsync("href", GoodIcon);
        await Expect(other.Home.Row(app)).ToContainTextAsync("Succeeded");
        await Expect(other.Home.Row(app)).ToContainTextAsync("Running");
        await Expect(other.Home.Row(app)).ToContainTextAsync("v2");

        // The app's own tag again, while the reader stays on another page: a message tells of the end.
        await window.GoToAsync("/");
        await window.Home.DeployAsync(app);
        await window.Deployment.ArriveAsync();
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Deployer, home" }).ClickAsync();
        var toast = window.Page.Locator(".mud-snackbar").Filter(new() { HasText = $"{app} #2 succeeded" });
        await Expect(toast).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await window.ScreenshotAsync("home-toast");
        await Expect(other.Home.Row(app)).ToContainTextAsync("v1");

        // Back to the first: the one before what serves is chosen, and what changes is shown.
        await window.Home.Restore(app).ClickAsync();
        await Expect(window.Deploy.Dialog).ToContainTextAsync("The engine still holds its image");
        await Expect(window.Page.GetByRole(AriaRole.List, new() { Name = "Changes against what serves" })).ToContainTextAsync("web:v2");
        await window.LookAsync("restore-dialog");
        await window.Deploy.Restore.ClickAsync();
        await window.Deployment.ArriveAsync();
        await window.Deployment.EndsAsync("Succeeded");
        await Expect(other.Home.Row(app)).ToContainTextAsync("v2");
        await other.ScreenshotAsync("home-second-browser");
    }

    [Fact]
    public async Task Palette_KeyboardAlone_GoesDeploysAndSearches()
    {
        var dashboard = Keep(Dashboard.StartWithoutRunner());
        var app = await dashboard.AddAppAsync("shop", Settings.Image("web:v1"));
        await dashboard.AddAppAsync("blog", Settings.Image("web:v1"));
        var window = await OpenAsync(dashboard);
        var keys = window.Page.Keyboard;
        var options = window.Page.Locator("#palette-list").GetByRole(AriaRole.Option);
        await window.GoToAsync("/activity");
        await Expect(window.Page.GetByRole(AriaRole.Button, new() { Name = "Go to, deploy" })).ToBeEnabledAsync();

        await keys.PressAsync("Control+k");
        await Expect(options.First).ToBeVisibleAsync();
        await keys.TypeAsync(app[..6]);
        await Expect(options.First).ToContainTextAsync(app);
        await Expect(options.First).ToHaveAttributeAsync("aria-selected", "true");
        await window.LookAsync("palette");
        await keys.PressAsync("Enter");
        await window.Page.ArriveAtAsync($"/apps/{app}");

        await keys.PressAsync("Control+k");
        await keys.TypeAsync("deploy shop");
        await Expect(options.First).ToHaveTextAsync(new Regex($"Deploy {app}", RegexOptions.None, TimeSpan.FromSeconds(1)));
        await keys.PressAsync("Enter");
        await Expect(window.Deploy.Dialog).ToContainTextAsync("this is the first");
        await Expect(window.Deploy.Focus).ToHaveCountAsync(1);
        await keys.PressAsync("Escape");
        await Expect(window.Deploy.Dialog).ToHaveCountAsync(0);

        await keys.PressAsync("Control+k");
        await keys.TypeAsync("out of memory");
        await Expect(options.Last).ToContainTextAsync("Search all logs");
        await keys.PressAsync("ArrowUp");
        await Expect(options.Last).ToHaveAttributeAsync("aria-selected", "true");
        await keys.PressAsync("Enter");
        await window.Page.ArriveAtAsync("/search?q=out%20of%20memory");

        await keys.PressAsync("Control+k");
        await Expect(window.Page.GetByRole(AriaRole.Combobox, new() { Name = "What to do" })).ToBeFocusedAsync();
        await keys.PressAsync("Escape");
        await Expect(options).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task FiveHundredApps_OnAPhoneAndADesk_AreSearchedFilteredAndPaged()
    {
        var dashboard = Keep(Dashboard.StartWithoutRunner());
        await ManyApps.AddAsync(dashboard.Services, 500);
        var window = await OpenAsync(dashboard);
        await window.GoToAsync("/");
        var rows = window.Page.Locator(".apps tbody tr");
        await Expect(rows).ToHaveCountAsync(50);
        await window.ScreenshotAsync("home-500");

        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Next →" }).ClickAsync();
        await Expect(rows.First).ToContainTextAsync("app-050");
        await window.Page.GetByRole(AriaRole.Searchbox).FillAsync("app-49");
        await Expect(rows).ToHaveCountAsync(10);
        await window.Page.ArriveAtAsync("/?q=app-49");
        await window.Page.GetByLabel("Environment", new() { Exact = true }).SelectOptionAsync("staging");
        await Expect(rows).ToHaveCountAsync(5);
        await window.Page.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^Needs attention", RegexOptions.None, TimeSpan.FromSeconds(1)) }).ClickAsync();
        await window.Page.ReloadAsync();
        await Expect(window.Page.GetByRole(AriaRole.Searchbox)).ToHaveValueAsync("app-49");
        await Expect(window.Page.GetByLabel("Environment", new() { Exact = true })).ToHaveValueAsync("staging");

        var phone = await OpenAsync(dashboard, Look.Phone);
        await phone.GoToAsync("/?sort=state");
        await Expect(phone.Page.Locator(".apps tbody tr")).ToHaveCountAsync(50);
        await phone.LookAsync("home-500");
    }
}
