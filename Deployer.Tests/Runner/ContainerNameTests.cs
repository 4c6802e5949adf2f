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
        await TakeNameAsync();

        var deployment = await _bench.DeployAsync("web", null);

        Assert.Equal(DeploymentStatus.Succeeded, deployment.Status);
        Assert.Equal(
            ["deployer-web-1", $"deployer-web-1-{_bench.Get<InstanceIdentity>().Id[..8]}"],
            _bench.Engine.Containers.Select(container => container.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Look_NameTakenByAnotherInstallation_IsNoDriftUntilSomebodyRenamesIt()
    {
        await TakeNameAsync();
        var deployment = await _bench.DeployAsync("web", null);

        Assert.Empty((await LookAsync())!.Drifts);

        await _bench.Engine.RenameContainerAsync(deployment.ContainerId!, "mine", CancellationToken.None);
        Assert.Equal([DriftKind.Renamed], (await LookAsync())!.Drifts.Select(drift => drift.Kind));
    }

    private Task<AppRuntime?> LookAsync() => _bench.Get<DriftReader>().FindAsync("web", CancellationToken.None);

    private Task<string> TakeNameAsync() => _bench.Engine.CreateContainerAsync(
        new ContainerPlan(
            "deployer-web-1", "sha256:x", new AppSpec { Image = Image }, new Dictionary<string, string>(StringComparer.Ordinal),
            new Dictionary<string, string>(StringComparer.Ordinal) { ["deployer.instance"] = "another", ["deployer.app"] = "web" }, null),
        CancellationToken.None);
}
