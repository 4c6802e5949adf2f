using System.Text.RegularExpressions;
using Deployer.E2E.Hosting;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Deployer.E2E.Journeys;

/// <summary>What a reader does with the parts of a deployment's log, over real deployments.</summary>
public sealed partial class StepsInTheLogTests(Browser browser) : Journey(browser)
{
    [GeneratedRegex("stream=stdout", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OnStandardOutput { get; }

    [Fact]
    public async Task Steps_EndedDeployments_AreClosedWhereDoneAndLeadToWhatFailed()
    {
        var dashboard = Keep(Dashboard.Start());
        var good = await dashboard.DeployAsync(await dashboard.AddAppAsync("web", Settings.Image("web:v1")));
        var bad = await dashboard.DeployAsync(await dashboard.AddAppAsync("worker", Settings.Image("unhealthy")));
        var (lines, _) = await dashboard.FollowAsync(good);
        await dashboard.FollowAsync(bad);
        var window = await OpenAsync(dashboard);

        await window.GoToAsync($"/deployments/{good}");
        await Expect(window.Deployment.Headings).ToHaveCountAsync(6);
        await Expect(window.Deployment.Rows).ToHaveCountAsync(0);
        await window.Deployment.Heading("prepare").FocusAsync();
        await window.Page.Keyboard.PressAsync("Enter");
        await Expect(window.Deployment.Heading("prepare")).ToHaveAttributeAsync("aria-expanded", "true");
        await Expect(window.Deployment.Line(1)).ToContainTextAsync("Deploying");
        await Expect(window.Deployment.Heading("prepare")).ToBeFocusedAsync();

        // A link to a line opens its step; the steps beside the log do, too.
        await window.GoToAsync($"/deployments/{good}#L{lines.Count}");
        await window.Page.ReloadAsync();
        await Expect(window.Deployment.Line(lines.Count)).ToBeVisibleAsync();
        await Expect(window.Deployment.Heading("clean_up")).ToHaveAttributeAsync("aria-expanded", "true");
        await Expect(window.Deployment.Heading("pull")).ToHaveAttributeAsync("aria-expanded", "false");
        await window.Page.GetByRole(AriaRole.List, new() { Name = "Steps" }).GetByRole(AriaRole.Button, new() { Name = "Pull" }).ClickAsync();
        await Expect(window.Deployment.Heading("pull")).ToHaveAttributeAsync("aria-expanded", "true");
        Assert.Equal(lines, await window.Deployment.ReadAllAsync(lines.Count));

        await window.GoToAsync($"/deployments/{bad}");
        await Expect(window.Deployment.Heading("health_check")).ToHaveAttributeAsync("aria-expanded", "true");
        await Expect(window.Deployment.Heading("start")).ToHaveAttributeAsync("aria-expanded", "false");
        await window.Deployment.Failure.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("Go to line", RegexOptions.None, TimeSpan.FromSeconds(1)) }).ClickAsync();
        await Expect(window.Deployment.Console.Locator(".row.marked.complaint")).ToContainTextAsync("Health check failed");
    }

    [Fact]
    public async Task OpenAll_PressedBeforeThePaneIsThere_OpensAllStepsOnceItIs()
    {
        var dashboard = Keep(Dashboard.Start());
        var id = await dashboard.DeployAsync(await dashboard.AddAppAsync("web", Settings.Image("web:v1")));
        await dashboard.FollowAsync(id);
        var window = await OpenAsync(dashboard);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var pressed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await window.Page.RouteAsync("**/LogConsole.*js", async route =>
        {
            asked.TrySetResult();
            await pressed.Task;
            await route.ContinueAsync();
        });

        await window.GoToAsync($"/deployments/{id}");
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, TestContext.Current.CancellationToken);
        await window.Deployment.OpenAllSteps.ClickAsync();
        pressed.SetResult();

        await Expect(window.Deployment.Line(1)).ToBeVisibleAsync();
        await Expect(window.Deployment.Heading("prepare")).ToHaveAttributeAsync("aria-expanded", "true");
        await Expect(window.Deployment.Heading("pull")).ToHaveAttributeAsync("aria-expanded", "true");
    }

    [Fact]
    public async Task Filter_StandardOutputOnAPhone_ShowsThoseLinesAloneAndStaysInTheAddress()
    {
        var dashboard = Keep(Dashboard.Start());
        var id = await dashboard.DeployAsync(await dashboard.AddAppAsync("web", Settings.Image("web:v1")));
        var (lines, _) = await dashboard.FollowAsync(id);
        var window = await OpenAsync(dashboard, Look.DarkPhone);
        await window.GoToAsync($"/deployments/{id}");
        await Expect(window.Deployment.Headings).ToHaveCountAsync(6);

        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Filter by stream and step" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "stdout", Exact = true }).PressAsync("Enter");
        await Expect(window.Deployment.Rows.Locator(".x")).ToHaveTextAsync(["web v1 starting on port 8080", "listening"]);
        await Expect(window.Deployment.Count).ToHaveTextAsync($"2 of {lines.Count} lines");
        await Expect(window.Page).ToHaveURLAsync(OnStandardOutput);
        await window.ScreenshotAsync("console-filter-phone-dark");

        await window.Page.ReloadAsync();
        await Expect(window.Deployment.Rows).ToHaveCountAsync(2);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Show all lines again" }).ClickAsync();
        await Expect(window.Deployment.Count).ToHaveTextAsync($"{lines.Count} lines");
        await Expect(window.Page).Not.ToHaveURLAsync(OnStandardOutput);
    }
}
