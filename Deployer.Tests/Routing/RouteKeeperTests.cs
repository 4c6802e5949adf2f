using Deployer.Core.Engine;
using Deployer.Core.Routing;
using Deployer.Tests.Engine.Docker;
using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Tests.Routing;

/// <summary>Against a real engine: it alone decides which address a container gets.</summary>
[Collection(DockerTests.Name)]
public sealed class RouteKeeperTests(TestEngine engine) : IAsyncDisposable
{
    private static CancellationToken Stop => RoutingWorld.Stop;

    public ValueTask DisposeAsync() => engine.TidyUpAsync();

    [Fact]
    public async Task CheckAsync_ContainerStopsAndGetsAnotherAddress_FollowsIt()
    {
        await using var world = await RoutingWorld.StartAsync(
            TimeProvider.System, services => services.AddSingleton(engine.Engine).AddSingleton<RouteKeeper>());
        var app = await world.AddAppAsync("shop");
        var plan = await engine.PlanAsync("web", "v1");
        var id = await engine.StartAsync(plan);
        var container = await engine.WaitForAsync(id, seen => seen.Health == ContainerHealth.Healthy);
        var first = await world.Get<TargetFinder>().FindAsync(container, 8080, Stop);
        await world.Traffic.MoveAsync(app, ["shop.example.com"], new NewTarget(1, id, 8080, first), Stop);
        var keeper = world.Get<RouteKeeper>();

        await keeper.CheckAsync(Stop);
        var whileRunning = Assert.Single((await world.Routes.ReadAsync(Stop)).Targets);
        await engine.Engine.StopContainerAsync(id, TimeSpan.Zero, Stop);
        await keeper.CheckAsync(Stop);
        var whileStopped = Assert.Single((await world.Routes.ReadAsync(Stop)).Targets);

        // Somebody else takes the address that it had.
        await engine.StartAsync(await engine.PlanAsync("web", "v2"));
        await engine.Engine.StartContainerAsync(id, Stop);
        await engine.WaitForAsync(id, seen => seen.Health == ContainerHealth.Healthy);
        await keeper.CheckAsync(Stop);
        var afterwards = Assert.Single((await world.Routes.ReadAsync(Stop)).Targets);

        Assert.Equal(first, new TargetAddress(whileRunning.Address!, whileRunning.Port));
        Assert.Null(whileStopped.Address);
        Assert.NotNull(afterwards.Address);
        Assert.NotEqual(first.Ip, afterwards.Address);
        Assert.Equal(8080, afterwards.Port);
    }

    [Fact]
    public async Task CheckAsync_EngineAway_LeavesTheRoutes()
    {
        await using var world = await RoutingWorld.StartAsync(
            TimeProvider.System,
            services => services.AddSingleton(TestEngine.Connect("unix:///nowhere.sock")).AddSingleton<RouteKeeper>());
        var app = await world.AddAppAsync("shop");
        await world.Traffic.MoveAsync(app, [], RoutingWorld.Target("c1", 1001), Stop);

        await Assert.ThrowsAsync<EngineUnreachableException>(() => world.Get<RouteKeeper>().CheckAsync(Stop));

        Assert.Equal("127.0.0.1", Assert.Single((await world.Routes.ReadAsync(Stop)).Targets).Address);
    }
}
