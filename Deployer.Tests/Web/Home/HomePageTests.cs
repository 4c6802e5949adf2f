using Bunit;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Web.Components.Time;
using Deployer.Web.Features.Home;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Deployer.Tests.Web.Home;

public sealed class HomePageTests : IAsyncLifetime
{
    private readonly DashboardContext _context = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public void Home_NoApps_SaysWhatToDo()
    {
        var page = _context.Render<HomePage>();

        page.WaitForAssertion(() => Assert.Equal("Welcome to Deployer", page.Find("h1").TextContent));
        Assert.Equal("/apps/new", page.Find(".first a.mud-button-root").GetAttribute("href"));
    }

    [Fact]
    public async Task Home_Apps_AreListedByNameWithTheirState()
    {
        await _context.AddAppAsync("worker");
        await _context.AddAppAsync("api");
        await _context.EnqueueAsync("api");

        var page = _context.Render<HomePage>();

        page.WaitForAssertion(() => Assert.Equal(["api", "worker"], page.FindAll(".app a").Select(link => link.TextContent)));
        Assert.Equal(["Queued", ""], page.FindAll(".last").Select(cell => cell.QuerySelector(".badge")?.TextContent ?? ""));
        Assert.Contains("never deployed", page.FindAll(".last")[1].TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Home_StatusChanges_ShowsItWithoutReload()
    {
        await _context.AddAppAsync("api");
        var deployment = await _context.EnqueueAsync("api");
        var page = _context.Render<HomePage>();
        page.WaitForAssertion(() => Assert.Equal("Queued", page.Find(".badge").TextContent));

        await _context.ChangeAsync(deployment.Id, rows =>
            rows.ExecuteUpdateAsync(set => set.SetProperty(row => row.Status, DeploymentStatus.Running)));

        await _context.Time.AdvanceUntilAsync(page.WaitForAssertionAsync(() => Assert.Equal("Running", page.Find(".badge").TextContent)), LiveReload.Floor);
    }

    [Fact]
    public async Task Home_OneAppChanges_RendersItsRowAlone()
    {
        await _context.AddAppAsync("api");
        await _context.AddAppAsync("web");
        await _context.EnqueueAsync("web");
        var page = _context.Render<HomePage>();
        page.WaitForAssertion(() => Assert.Equal(2, page.FindAll(".app").Count));
        var rows = page.FindComponents<AppRow>();
        var (api, web) = (rows[0].RenderCount, rows[1].RenderCount);

        await _context.EnqueueAsync("api");

        await _context.Time.AdvanceUntilAsync(
            page.WaitForAssertionAsync(() => Assert.Equal(2, page.FindAll(".badge").Count)), TimeSpan.FromMilliseconds(300));
        Assert.Equal(1, page.FindComponents<AppRow>()[0].RenderCount - api);
        Assert.Equal(web, page.FindComponents<AppRow>()[1].RenderCount);
    }

    [Fact]
    public async Task Home_SearchAndGroup_NarrowTheListAndStandInTheAddress()
    {
        await _context.AddAppAsync("api");
        await _context.AddAppAsync("web");
        var page = _context.Render<HomePage>();
        page.WaitForAssertion(() => Assert.Equal(2, page.FindAll(".app").Count));

        await page.InvokeAsync(() => page.Find("input[type=search]").InputAsync(new() { Value = "AP" }));
        Assert.Equal(["api"], page.FindAll(".app a").Select(link => link.TextContent));
        await page.InvokeAsync(() => page.FindAll(".group").Single(button => button.TextContent.Contains("Running", StringComparison.Ordinal)).ClickAsync(new()));

        Assert.Contains("No app is like that", page.Markup, StringComparison.Ordinal);
        Assert.EndsWith("/?q=AP&show=running", _context.Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal);
        await page.InvokeAsync(() => page.Find(".blank button").ClickAsync(new()));
        Assert.Equal(["api", "web"], page.FindAll(".app a").Select(link => link.TextContent));
    }

    [Fact]
    public async Task Home_Reader_MayNotDeploy()
    {
        await _context.AddAppAsync("api");
        _context.Role = AccessRole.Viewer;

        var page = _context.Render<HomePage>();

        page.WaitForAssertion(() => Assert.Equal(["api"], page.FindAll(".app a").Select(link => link.TextContent)));
        Assert.Empty(page.FindAll("button.act"));
        Assert.Empty(page.FindAll("a[href='/apps/new']"));
    }

    [Fact]
    public async Task Sparkline_History_SaysTheSameInWords()
    {
        var start = Instant.FromUnixTimeSeconds(0);
        Attempt Of(int number, DeploymentStatus status, int seconds) => new(number, number, status, null, start, start, start + Duration.FromSeconds(seconds));

        var line = _context.Render<Sparkline>(parameters => parameters.Add(component => component.Attempts,
            [Of(1, DeploymentStatus.Succeeded, 10), Of(2, DeploymentStatus.Failed, 40), Of(3, DeploymentStatus.Succeeded, 20)]));

        Assert.Equal("Last 3 deployments: 2 succeeded, 1 failed, typically 20 s", line.Find("svg").GetAttribute("aria-label"));
        Assert.Equal(["good", "bad"], line.FindAll("path").Select(path => path.ClassName));
        Assert.Equal("M90 20v-20h4v20z", line.Find("path.bad").GetAttribute("d"));
    }

    [Fact]
    public async Task Home_DatabaseFails_SaysSoAndRecovers()
    {
        await _context.AddAppAsync("api");
        _context.Databases.IsDown = true;
        var page = _context.Render<HomePage>();
        page.WaitForAssertion(() => Assert.Contains("cannot be read", page.Markup, StringComparison.Ordinal));

        _context.Databases.IsDown = false;

        await _context.Time.AdvanceUntilAsync(page.WaitForAssertionAsync(() =>
        {
            Assert.Equal(["api"], page.FindAll(".app a").Select(link => link.TextContent));
            Assert.DoesNotContain("does not answer", page.Markup, StringComparison.Ordinal);
        }), LiveReload.Floor);
    }
}
