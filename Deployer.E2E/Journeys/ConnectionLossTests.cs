using System.Text.RegularExpressions;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Core.Runner;
using Deployer.E2E.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Deployer.E2E.Journeys;

/// <summary>The server goes away in the middle of a deployment that is watched, and comes back.</summary>
public sealed class ConnectionLossTests(Browser browser) : Journey(browser)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Restart_WhileADeploymentIsFollowed_ShowsABannerAndThenEveryLineOnce()
    {
        const int Lines = 3_000;
        var directory = Directory.CreateTempSubdirectory("deployer-e2e-");
        try
        {
            // Another process's runner writes the log meanwhile: here a second dashboard over the same database.
            await using var writer = Dashboard.StartWithoutRunner(directory.FullName, port: 0);
            var web = Dashboard.StartWithoutRunner(directory.FullName, port: 0);
            var port = web.Address.Port;
            var id = await writer.DeployAsync(await writer.AddAppAsync("web", Settings.Image("web:v1")));
            await AppendAsync(writer, id, 1, 1_000);
            var window = await OpenAsync(web);
            await window.GoToAsync($"/deployments/{id}");
            await Expect(window.Deployment.Line(1_000)).ToBeVisibleAsync();

            await web.DisposeAsync();
            await Expect(window.Page.Locator("#components-reconnect-modal")).ToContainTextAsync(
                new Regex("Connection lost", RegexOptions.None, TimeSpan.FromSeconds(1)), new() { Timeout = 30_000 });
            await Expect(window.Page.Locator("#components-reconnect-modal")).ToBeVisibleAsync();
            await window.ScreenshotAsync("connection-lost");
            await AppendAsync(writer, id, 1_001, 2_000);

            await using var again = Dashboard.StartWithoutRunner(directory.FullName, port);
            await Expect(window.Deployment.Line(2_000)).ToBeVisibleAsync(new() { Timeout = 60_000 });
            await Expect(window.Page.Locator("#components-reconnect-modal")).ToBeHiddenAsync();
            await AppendAsync(writer, id, 2_001, Lines);
            await Expect(window.Deployment.Line(Lines)).ToBeVisibleAsync();
            Assert.Equal(Enumerable.Range(1, Lines).Select(number => $"line {number}"), await window.Deployment.ReadAllAsync(Lines));
            await window.Page.GotoAsync("about:blank");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Network_GoesAwayUnnoticedByTheServer_EveryLineIsThereOnceItIsBack()
    {
        const int Lines = 300;
        var dashboard = Keep(Dashboard.StartWithoutRunner());
        await using var link = new CuttableLink(dashboard.Address);
        var id = await dashboard.DeployAsync(await dashboard.AddAppAsync("web", Settings.Image("web:v1")));
        await AppendAsync(dashboard, id, 1, 100);
        var window = await OpenAsync(dashboard);
        await window.GoToAsync($"{link.Address}deployments/{id}");
        await Expect(window.Deployment.Line(100)).ToBeVisibleAsync();

        link.Cut();
        await AppendAsync(dashboard, id, 101, 200);
        await link.Lost.WaitAsync(Cancel);
        link.Mend();
        await Expect(window.Deployment.Line(200)).ToBeVisibleAsync(new() { Timeout = 60_000 });

        await AppendAsync(dashboard, id, 201, Lines);
        await Expect(window.Deployment.Line(Lines)).ToBeVisibleAsync();
        Assert.Equal(Enumerable.Range(1, Lines).Select(number => $"line {number}"), await window.Deployment.ReadAllAsync(Lines));
        await window.Page.GotoAsync("about:blank");
    }

    [Fact]
    public async Task Restart_InTheMiddleOfARunningDeployment_TellsThatItWasInterruptedWithEveryLineOnce()
    {
        var directory = Directory.CreateTempSubdirectory("deployer-e2e-");
        try
        {
            var dashboard = Dashboard.Start(directory.FullName, port: 0, WithoutGrace);
            var port = dashboard.Address.Port;

            // It ticks five times a second, and nothing ever answers its health check.
            var app = await dashboard.AddAppAsync(new
            {
                name = $"chatty-{Guid.NewGuid():N}"[..12],
                image = Settings.Image("chatty"),
                health = new { path = "/", port = 9090, interval_seconds = 1, retries = 100 },
            });
            var id = await dashboard.DeployAsync(app);
            var window = await OpenAsync(dashboard);
            await window.GoToAsync($"/deployments/{id}");
            await Expect(window.Deployment.Rows.Filter(new() { HasText = "tick 5" }).First).ToBeVisibleAsync(new() { Timeout = 60_000 });
            await Expect(window.Deployment.Status).ToHaveTextAsync("Running");

            await dashboard.DisposeAsync();
            await Expect(window.Page.Locator("#components-reconnect-modal")).ToBeVisibleAsync(new() { Timeout = 30_000 });
            await Expect(window.Deployment.Rows.Filter(new() { HasText = "tick" }).First).ToBeVisibleAsync();

            await using var again = Dashboard.Start(directory.FullName, port, WithoutGrace);
            await window.Deployment.EndsAsync("Failed");
            await Expect(window.Page.Locator("#components-reconnect-modal")).ToBeHiddenAsync();
            await Expect(window.Deployment.Failure).ToContainTextAsync("Interrupted");
            await window.ScreenshotAsync("interrupted");
            var (lines, status) = await again.FollowAsync(id);
            Assert.Equal("failed", status);
            Assert.Contains("tick 5", lines);
            Assert.Equal(lines, await window.Deployment.ReadAllAsync(lines.Count));
            await window.Page.GotoAsync("about:blank");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task FirstConnection_Fails_IsTriedAgain()
    {
        var dashboard = Keep(Dashboard.StartWithoutRunner());
        var window = await OpenAsync(dashboard);
        await window.Page.Clock.InstallAsync();
        await window.Page.RouteAsync("**/_blazor/negotiate**", route => route.AbortAsync());
        var refused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        window.Page.RequestFailed += (_, request) =>
        {
            if (request.Url.Contains("/_blazor/negotiate", StringComparison.Ordinal))
            {
                refused.TrySetResult();
            }
        };
        await window.Page.GotoAsync("/");
        await refused.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        await Expect(window.Page.GetByText("Connecting to Deployer…")).ToBeVisibleAsync();

        // Blazor itself complains, and leaves it at that.
        window.ForgetErrors();
        await window.Page.UnrouteAsync("**/_blazor/negotiate**");
        await window.Page.Clock.FastForwardAsync(20_000);
        await Expect(window.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await Expect(window.Page.GetByText("Connecting to Deployer…")).ToBeHiddenAsync();
    }

    private static void WithoutGrace(IServiceCollection services) =>
        services.Configure<RunnerOptions>(options => options.ShutdownGrace = TimeSpan.Zero);

    private static async Task AppendAsync(Dashboard dashboard, long id, int from, int to)
    {
        await using var log = dashboard.Services.GetRequiredService<LogStore>().Open(id, []);
        for (var number = from; number <= to; number++)
        {
            await log.AppendAsync(LogStream.Stdout, StepKind.Start, $"line {number}", Cancel);
        }
    }
}
