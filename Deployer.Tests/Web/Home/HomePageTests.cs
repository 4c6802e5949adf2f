using Bunit;
using Deployer.Core.Deployments;
using Deployer.Web.Components.Time;
using Deployer.Web.Features.Home;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

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

        page.WaitForAssertion(() => Assert.Equal("No apps yet", page.Find("h1").TextContent));
        Assert.Equal("/apps/new", page.Find(".blank a").GetAttribute("href"));
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
    public async Task Home_DeployPressed_QueuesAndOpensTheDeployment()
    {
        await _context.AddAppAsync("api");
        var page = _context.Render<HomePage>();
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll(".app")));

        await page.Find("button[aria-label='Deploy api']").ClickAsync(new());

        Assert.EndsWith("/deployments/1", _context.Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal);
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
