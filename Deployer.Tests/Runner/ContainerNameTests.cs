using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Runner;

/// <summary>What a deployment calls its container when somebody else on the engine has the name.</summary>
public sealed class ContainerNameTests : IAsyncLifetime
{
    private const string Image = "registry.test/web:v1";

    private RunnerBench _bench = null!;

    public async ValueTask InitializeAsync()
    {
        _bench = await RunnerBench.CreateAsync();
        _bench.Engine.Push(new FakeImage(Image));
        await _bench.AddAppAsync("web", new AppSpec { Image = Image });
    }

    public async ValueTask DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task Execute_NameTakenByAnotherInstallation_UsesAnotherAndLeavesThatOneAlone()
    {
        await _bench.Engine.CreateContainerAsync(
            new ContainerPlan(
                "deployer-web-1", "sha256:x", new AppSpec { Image = Image }, new Dictionary<string, string>(StringComparer.Ordinal),
                new Dictionary<string, string>(StringComparer.Ordinal) { ["deployer.instance"] = "another", ["deployer.app"] = "web" }, null),
            CancellationToken.None);

        var deployment = await _bench.DeployAsync("web", null);

        Assert.Equal(DeploymentStatus.Succeeded, deployment.Status);
        Assert.Equal(
            ["deployer-web-1", $"deployer-web-1-{_bench.Get<InstanceIdentity>().Id[..8]}"],
            _bench.Engine.Containers.Select(container => container.Name).Order(StringComparer.Ordinal));
    }
}
