using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Logs;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Runner;

/// <summary>Deployments that a person cancels, or that Deployer's own stop interrupts, with a scripted engine.</summary>
public sealed class InterruptedDeploymentTests : IAsyncLifetime
{
    private const string Image = "registry.test/web:v1";

    private RunnerBench _bench = null!;

    private FakeContainerEngine Engine => _bench.Engine;

    public async ValueTask InitializeAsync()
    {
        _bench = await RunnerBench.CreateAsync();
        Engine.Push(new FakeImage(Image) { OnStart = container => container.Write(LogStream.Stdout, "listening") });
        await _bench.AddAppAsync("web", new AppSpec { Image = Image });
    }

    public async ValueTask DisposeAsync() => await _bench.DisposeAsync();

    [Theory]
    [InlineData("describe")]
    [InlineData("pull")]
    [InlineData("layer")]
    [InlineData("network")]
    [InlineData("create")]
    [InlineData("start")]
    [InlineData("find")]
    [InlineData("stop")]
    public async Task Execute_CanceledAnywhere_EndsCanceledWithTheOldServing(string verb)
    {
        await _bench.AddAppAsync("fixed", new AppSpec { Image = Image, Ports = [new PortSpec(8080, 9000)] });
        var first = await _bench.DeployAsync("fixed", null);
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Engine.Before(verb, async (_, cancellationToken) =>
        {
            // What undoes the deployment may use the verb; only the deployment itself hangs in it.
            if (reached.TrySetResult())
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            }
        });
        var id = await _bench.EnqueueAsync("fixed", null);
        var run = await _bench.BeginAsync(id, CancellationToken.None);
        await _bench.CompleteAsync(reached.Task);

        Assert.Equal(CancelResult.Requested, await _bench.Queue.CancelAsync(id, "tester", CancellationToken.None));
        await _bench.CompleteAsync(run);

        var canceled = await _bench.ViewAsync(id);
        Assert.Equal(DeploymentStatus.Canceled, canceled.Status);
        Assert.Null(canceled.Failure);
        Assert.Contains(StepState.Canceled, canceled.Steps.Select(step => step.State));
        var container = Assert.Single(Engine.Containers);
        Assert.Equal((first.ContainerId, ContainerStatus.Running), (container.Id, container.Status));
        Assert.Equal(first.Id, await _bench.CurrentAsync("fixed"));
    }

    [Fact]
    public async Task Execute_CanceledWhileTheOldIsStoppedAfterTheSwitch_GoesBackToTheOld()
    {
        var first = await _bench.DeployAsync("web", null);
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Engine.Before("stop", async (_, cancellationToken) =>
        {
            if (reached.TrySetResult())
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            }
        });
        var id = await _bench.EnqueueAsync("web", null);
        var run = await _bench.BeginAsync(id, CancellationToken.None);
        await _bench.CompleteAsync(reached.Task);
        Assert.Equal(id, await _bench.CurrentAsync("web"));

        await _bench.Queue.CancelAsync(id, "tester", CancellationToken.None);
        await _bench.CompleteAsync(run);

        Assert.Equal(DeploymentStatus.Canceled, (await _bench.ViewAsync(id)).Status);
        Assert.Equal(first.Id, await _bench.CurrentAsync("web"));
        AssertOnlyOldServes();
    }

    [Fact]
    public async Task Execute_ShutDown_EndsInterruptedWithTheOldServing()
    {
        await _bench.DeployAsync("web", null);
        using var shutdown = new CancellationTokenSource();
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Engine.Before("layer", async (_, cancellationToken) =>
        {
            reached.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        });
        var id = await _bench.EnqueueAsync("web", null);
        var run = await _bench.BeginAsync(id, shutdown.Token);
        await _bench.CompleteAsync(reached.Task);
        await shutdown.CancelAsync();
        await _bench.CompleteAsync(run);

        var failed = await _bench.ViewAsync(id);
        Assert.Equal((FailureCode.Interrupted, "Deployer stopped during the step Pull."), (failed.Failure!.Code, failed.Failure.Cause));
        AssertOnlyOldServes();
    }

    private void AssertOnlyOldServes()
    {
        var container = Assert.Single(Engine.Containers);
        Assert.Equal(("deployer-web-1", ContainerStatus.Running), (container.Name, container.Status));
    }
}
