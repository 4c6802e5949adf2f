using System.Net;
using System.Net.Sockets;
using Deployer.Core.Apps;
using Deployer.Core.Engine;
using Deployer.Core.Routing;
using Deployer.Tests.Engine.Docker;
using Microsoft.Extensions.Options;

namespace Deployer.Tests.Routing;

public sealed class TargetFinderTests
{
    private static CancellationToken Stop => RoutingWorld.Stop;

    [Fact]
    public async Task FindAsync_NetworkAnswers_GivesTheContainersAddress()
    {
        using var container = new TcpListener(IPAddress.Loopback, 0);
        container.Start();
        var port = ((IPEndPoint)container.LocalEndpoint).Port;

        var address = await Finder(ContainerReach.Auto, "unix:///engine.sock")
            .FindAsync(Container(new() { ["app"] = "127.0.0.1" }, []), port, Stop);

        Assert.Equal(new TargetAddress("127.0.0.1", port), address);
    }

    [Fact]
    public async Task FindAsync_NetworkDoesNotAnswer_GivesThePublishedPort()
    {
        using var published = new TcpListener(IPAddress.Loopback, 0);
        published.Start();
        var hostPort = ((IPEndPoint)published.LocalEndpoint).Port;
        var refusing = Proxy.ProxyWorld.FreePort();

        var address = await Finder(ContainerReach.Auto, "unix:///engine.sock")
            .FindAsync(Container(new() { ["app"] = "127.0.0.1" }, new() { [refusing] = hostPort }), refusing, Stop);

        Assert.Equal(new TargetAddress("127.0.0.1", hostPort), address);
    }

    [Fact]
    public async Task FindAsync_NothingAnswers_SaysWhatWasTried()
    {
        var refusing = Proxy.ProxyWorld.FreePort();

        var failure = await Assert.ThrowsAsync<TargetUnreachableException>(() =>
            Finder(ContainerReach.Network, "unix:///engine.sock")
                .FindAsync(Container(new() { ["app"] = "127.0.0.1" }, new() { [refusing] = 1 }), refusing, Stop));

        Assert.Equal($"The container's port {refusing} accepts no connection at 127.0.0.1:{refusing}.", failure.Message);
    }

    [Theory]
    [InlineData(ContainerReach.Auto, "unix:///engine.sock", "10.0.0.2:8080 127.0.0.1:40001")]
    [InlineData(ContainerReach.Network, "unix:///engine.sock", "10.0.0.2:8080")]
    [InlineData(ContainerReach.Published, "unix:///engine.sock", "127.0.0.1:40001")]
    [InlineData(ContainerReach.Auto, "tcp://127.0.0.1:2375", "10.0.0.2:8080 127.0.0.1:40001")]
    [InlineData(ContainerReach.Auto, "tcp://192.0.2.7:2375", "192.0.2.7:40001")]
    public async Task ListCandidatesAsync_ReachAndEngine_GiveTheOrder(ContainerReach reach, string endpoint, string expected)
    {
        var candidates = await Finder(reach, endpoint)
            .ListCandidatesAsync(Container(new() { ["app"] = "10.0.0.2", ["none"] = string.Empty }, new() { [8080] = 40001 }), 8080, Stop);

        Assert.Equal(expected, string.Join(' ', candidates));
    }

    [Fact]
    public void PortOf_SpecThenImage_GivesTheFirst()
    {
        var image = new ImageDetails("sha256:1", [], "linux", "amd64", 1, false, [3000, 9000]);
        var spec = new AppSpec { Image = "web" };

        Assert.Equal(8080, TargetFinder.PortOf(spec with { Ports = [new PortSpec(8080, null), new PortSpec(9090, null)] }, image));
        Assert.Equal(3000, TargetFinder.PortOf(spec, image));
        Assert.Null(TargetFinder.PortOf(spec, image with { ExposedPorts = [] }));
    }

    private static TargetFinder Finder(ContainerReach reach, string endpoint) =>
        new(TestEngine.Connect(endpoint), Options.Create(new ProxyOptions { Reach = reach }), TimeProvider.System);

    private static ContainerDetails Container(Dictionary<string, string> addresses, Dictionary<int, int> ports) => new(
        "c1", "shop-1", "sha256:1", new Dictionary<string, string>(StringComparer.Ordinal), ContainerStatus.Running,
        0, false, string.Empty, ContainerHealth.None, null, 0, 0, null, ports, addresses);
}
