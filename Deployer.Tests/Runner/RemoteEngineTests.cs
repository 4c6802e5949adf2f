using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Runner;

/// <summary>Health checks over HTTP where the networks of containers are not reached: the engine is on another machine.</summary>
public sealed class RemoteEngineTests : IAsyncLifetime
{
    private const string Image = "registry.test/web:v1";

    private static readonly HealthSpec Health = new("/healthz", 8080, 1, 1, 2);
    private static readonly ImageDetails Unchecked = new("sha256:1", [], "linux", "amd64", 1, HasHealthCheck: false, [3000]);

    private RunnerBench _bench = null!;

    public async ValueTask InitializeAsync()
    {
        _bench = await RunnerBench.CreateAsync();
        _bench.Engine.Endpoint = "tcp://192.0.2.7:2376";
        _bench.Engine.Push(new FakeImage(Image));
    }

    public async ValueTask DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task Execute_HttpProbe_AsksTheEnginesMachineAtAPublishedPort()
    {
        await _bench.AddAppAsync("web", new AppSpec { Image = Image, Health = Health });

        var deployment = await _bench.DeployAsync("web", null);
        var well = await _bench.Get<Wellness>().WaitAsync(deployment.ContainerId!, Health, TimeSpan.Zero, CancellationToken.None);

        Assert.Equal((DeploymentStatus.Succeeded, true), (deployment.Status, well));
        var published = Assert.Single(deployment.Ports);
        Assert.Equal(8080, published.Container);
        var address = new Uri($"http://192.0.2.7:{published.Host}/healthz");
        Assert.Equal([address, address], _bench.Probe.Asked);
    }

    [Fact]
    public async Task Execute_HttpProbeOfAFixedHostPort_AsksThatOne()
    {
        await _bench.AddAppAsync("web", new AppSpec { Image = Image, Health = Health, Ports = [new PortSpec(8080, 9000)] });

        var deployment = await _bench.DeployAsync("web", null);

        Assert.Equal([new PublishedPort(8080, 9000)], deployment.Ports);
        Assert.Equal([new Uri("http://192.0.2.7:9000/healthz")], _bench.Probe.Asked);
    }

    [Fact]
    public void MakeReachable_HostsAndAnotherHealthPort_PublishesBoth()
    {
        var spec = new AppSpec { Image = Image, Hosts = ["web.example.com"], Health = Health, Ports = [new PortSpec(9090, null)] };

        Assert.Equal([new PortSpec(9090, 0), new PortSpec(8080, 0)], MakeReachable(_bench, spec, Unchecked));
        Assert.Equal([new PortSpec(3000, 0), new PortSpec(8080, 0)], MakeReachable(_bench, spec with { Ports = [] }, Unchecked));
    }

    [Fact]
    public void MakeReachable_ImageWithAHealthCheckOfItsOwn_LeavesThePortAlone() =>
        Assert.Empty(MakeReachable(_bench, new AppSpec { Image = Image, Health = Health }, Unchecked with { HasHealthCheck = true }));

    [Theory]
    [InlineData("auto", "")]
    [InlineData("network", "")]
    [InlineData("published", "8080")]
    public async Task MakeReachable_EngineOnThisMachine_PublishesOnlyWhereTheReachSaysSo(string reach, string published)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere the engine runs in a virtual machine.");
        await using var bench = await RunnerBench.CreateAsync(new(StringComparer.Ordinal) { ["Proxy:Reach"] = reach });

        var ports = MakeReachable(bench, new AppSpec { Image = Image, Health = Health }, Unchecked);

        Assert.Equal(published, string.Join(' ', ports.Select(port => port.Container)));
    }

    private static IReadOnlyList<PortSpec> MakeReachable(RunnerBench bench, AppSpec spec, ImageDetails image) =>
        bench.Get<AppTraffic>().MakeReachable(spec, image).Ports;
}
