using Deployer.Core.Routing;

namespace Deployer.Tests.Routing;

public sealed class HostBookTests
{
    private static CancellationToken Stop => RoutingWorld.Stop;

    [Fact]
    public async Task ReserveAsync_NewApp_HostsAreKnownButNotInService()
    {
        await using var world = await RoutingWorld.StartAsync();
        var app = await world.AddAppAsync("shop");

        await world.Hosts.ReserveAsync(app, ["Shop.Example.com"], Stop);

        Assert.Equal([new RoutedHost("shop.example.com", app, "shop", false)], (await world.Routes.ReadAsync(Stop)).Hosts);
    }

    [Fact]
    public async Task ReserveAsync_HostTakenOutOfTheSpec_StaysInServiceUntilTheNextDeployment()
    {
        await using var world = await RoutingWorld.StartAsync();
        var app = await world.AddAppAsync("shop");
        await world.Traffic.MoveAsync(app, ["served.example.com"], RoutingWorld.Target("c1", 1001), Stop);
        await world.Hosts.ReserveAsync(app, ["served.example.com", "planned.example.com"], Stop);

        await world.Hosts.ReserveAsync(app, ["other.example.com"], Stop);

        Assert.Equal(
            [("other.example.com", false), ("served.example.com", true)],
            (await world.Routes.ReadAsync(Stop)).Hosts.Select(host => (host.Host, host.InService)).Order());
    }

    [Fact]
    public async Task FindTakenAsync_HostsOfTwoApps_NamesEachOwnerButOneself()
    {
        await using var world = await RoutingWorld.StartAsync();
        var shop = await world.AddAppAsync("shop");
        var blog = await world.AddAppAsync("blog");
        await world.Hosts.ReserveAsync(shop, ["shop.example.com"], Stop);
        await world.Hosts.ReserveAsync(blog, ["blog.example.com"], Stop);

        var taken = await world.Hosts.FindTakenAsync(blog, ["SHOP.example.com", "blog.example.com", "free.example.com"], Stop);

        Assert.Equal([new HostTaken("shop.example.com", "shop")], taken);
        Assert.Equal(2, (await world.Hosts.FindTakenAsync(appId: null, ["shop.example.com", "blog.example.com"], Stop)).Count);
    }
}
