using Deployer.Core.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Time.Testing;

namespace Deployer.Tests.Routing;

public sealed class TrafficSwitchTests
{
    private static readonly Dictionary<long, int> Nothing = [];

    private static CancellationToken Stop => RoutingWorld.Stop;

    [Fact]
    public async Task MoveAsync_FirstTarget_PutsTheHostsIntoService()
    {
        await using var world = await RoutingWorld.StartAsync();
        var app = await world.AddAppAsync("shop", "shop.example.com");

        var result = await world.Traffic.MoveAsync(app, ["Shop.Example.com.", "www.shop.example.com"], RoutingWorld.Target("c1", 1001), Stop);

        var routes = await world.Routes.ReadAsync(Stop);
        Assert.Equal(
            [new RoutedHost("shop.example.com", app, "shop", true), new RoutedHost("www.shop.example.com", app, "shop", true)],
            routes.Hosts.OrderBy(host => host.Host, StringComparer.Ordinal));
        Assert.Equal([new RoutedTarget(result.Active!.Id, app, "127.0.0.1", 1001, RouteTargetState.Active)], routes.Targets);
        Assert.Equal((0, 0), (result.Proxies, result.Behind));
    }

    [Fact]
    public async Task MoveAsync_SecondTarget_LetsTheFirstDrain()
    {
        await using var world = await RoutingWorld.StartAsync();
        var app = await world.AddAppAsync("shop");
        await world.Traffic.MoveAsync(app, ["a.example.com"], RoutingWorld.Target("c1", 1001), Stop);

        var result = await world.Traffic.MoveAsync(app, ["a.example.com"], RoutingWorld.Target("c2", 1002), Stop);

        Assert.Equal("c2", result.Active?.ContainerId);
        Assert.Equal("c1", Assert.Single(result.Draining).ContainerId);
    }

    [Fact]
    public async Task MoveAsync_BackToADrainingTarget_TakesTheSwitchBack()
    {
        await using var world = await RoutingWorld.StartAsync();
        var app = await world.AddAppAsync("shop");
        await world.Traffic.MoveAsync(app, [], RoutingWorld.Target("c1", 1001), Stop);
        await world.Traffic.MoveAsync(app, [], RoutingWorld.Target("c2", 1002), Stop);

        var result = await world.Traffic.MoveAsync(app, [], RoutingWorld.Target("c1", 1001), Stop);

        Assert.Equal("c1", result.Active?.ContainerId);
        Assert.Equal("c2", Assert.Single(result.Draining).ContainerId);
    }

    [Fact]
    public async Task MoveAsync_HostNoLongerInTheSpec_GivesItUp()
    {
        await using var world = await RoutingWorld.StartAsync();
        var app = await world.AddAppAsync("shop", "kept.example.com");
        await world.Traffic.MoveAsync(app, ["old.example.com", "kept.example.com"], RoutingWorld.Target("c1", 1001), Stop);

        await world.Traffic.MoveAsync(app, ["new.example.com"], RoutingWorld.Target("c2", 1002), Stop);

        // What the app's present spec names stays reserved though this deployment does not serve it.
        var routes = await world.Routes.ReadAsync(Stop);
        Assert.Equal(
            [("kept.example.com", false), ("new.example.com", true)],
            routes.Hosts.Select(host => (host.Host, host.InService)).Order());
    }

    [Fact]
    public async Task MoveAsync_HostOfAnotherApp_RefusesAndChangesNothing()
    {
        await using var world = await RoutingWorld.StartAsync();
        var shop = await world.AddAppAsync("shop");
        var blog = await world.AddAppAsync("blog");
        await world.Traffic.MoveAsync(shop, ["example.com"], RoutingWorld.Target("c1", 1001), Stop);
        var before = await world.Routes.ReadAsync(Stop);

        var refusal = await Assert.ThrowsAsync<HostTakenException>(() =>
            world.Traffic.MoveAsync(blog, ["blog.example.com", "EXAMPLE.com"], RoutingWorld.Target("c2", 1002), Stop));

        Assert.Equal([new HostTaken("example.com", "shop")], refusal.Taken);
        var after = await world.Routes.ReadAsync(Stop);
        Assert.Equal(before.Stamp, after.Stamp);
        Assert.Equal(before.Hosts, after.Hosts);
        Assert.Equal(before.Targets, after.Targets);
    }

    [Fact]
    public async Task MoveAsync_ProxyHasNotApplied_ReturnsOnlyWhenItHas()
    {
        await using var world = await RoutingWorld.StartAsync();
        var app = await world.AddAppAsync("shop");
        await world.Proxies.EnterAsync("p1", "http://127.0.0.1:1", Stop);
        var written = world.Feed.Changed;

        var move = world.Traffic.MoveAsync(app, [], RoutingWorld.Target("c1", 1001), Stop);
        await written;
        Assert.False(move.IsCompleted);
        var version = (await world.Routes.ReadStampAsync(Stop)).Version;
        await world.Proxies.ReportAsync("p1", version, Nothing, Stop);

        var result = await move;
        Assert.Equal((1, 0), (result.Proxies, result.Behind));
    }

    [Fact]
    public async Task MoveAsync_ProxyOfAnotherProcess_IsWaitedForWithoutABell()
    {
        await using var world = await RoutingWorld.StartAsync();
        await using var other = world.Another();
        var app = await world.AddAppAsync("shop");
        await other.Proxies.EnterAsync("p1", "http://127.0.0.1:1", Stop);
        var written = world.Feed.Changed;

        var move = world.Traffic.MoveAsync(app, [], RoutingWorld.Target("c1", 1001), Stop);
        await written;
        await other.Proxies.ReportAsync("p1", (await other.Routes.ReadStampAsync(Stop)).Version, Nothing, Stop);

        Assert.Equal(0, (await move).Behind);
    }

    [Fact]
    public async Task MoveAsync_ProxyFellSilent_DoesNotWaitForIt()
    {
        var time = new FakeTimeProvider();
        await using var world = await RoutingWorld.StartAsync(time, _ => { });
        var app = await world.AddAppAsync("shop");
        await world.Proxies.EnterAsync("dead", "http://127.0.0.1:1", Stop);
        time.Advance(ProxyRegister.SilenceLimit + TimeSpan.FromMilliseconds(1));

        var result = await world.Traffic.MoveAsync(app, [], RoutingWorld.Target("c1", 1001), Stop);

        Assert.Equal((0, 0), (result.Proxies, result.Behind));
    }

    [Fact]
    public async Task MoveAsync_ProxyReportsButNeverApplies_SaysSoAfterTheCap()
    {
        var time = new FakeTimeProvider();
        await using var world = await RoutingWorld.StartAsync(time, _ => { });
        var app = await world.AddAppAsync("shop");
        await world.Proxies.EnterAsync("stuck", "http://127.0.0.1:1", Stop);

        var move = world.Traffic.MoveAsync(app, [], RoutingWorld.Target("c1", 1001), Stop);
        while (!move.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await world.Proxies.ReportAsync("stuck", 0, Nothing, Stop);
            await Task.Yield();
        }

        Assert.Equal(1, (await move).Behind);
    }

    [Fact]
    public async Task WithdrawAsync_ServingApp_LeavesNoActiveTarget()
    {
        await using var world = await RoutingWorld.StartAsync();
        var app = await world.AddAppAsync("shop", "shop.example.com");
        await world.Traffic.MoveAsync(app, ["shop.example.com"], RoutingWorld.Target("c1", 1001), Stop);

        var result = await world.Traffic.WithdrawAsync(app, Stop);

        Assert.Null(result.Active);
        Assert.Equal("c1", Assert.Single(result.Draining).ContainerId);
        Assert.Single((await world.Routes.ReadAsync(Stop)).Hosts);
    }

    [Fact]
    public async Task DrainAsync_RequestsAtTwoProxies_ReturnsWhenBothAreDone()
    {
        await using var world = await RoutingWorld.StartAsync();
        var (old, version) = await SwitchAsync(world, ["p1", "p2"]);
        await world.Proxies.ReportAsync("p1", version, new Dictionary<long, int> { [old.Id] = 2 }, Stop);
        await world.Proxies.ReportAsync("p2", version, new Dictionary<long, int> { [old.Id] = 1 }, Stop);

        var drain = world.Traffic.DrainAsync(old, TimeSpan.FromMinutes(1), Stop);
        await world.Proxies.ReportAsync("p1", version, Nothing, Stop);
        Assert.False(drain.IsCompleted);
        await world.Proxies.ReportAsync("p2", version, Nothing, Stop);

        Assert.Equal(new DrainResult(0, 0), await drain);
    }

    [Fact]
    public async Task DrainAsync_RequestsOutliveTheCap_SaysHowMany()
    {
        await using var world = await RoutingWorld.StartAsync();
        var (old, version) = await SwitchAsync(world, ["p1"]);
        await world.Proxies.ReportAsync("p1", version, new Dictionary<long, int> { [old.Id] = 3 }, Stop);

        var result = await world.Traffic.DrainAsync(old, TimeSpan.Zero, Stop);

        Assert.Equal(new DrainResult(3, 0), result);
        Assert.False(result.IsEmpty);
    }

    [Fact]
    public async Task DrainAsync_ProxyServesByAnOlderVersion_IsNotTakenForEmpty()
    {
        await using var world = await RoutingWorld.StartAsync();
        var (old, version) = await SwitchAsync(world, ["p1"]);
        await world.Proxies.ReportAsync("p1", version - 1, Nothing, Stop);

        Assert.Equal(new DrainResult(0, 1), await world.Traffic.DrainAsync(old, TimeSpan.Zero, Stop));
    }

    [Fact]
    public async Task RetireAsync_TargetServesAgain_Keeps()
    {
        await using var world = await RoutingWorld.StartAsync();
        var app = await world.AddAppAsync("shop");
        await world.Traffic.MoveAsync(app, [], RoutingWorld.Target("c1", 1001), Stop);
        var first = await world.Traffic.MoveAsync(app, [], RoutingWorld.Target("c2", 1002), Stop);
        var second = await world.Traffic.MoveAsync(app, [], RoutingWorld.Target("c1", 1001), Stop);

        await world.Traffic.RetireAsync(first.Draining.Single(), Stop);
        await world.Traffic.RetireAsync(second.Draining.Single(), Stop);

        Assert.Equal("c1", Assert.Single(await world.Traffic.ListTargetsAsync(app, Stop)).ContainerId);
    }

    [Fact]
    public async Task ReadStampAsync_AppDeleted_Differs()
    {
        await using var world = await RoutingWorld.StartAsync();
        var app = await world.AddAppAsync("shop");
        await world.Traffic.MoveAsync(app, ["shop.example.com"], RoutingWorld.Target("c1", 1001), Stop);
        var before = await world.Routes.ReadStampAsync(Stop);

        await using (var db = await world.Databases.CreateDbContextAsync(Stop))
        {
            await db.Apps.Where(row => row.Id == app).ExecuteDeleteAsync(Stop);
        }

        Assert.NotEqual(before, await world.Routes.ReadStampAsync(Stop));
        Assert.Empty((await world.Routes.ReadAsync(Stop)).Hosts);
    }

    /// <summary>An app switched once under the eyes of proxies that have applied everything.</summary>
    private static async Task<(RouteTarget Old, long Version)> SwitchAsync(RoutingWorld world, string[] proxies)
    {
        var app = await world.AddAppAsync("shop");
        await world.Traffic.MoveAsync(app, [], RoutingWorld.Target("c1", 1001), Stop);
        var result = await world.Traffic.MoveAsync(app, [], RoutingWorld.Target("c2", 1002), Stop);
        var version = (await world.Routes.ReadStampAsync(Stop)).Version;
        foreach (var proxy in proxies)
        {
            await world.Proxies.EnterAsync(proxy, "http://127.0.0.1:1", Stop);
        }

        return (result.Draining.Single(), version);
    }
}
