using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Runner;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Runner;

/// <summary>What a crash in the midst of a deployment leaves, and what the next start makes of it.</summary>
public sealed class LeftoverSettlerTests : IAsyncLifetime
{
    private const string Image = "registry.test/web:v1";

    private RunnerBench _bench = null!;

    public async ValueTask InitializeAsync()
    {
        _bench = await RunnerBench.CreateAsync();
        _bench.Engine.Push(new FakeImage(Image));
        await _bench.AddAppAsync("web", new AppSpec { Image = Image });
        await _bench.AddAppAsync("fixed", new AppSpec { Image = Image, Ports = [new PortSpec(8080, 9000)] });
    }

    public async ValueTask DisposeAsync() => await _bench.DisposeAsync();

    [Theory]
    [InlineData("web", "describe", StepKind.Prepare)]
    [InlineData("web", "pull", StepKind.Pull)]
    [InlineData("web", "create", StepKind.Start)]
    [InlineData("web", "start", StepKind.Start)]
    [InlineData("web", "find", StepKind.HealthCheck)]
    [InlineData("fixed", "describe", StepKind.Prepare)]
    [InlineData("fixed", "pull", StepKind.Pull)]
    [InlineData("fixed", "create", StepKind.Start)]
    [InlineData("fixed", "stop", StepKind.Start)]
    [InlineData("fixed", "start", StepKind.Start)]
    [InlineData("fixed", "find", StepKind.HealthCheck)]
    public async Task Settle_CrashBeforeTheSwitch_FailsInterruptedWithTheOldServing(string app, string verb, StepKind step)
    {
        var first = await _bench.DeployAsync(app, null);
        var id = await CrashAtAsync(app, verb);
        await using var next = _bench.Restart();
        await next.CompleteAsync(next.Get<RunnerStartup>().SettleAsync(CancellationToken.None));

        var settled = await next.ViewAsync(id);
        Assert.Equal((DeploymentStatus.Failed, FailureCode.Interrupted), (settled.Status, settled.Failure?.Code));
        Assert.Equal(StepState.Failed, settled.Steps.Single(row => row.Kind == step).State);
        Assert.StartsWith($"Deployer stopped during the step {FailureRules.Name(step)}", settled.Failure!.Cause, StringComparison.Ordinal);
        var container = Assert.Single(_bench.Engine.Containers);
        Assert.Equal((first.ContainerId, ContainerStatus.Running), (container.Id, container.Status));
        Assert.Equal(first.Id, await next.CurrentAsync(app));
        Assert.Contains(await next.LinesAsync(id), line => line.StartsWith("system|Deployer stopped", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("stop")]
    [InlineData("remove")]
    public async Task Settle_CrashAfterTheSwitch_FinishesTheDeployment(string verb)
    {
        await _bench.DeployAsync("web", null);
        var id = await CrashAtAsync("web", verb);
        await using var next = _bench.Restart();
        await next.CompleteAsync(next.Get<RunnerStartup>().SettleAsync(CancellationToken.None));
        Assert.Equal(DeploymentStatus.Succeeded, (await next.ViewAsync(id)).Status);

        await next.StartAsync();
        await next.UntilAsync(() => Task.FromResult(_bench.Engine.Containers.Count == 1));
        var container = Assert.Single(_bench.Engine.Containers);
        Assert.Equal(("deployer-web-2", ContainerStatus.Running), (container.Name, container.Status));
        Assert.Equal(id, await next.CurrentAsync("web"));
    }

    [Fact]
    public async Task Settle_CrashAfterTheSwitchAndNewContainerDied_GoesBackToTheOld()
    {
        var first = await _bench.DeployAsync("web", null);
        var id = await CrashAtAsync("web", "stop");
        _bench.Engine.Running("deployer-web-2").Exit(1);
        await using var next = _bench.Restart();
        await next.CompleteAsync(next.Get<RunnerStartup>().SettleAsync(CancellationToken.None));

        Assert.Equal(DeploymentStatus.Failed, (await next.ViewAsync(id)).Status);
        Assert.Equal(first.Id, await next.CurrentAsync("web"));
        Assert.Equal(first.ContainerId, Assert.Single(_bench.Engine.Containers).Id);
    }

    [Fact]
    public async Task Settle_EngineDown_FailsNowAndPutsContainersRightWhenItIsBack()
    {
        var first = await _bench.DeployAsync("fixed", null);
        var id = await CrashAtAsync("fixed", "start");
        _bench.Engine.IsDown = true;
        await using var next = _bench.Restart();
        await next.CompleteAsync(next.Get<RunnerStartup>().SettleAsync(CancellationToken.None));
        Assert.Equal((DeploymentStatus.Failed, FailureCode.Interrupted), ((await next.ViewAsync(id)).Status, (await next.ViewAsync(id)).Failure?.Code));

        _bench.Engine.IsDown = false;
        await next.StartAsync();
        await next.UntilAsync(async () => !(await next.RowAsync(id)).UndoPending);

        var container = Assert.Single(_bench.Engine.Containers);
        Assert.Equal((first.ContainerId, ContainerStatus.Running), (container.Id, container.Status));
    }

    [Fact]
    public async Task Settle_EngineDownAfterTheSwitch_WaitsForTheEngineToTellTheTruth()
    {
        await _bench.DeployAsync("web", null);
        var id = await CrashAtAsync("web", "stop");
        _bench.Engine.IsDown = true;
        await using var next = _bench.Restart();
        await next.CompleteAsync(next.Get<RunnerStartup>().SettleAsync(CancellationToken.None));
        Assert.Equal(DeploymentStatus.Running, (await next.ViewAsync(id)).Status);

        _bench.Engine.IsDown = false;
        await next.StartAsync();
        await next.UntilAsync(async () => (await next.ViewAsync(id)).Status.IsFinal());

        Assert.Equal(DeploymentStatus.Succeeded, (await next.ViewAsync(id)).Status);
    }

    [Fact]
    public async Task Settle_CanceledWhileHealthIsAwaited_GoesBackAtOnce()
    {
        var first = await _bench.DeployAsync("web", null);
        var id = await CrashAtAsync("web", "stop");
        _bench.Engine.Running("deployer-web-2").Report(ContainerHealth.Starting, 0, null);
        await using var next = _bench.Restart();
        var settling = next.Get<Caretaker>().LookAsync(CancellationToken.None);
        await next.UntilAsync(async () => string.Equals((await next.RowAsync(id)).Worker, next.Get<WorkerIdentity>().Name, StringComparison.Ordinal));
        await next.Queue.CancelAsync(id, "tester", CancellationToken.None);
        await next.CompleteAsync(settling);

        Assert.Equal(DeploymentStatus.Canceled, (await next.ViewAsync(id)).Status);
        Assert.Equal(first.Id, await next.CurrentAsync("web"));
        var container = Assert.Single(_bench.Engine.Containers);
        Assert.Equal((first.ContainerId, ContainerStatus.Running), (container.Id, container.Status));
    }

    [Fact]
    public async Task Care_WhileTheHealthOfOneAppIsAwaited_PutsTheOthersRight()
    {
        await _bench.DeployAsync("fixed", null);
        _bench.Engine.Before("start", (_, _) =>
        {
            _bench.Engine.IsDown = true;
            return Task.CompletedTask;
        });
        var owing = (await _bench.DeployAsync("fixed", null)).Id;
        _bench.Engine.Allow("start");
        _bench.Engine.IsDown = false;
        Assert.True((await _bench.RowAsync(owing)).UndoPending);
        await _bench.DeployAsync("web", null);
        var id = await CrashAtAsync("web", "stop");
        _bench.Engine.Running("deployer-web-2").Report(ContainerHealth.Starting, 0, null);

        await using var next = _bench.Restart();
        await next.StartAsync();
        await next.UntilAsync(async () => !(await next.RowAsync(owing)).UndoPending);
        Assert.Equal(DeploymentStatus.Running, (await next.ViewAsync(id)).Status);
        Assert.Equal(ContainerStatus.Running, _bench.Engine.Running("deployer-fixed-1").Status);

        _bench.Engine.Running("deployer-web-2").Report(ContainerHealth.Healthy, 0, null);
        await next.UntilAsync(async () => (await next.ViewAsync(id)).Status.IsFinal());
        Assert.Equal(DeploymentStatus.Succeeded, (await next.ViewAsync(id)).Status);
    }

    [Fact]
    public async Task Settle_WorkerAlive_LeavesItsDeploymentAlone()
    {
        _bench.Engine.Before("pull", (_, cancellationToken) => Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken));
        var id = await _bench.EnqueueAsync("web", null);
        var run = await _bench.BeginAsync(id, CancellationToken.None);
        await _bench.UntilAsync(async () => (await _bench.ViewAsync(id)).Steps[1].State == StepState.Running);
        await using var other = _bench.Restart();
        await other.CompleteAsync(other.Get<RunnerStartup>().SettleAsync(CancellationToken.None));

        Assert.Equal(DeploymentStatus.Running, (await _bench.ViewAsync(id)).Status);
        await _bench.Queue.CancelAsync(id, "tester", CancellationToken.None);
        await _bench.CompleteAsync(run);
    }

    [Fact]
    public async Task Settle_LeaseRanOut_TakesOverAndTheOldWorkerLetsGo()
    {
        _bench.Engine.Before("pull", (_, cancellationToken) => Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken));
        var id = await _bench.EnqueueAsync("web", null);
        var run = await _bench.BeginAsync(id, CancellationToken.None);
        await _bench.UntilAsync(async () => (await _bench.ViewAsync(id)).Steps[1].State == StepState.Running);
        _bench.Die();
        await using var other = _bench.Restart();
        await other.CompleteAsync(other.Get<RunnerStartup>().SettleAsync(CancellationToken.None));
        _bench.Time.Advance(TimeSpan.FromMinutes(4));
        await _bench.CompleteAsync(run);

        Assert.Equal(FailureCode.Interrupted, (await other.ViewAsync(id)).Failure?.Code);
    }

    [Fact]
    public async Task Sweep_StrangersAndRunningDeployments_AreNotTouched()
    {
        await _bench.DeployAsync("web", null);
        var strangers = new[]
        {
            new Dictionary<string, string>(StringComparer.Ordinal) { ["deployer.app"] = "web", ["deployer.deployment"] = "1" },
            new Dictionary<string, string>(StringComparer.Ordinal) { ["deployer.instance"] = "another", ["deployer.app"] = "web", ["deployer.deployment"] = "1" },
            new Dictionary<string, string>(StringComparer.Ordinal),
        };
        foreach (var (labels, index) in strangers.Select((labels, index) => (labels, index)))
        {
            await _bench.Engine.CreateContainerAsync(
                new ContainerPlan($"stranger-{index}", "sha256:x", new AppSpec { Image = Image }, new Dictionary<string, string>(StringComparer.Ordinal), labels, null),
                CancellationToken.None);
        }

        var care = _bench.Get<Caretaker>();
        await _bench.CompleteAsync(care.LookAsync(CancellationToken.None));

        Assert.Equal(["deployer-web-1", "stranger-0", "stranger-1", "stranger-2"], _bench.Engine.Containers.Select(container => container.Name));
    }

    [Fact]
    public async Task Sweep_OneAppCannotBePutRight_TheOthersAre()
    {
        var owing = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var app in new[] { "fixed", "web" })
        {
            await _bench.DeployAsync(app, null);
            _bench.Engine.Before("start", (_, _) =>
            {
                _bench.Engine.IsDown = true;
                return Task.CompletedTask;
            });
            owing[app] = (await _bench.DeployAsync(app, null)).Id;
            _bench.Engine.Allow("start");
            _bench.Engine.IsDown = false;
        }

        _bench.Engine.Refuse("start", FailureCode.PortInUse, "port is already allocated");
        await _bench.CompleteAsync(_bench.Get<Caretaker>().LookAsync(CancellationToken.None));

        Assert.True((await _bench.RowAsync(owing["fixed"])).UndoPending);
        Assert.False((await _bench.RowAsync(owing["web"])).UndoPending);
        Assert.Equal(["deployer-fixed-1", "deployer-web-1"], _bench.Engine.Containers.Select(container => container.Name));
    }

    /// <summary>A deployment that hangs in a verb for ever, in the hands of a worker that is gone.</summary>
    private async Task<long> CrashAtAsync(string app, string verb)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _bench.Engine.Before(verb, async (_, _) =>
        {
            reached.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, CancellationToken.None);
        });
        var id = await _bench.EnqueueAsync(app, null);
        _ = await _bench.BeginAsync(id, CancellationToken.None);
        await _bench.CompleteAsync(reached.Task);
        _bench.Die();
        _bench.Engine.Allow(verb);
        return id;
    }
}
