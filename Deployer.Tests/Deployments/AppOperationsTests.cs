using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Deployments;

/// <summary>Starting, stopping and restarting apps, and what is seen of them.</summary>
public sealed class AppOperationsTests : IAsyncLifetime
{
    private const string Image = "registry.test/web:v1";

    private RunnerBench _bench = null!;

    private AppOperations Operations => _bench.Get<AppOperations>();

    public async ValueTask InitializeAsync()
    {
        _bench = await RunnerBench.CreateAsync();
        _bench.Engine.Push(new FakeImage(Image));
        await _bench.AddAppAsync("web", new AppSpec { Image = Image });
    }

    public async ValueTask DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task Stop_RunningApp_StopsItsContainerUntilItIsStarted()
    {
        await _bench.DeployAsync("web", null);

        Assert.Equal(OperationResult.Done, await Operations.StopAsync("web", CancellationToken.None));
        Assert.Equal(ContainerStatus.Exited, Assert.Single(_bench.Engine.Containers).Status);
        var stopped = (await LookAsync())!;
        Assert.NotNull(stopped.StoppedAt);
        Assert.Empty(stopped.Drifts);

        Assert.Equal(OperationResult.Done, await Operations.StartAsync("web", CancellationToken.None));
        Assert.Equal(ContainerStatus.Running, Assert.Single(_bench.Engine.Containers).Status);
        Assert.Null((await LookAsync())!.StoppedAt);
    }

    [Fact]
    public async Task Restart_CallerDoesNotWait_IsDoneToItsEnd()
    {
        await _bench.DeployAsync("web", null);
        using var caller = new CancellationTokenSource();
        _bench.Engine.Before("stop", async (_, cancellationToken) =>
        {
            await caller.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
        });

        Assert.Equal(OperationResult.Done, await Operations.RestartAsync("web", caller.Token));
        Assert.Contains(_bench.Engine.Calls, call => call.StartsWith("stop ", StringComparison.Ordinal));
        Assert.Equal(ContainerStatus.Running, Assert.Single(_bench.Engine.Containers).Status);
    }

    [Fact]
    public async Task Remove_DeploymentBeganAndSucceededMeanwhile_TouchesNothingOfIt()
    {
        await _bench.DeployAsync("web", null);
        DeploymentView? second = null;
        _bench.Engine.Before("stop", async (_, _) =>
        {
            _bench.Engine.Allow("stop");
            second = await _bench.DeployAsync("web", null);
        });

        var removal = await _bench.Get<AppCatalog>().RemoveAsync("web", CancellationToken.None);

        Assert.Equal(second!.Id, Assert.IsType<AppRemoval.Busy>(removal).DeploymentId);
        Assert.Equal(second.Id, await _bench.CurrentAsync("web"));
        var container = Assert.Single(_bench.Engine.Containers);
        Assert.Equal(("deployer-web-2", ContainerStatus.Running), (container.Name, container.Status));
    }

    [Fact]
    public async Task Sweep_StoppedApp_LeavesItStopped()
    {
        await _bench.DeployAsync("web", null);
        await Operations.StopAsync("web", CancellationToken.None);
        await _bench.CompleteAsync(_bench.Get<Core.Runner.Caretaker>().LookAsync(CancellationToken.None));

        Assert.Equal(ContainerStatus.Exited, Assert.Single(_bench.Engine.Containers).Status);
    }

    [Fact]
    public async Task Deploy_StoppedApp_MakesItRunAgain()
    {
        await _bench.DeployAsync("web", null);
        await Operations.StopAsync("web", CancellationToken.None);
        await _bench.DeployAsync("web", null);

        Assert.Equal("deployer-web-2", Assert.Single(_bench.Engine.Containers).Name);
        Assert.Null((await LookAsync())!.StoppedAt);
    }

    [Fact]
    public async Task Deploy_StoppedAppEndsDuringADeploymentThatFails_StaysStopped()
    {
        await _bench.DeployAsync("web", null);
        var ends = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _bench.Engine.Before("stop", (_, _) => ends.Task);
        var stopping = Operations.StopAsync("web", CancellationToken.None);
        _bench.Engine.Before("pull", async (_, _) =>
        {
            ends.TrySetResult();
            await stopping;
            throw new EngineException(FailureCode.ImageNotFound, "no such image", inner: null);
        });

        var failed = await _bench.DeployAsync("web", null);

        Assert.Equal(DeploymentStatus.Failed, failed.Status);
        Assert.Contains(
            "system|The app was stopped, though deployer-web-1 still runs; whatever comes of this deployment, it is not started again",
            await _bench.LinesAsync(failed.Id));
        Assert.Equal(("deployer-web-1", ContainerStatus.Exited), (Assert.Single(_bench.Engine.Containers).Name, _bench.Engine.Containers[0].Status));
        Assert.NotNull((await LookAsync())!.StoppedAt);
    }

    [Fact]
    public async Task Operate_WhatCannotBe_SaysWhy()
    {
        Assert.Equal(OperationResult.AppUnknown, await Operations.StopAsync("nope", CancellationToken.None));
        Assert.Equal(OperationResult.NotDeployed, await Operations.StopAsync("web", CancellationToken.None));

        var first = await _bench.DeployAsync("web", null);
        _bench.Engine.Before("pull", (_, cancellationToken) => Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken));
        var id = await _bench.EnqueueAsync("web", null);
        var run = await _bench.BeginAsync(id, CancellationToken.None);
        Assert.Equal(OperationResult.Busy, await Operations.RestartAsync("web", CancellationToken.None));
        await _bench.Queue.CancelAsync(id, "tester", CancellationToken.None);
        await _bench.CompleteAsync(run);

        await _bench.Engine.RemoveContainerAsync(first.ContainerId!, CancellationToken.None);
        Assert.Equal(OperationResult.ContainerGone, await Operations.StartAsync("web", CancellationToken.None));
    }

    [Fact]
    public async Task Look_ContainerRemovedOrStoppedBySomebodyElse_ShowsTheDrift()
    {
        var first = await _bench.DeployAsync("web", null);
        Assert.Empty((await LookAsync())!.Drifts);

        await _bench.Engine.StopContainerAsync(first.ContainerId!, TimeSpan.Zero, CancellationToken.None);
        Assert.Equal([DriftKind.NotRunning], (await LookAsync())!.Drifts.Select(drift => drift.Kind));

        await _bench.Engine.RenameContainerAsync(first.ContainerId!, "mine", CancellationToken.None);
        Assert.Equal([DriftKind.NotRunning, DriftKind.Renamed], (await LookAsync())!.Drifts.Select(drift => drift.Kind));

        await _bench.Engine.RemoveContainerAsync(first.ContainerId!, CancellationToken.None);
        Assert.Equal([DriftKind.Removed], (await LookAsync())!.Drifts.Select(drift => drift.Kind));
        Assert.Null(await _bench.Get<DriftReader>().FindAsync("nope", CancellationToken.None));
    }

    private Task<AppRuntime?> LookAsync() => _bench.Get<DriftReader>().FindAsync("web", CancellationToken.None);
}
