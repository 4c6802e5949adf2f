using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Deployments;

/// <summary>What a deployment tells beside its status: remedies that name names, refusals, and how far it is.</summary>
public sealed class DeploymentFactsTests : IAsyncLifetime
{
    private const string Image = "registry.test/web:v1";

    private RunnerBench _bench = null!;

    private FakeContainerEngine Engine => _bench.Engine;

    public async ValueTask InitializeAsync()
    {
        _bench = await RunnerBench.CreateAsync();
        Engine.Push(new FakeImage(Image));
        await _bench.AddAppAsync("web", new AppSpec { Image = Image });
    }

    public async ValueTask DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public void Near_SomeTags_GivesTheLikestFirst() =>
        Assert.Equal(
            ["v1.3.0", "v1.2.1", "v1.2", "v2", "latest"], FailureAdvisor.Near("v1.2.0", ["nightly", "v1.2", "v2", "v1.3.0", "v1.2.1", "latest"]));

    [Fact]
    public async Task Execute_PortHeldByAnotherContainer_NamesItInTheRemedy()
    {
        await _bench.AddAppAsync("holder", new AppSpec { Image = Image, Ports = [new PortSpec(8080, 9000)] });
        await _bench.DeployAsync("holder", null);
        await _bench.AddAppAsync("late", new AppSpec { Image = Image, Ports = [new PortSpec(8080, 9000)] });
        Engine.Refuse("start", FailureCode.PortInUse, "port is already allocated");
        var failed = await _bench.DeployAsync("late", null);

        Assert.Equal(
            "The container deployer-holder-1 of the app holder holds host port 9000: stop it, or give this app another host port.",
            failed.Failure!.Remedy);
    }

    [Fact]
    public async Task Execute_DiskFull_TellsWhatCanBeRemoved()
    {
        Engine.Refuse("layer", FailureCode.DiskFull, "no space left on device");
        var failed = await _bench.DeployAsync("web", null);

        Assert.StartsWith("3 images that no container uses take up to 450 MB", failed.Failure!.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Execute_ReplacesDeployersOwnContainer_IsRefusedAndNothingIsTouched()
    {
        var first = await _bench.DeployAsync("web", null);
        var mounts = Path.Combine(_bench.Directory, "mountinfo");
        await File.WriteAllTextAsync(
            mounts,
            $"721 700 254:1 /var/lib/docker/containers/{first.ContainerId}/hostname /etc/hostname rw,relatime - ext4 /dev/vda1 rw\n",
            TestContext.Current.CancellationToken);
        await using var inside = _bench.Restart(OwnContainer.Read(mounts));
        var refused = await inside.DeployAsync("web", null);

        Assert.Equal((DeploymentStatus.Failed, FailureCode.OwnContainer), (refused.Status, refused.Failure?.Code));
        Assert.Equal((first.ContainerId, ContainerStatus.Running), (Engine.Containers[0].Id, Assert.Single(Engine.Containers).Status));
    }

    [Fact]
    public async Task Progress_DuringAPull_GivesBytesAndWhatStepsUsuallyTake()
    {
        await _bench.DeployAsync("web", null);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Engine.Before("layer", (line, _) => line.Contains("Pull complete", StringComparison.Ordinal) ? gate.Task : Task.CompletedTask);
        var id = await _bench.EnqueueAsync("web", null);
        var run = await _bench.BeginAsync(id, CancellationToken.None);
        var reader = _bench.Get<ProgressReader>();
        await _bench.UntilAsync(async () => (await reader.FindAsync(id, CancellationToken.None))!.Layers.Count > 0);

        var progress = (await reader.FindAsync(id, CancellationToken.None))!;
        Assert.Equal(new LayerProgress("0123456789ab", "Downloading", 10, 20), Assert.Single(progress.Layers));
        Assert.NotNull(progress.ExpectedSeconds);
        Assert.All(progress.Steps, step => Assert.NotNull(step.ExpectedSeconds));
        gate.SetResult();
        await _bench.CompleteAsync(run);
        Assert.Empty((await reader.FindAsync(id, CancellationToken.None))!.Layers);
    }
}
