using System.Text.RegularExpressions;
using Deployer.E2E.Hosting;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Deployer.E2E.Screens;

/// <summary>Makes the pictures of <c>docs/screens.md</c> anew.</summary>
internal static partial class Tour
{
    private static readonly Look Dark = Look.Desktop with { IsDark = true };

    /// <summary>Makes them.</summary>
    /// <param name="directory">Where to.</param>
    public static async Task RunAsync(string directory)
    {
        await using var door = new EngineDoor(Settings.Engine);
        await using var browser = new Browser();
        await browser.InitializeAsync();
        await using (var empty = Dashboard.Start(door.Endpoint))
        {
            var first = await browser.OpenAsync(empty, Look.Desktop);
            await first.GoToAsync("/");
            await Expect(first.Page.Locator(".first .done").First).ToBeVisibleAsync();
            await KeepAsync(first, directory, "first-run");
        }

        await using var dashboard = Dashboard.StartWithProxy(door.Endpoint);
        var story = new Story(dashboard);
        await story.TellAsync();
        var window = await SignInAsync(await browser.OpenAsync(dashboard, Look.Desktop));
        var dark = await SignInAsync(await browser.OpenAsync(dashboard, Dark));
        var phone = await SignInAsync(await browser.OpenAsync(dashboard, Look.DarkPhone));

        await WhileItRunsAsync(directory, story, window, dark, phone);
        await story.FinishAsync();
        await DeployingAsync(directory, story, window);
        await AppAsync(directory, window, phone);
        await TeamAsync(directory, window);
    }

    private static async Task WhileItRunsAsync(string directory, Story story, Window window, Window dark, Window phone)
    {
        foreach (var (each, name) in new[] { (window, "home"), (dark, "home-dark"), (phone, "home-phone") })
        {
            await each.GoToAsync("/");
            await Expect(each.Page.Locator(".apps tbody tr")).ToHaveCountAsync(6);
            await KeepAsync(each, directory, name);
        }

        foreach (var (each, name) in new[] { (window, "console-running"), (phone, "console-running-phone") })
        {
            await each.GoToAsync($"/deployments/{story.Running}");
            await Expect(each.Page.GetByText("of 48000 products").First).ToBeVisibleAsync(new() { Timeout = 30_000 });
            if (each == phone)
            {
                await each.Deployment.Console.ScrollIntoViewIfNeededAsync();
            }

            await KeepAsync(each, directory, name);
        }

        await window.GoToAsync("/activity");
        await Expect(window.Page.Locator("figure").First).ToBeVisibleAsync();
        await KeepAsync(window, directory, "activity");
    }

    private static async Task DeployingAsync(string directory, Story story, Window window)
    {
        await window.GoToAsync("/");
        await window.Home.Deploy("shop").ClickAsync();
        await window.Deploy.Offer("2.4.0").ClickAsync();
        await window.Deploy.Reason.FillAsync("the wishlists are slow");
        await KeepAsync(window, directory, "deploy-dialog");
        await window.Page.Keyboard.PressAsync("Escape");

        await window.GoToAsync("/");
        await window.Home.Restore("shop").ClickAsync();
        await Expect(window.Deploy.Dialog).ToContainTextAsync("No downtime");
        await KeepAsync(window, directory, "restore-dialog");

        await window.GoToAsync($"/deployments/{story.Failed}");
        await Expect(window.Page.GetByText("net_amount").Last).ToBeVisibleAsync();
        await Expect(window.Deployment.Headings.Nth(2)).Not.ToContainTextAsync("0 lines");
        await KeepAsync(window, directory, "deployment-failed");

        await window.GoToAsync($"/deployments/{story.Serving}?find=migration");
        await Expect(window.Deployment.FindCount).ToContainTextAsync("of");
        await window.Deployment.OpenAllSteps.ClickAsync();
        await window.Page.Keyboard.PressAsync("Escape");
        await KeepAsync(window, directory, "console");
    }

    private static async Task AppAsync(string directory, Window window, Window phone)
    {
        await window.GoToAsync("/apps/shop");
        await Expect(window.App.History.First).ToBeVisibleAsync();
        await Expect(window.Page.GetByText("Running, healthy")).ToBeVisibleAsync();
        await Expect(window.Page.Locator(".use polyline").First).ToHaveAttributeAsync("points", HalfAMinute(), new() { Timeout = 90_000 });
        await KeepAsync(window, directory, "app");
        await phone.GoToAsync("/apps/shop");
        await Expect(phone.Page.GetByText("Running, healthy")).ToBeVisibleAsync();
        await KeepAsync(phone, directory, "app-phone");

        await window.GoToAsync("/apps/shop/edit");
        await Expect(window.Page.Locator("#secrets .names")).ToBeVisibleAsync();
        await KeepAsync(window, directory, "settings");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Deploying" }).ClickAsync();
        await Expect(window.Page.Locator("#deploying-title")).ToBeInViewportAsync();
        await KeepAsync(window, directory, "settings-secrets");

        await window.GoToAsync("/apps/shop/compare");
        await Expect(window.Page.Locator("tr.differs").First).ToBeVisibleAsync();
        await KeepAsync(window, directory, "compare");

        await window.GoToAsync("/apps/shop/log");
        await Expect(window.Deployment.Rows.First).ToBeVisibleAsync();
        await KeepAsync(window, directory, "live-log");

        await window.GoToAsync("/apps/shop/webhook");
        await Expect(window.Page.GetByRole(AriaRole.Heading, new() { Name = "Deliveries" })).ToBeVisibleAsync();
        await KeepAsync(window, directory, "webhook");
    }

    private static async Task TeamAsync(string directory, Window window)
    {
        foreach (var (name, address, until) in new[]
        {
            ("search", "/search?q=migration", "mark"), ("environments", "/environments", ".engine .facts"), ("registries", "/registries", "tbody tr"),
            ("notifications", "/notifications", "tbody tr"), ("people", "/people", "tbody tr"), ("audit", "/audit", "tbody tr"), ("diagnostics", "/diagnostics", ".findings"),
        })
        {
            await window.GoToAsync(address);
            await Expect(window.Page.Locator(until).First).ToBeVisibleAsync(new() { Timeout = 30_000 });
            await KeepAsync(window, directory, name);
        }

        await window.GoToAsync("/tokens");
        await Expect(window.Page.Locator("tbody tr").First).ToBeVisibleAsync();
        await KeepAsync(window, directory, "tokens");

        await window.GoToAsync("/");
        await Expect(window.Page.GetByRole(AriaRole.Button, new() { Name = "Go to, deploy" })).ToBeEnabledAsync();
        await window.Page.Keyboard.PressAsync("Control+k");
        await window.Page.Keyboard.TypeAsync("shop");
        await Expect(window.Page.Locator("#palette-list").GetByRole(AriaRole.Option).First).ToContainTextAsync("shop");
        await KeepAsync(window, directory, "palette");
    }

    private static async Task<Window> SignInAsync(Window window)
    {
        await window.Page.GotoAsync("/account/sign-in");
        await window.Page.GetByLabel("E-mail address").FillAsync(Story.Email);
        await window.Page.GetByLabel("Password").FillAsync(Story.Password);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await Expect(window.Page.Locator(".shell h1").First).ToBeVisibleAsync(new() { Timeout = 30_000 });
        return window;
    }

    [GeneratedRegex(@"^(\S+ ){30}")]
    private static partial Regex HalfAMinute();

    // The pointer away, and messages that pass with it.
    private static async Task KeepAsync(Window window, string directory, string name)
    {
        await window.Page.Mouse.MoveAsync(0, 0);
        await window.Page.ScreenshotAsync(new() { Path = Path.Combine(directory, $"{name}.png"), Animations = ScreenshotAnimations.Disabled, Caret = ScreenshotCaret.Hide });
        Console.WriteLine(name);
    }
}
