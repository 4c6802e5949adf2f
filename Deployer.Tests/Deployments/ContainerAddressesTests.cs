using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Tests.Engine.Docker;

namespace Deployer.Tests.Deployments;

/// <summary>Where health checks look for a container, by where its engine is.</summary>
public sealed class ContainerAddressesTests
{
    [Theory]
    [InlineData("unix:///engine.sock", "127.0.0.1:40001 10.0.0.2:8080 [fd00::2]:8080")]
    [InlineData("tcp://127.0.0.1:2375", "127.0.0.1:40001 10.0.0.2:8080 [fd00::2]:8080")]
    [InlineData("tcp://192.0.2.7:2376", "192.0.2.7:40001")]
    [InlineData("tcp://engine.example.com:2376", "engine.example.com:40001")]
    [InlineData("tcp://[2001:db8::7]:2376", "[2001:db8::7]:40001")]
    public void Of_PublishedPort_GivesTheEnginesMachine(string endpoint, string expected) =>
        Assert.Equal(expected, string.Join(' ', ContainerAddresses.Of(TestEngine.Connect(endpoint), Container(), 8080)));

    [Fact]
    public void Of_PortThatIsNotPublished_HasNoAddressAtAnEngineElsewhere() =>
        Assert.Empty(ContainerAddresses.Of(TestEngine.Connect("tcp://192.0.2.7:2376"), Container(), 9090));

    private static ContainerDetails Container() => new(
        "c1", "shop-1", "sha256:1", new Dictionary<string, string>(StringComparer.Ordinal), ContainerStatus.Running,
        0, false, string.Empty, ContainerHealth.None, null, 0, 0, null, new Dictionary<int, int> { [8080] = 40001 },
        new Dictionary<string, string>(StringComparer.Ordinal) { ["app"] = "10.0.0.2", ["none"] = string.Empty, ["six"] = "fd00::2" });
}
