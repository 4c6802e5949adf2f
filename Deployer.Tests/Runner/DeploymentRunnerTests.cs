using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Runner;

/// <summary>Which deployments run when, and how the runner stops.</summary>
public sealed class DeploymentRunnerTests : IAsyncLifetime
{
    private const string Image = "registry.test/web:v1";

    private RunnerBench _bench = null!;

    public async ValueTask InitializeAsync()
    {
        _bench = await RunnerBench.CreateAsync(new(StringComparer.Ordinal) { ["Runner:MaxConcurrent"] = "2" });
        _bench.Engine.Push(new FakeImage(Image));
    }

    public async ValueTask DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task Runner_SeveralOfOneApp_RunOneAfterTheOtherOldestFirst()
    {
        await _bench.AddAppAsync("web", new AppSpec { Image = Image });
        var ids = new[] { await _bench.EnqueueAsync("web", null), await _bench.EnqueueAsync("web", null), await _bench.EnqueueAsync("web", null) };
        await _bench.StartAsync();
        await _bench.UntilAsync(() => EndedAsync(ids));

        var deployments = await Task.WhenAll(ids.Select(_bench.ViewAsync));
        Assert.All(deployments, deployment => Assert.Equal(DeploymentStatus.Succeeded, deployment.Status));
        Assert.True(deployments[0].EndedAt <= deployments[1].StartedAt);
        Assert.True(deployments[1].EndedAt <= deployments[2].StartedAt);
        Assert.Equal("deployer-web-3", Assert.Single(_bench.Engine.Containers).Name);
    }

    [Fact]
    public async Task Runner_ManyApps_RunsAsManyAtATimeAsAllowed()
    {
        using var gate = new SemaphoreSlim(0);
        var inside = 0;
        var most = 0;
        _bench.Engine.Before("pull", async (_, cancellationToken) =>
        {
            most = Math.Max(most, Interlocked.Increment(ref inside));
            await gate.WaitAsync(cancellationToken);
            Interlocked.Decrement(ref inside);
        });
        var ids = new List<long>();
        foreach (var name in new[] { "a", "b", "c", "d" })
        {
            await _bench.AddAppAsync(name, new AppSpec { Image = Image });
            ids.Add(await _bench.EnqueueAsync(name, null));
        }

        await _bench.StartAsync();
        await _bench.UntilAsync(() => Task.FromResult(Volatile.Read(ref inside) == 2));
        Assert.Equal(
            [DeploymentStatus.Running, DeploymentStatus.Running, DeploymentStatus.Queued, DeploymentStatus.Queued],
            (await Task.WhenAll(ids.Select(_bench.ViewAsync))).Select(deployment => deployment.Status));
        gate.Release(4);
        await _bench.UntilAsync(() => EndedAsync(ids));

        Assert.Equal(2, most);
    }

    [Fact]
    public async Task Runner_RunningOneCanceled_NextOfTheAppBegins()
    {
        await _bench.AddAppAsync("web", new AppSpec { Image = Image });
        var hung = false;
        _bench.Engine.Before("layer", async (_, cancellationToken) =>
        {
            if (!hung)
            {
                hung = true;
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            }
        });
        var first = await _bench.EnqueueAsync("web", null);
        var next = await _bench.EnqueueAsync("web", null);
        await _bench.StartAsync();
        await _bench.UntilAsync(() => Task.FromResult(hung));
        Assert.Equal(CancelResult.Requested, await _bench.Queue.CancelAsync(first, "tester", CancellationToken.None));
        await _bench.UntilAsync(() => EndedAsync([first, next]));

        Assert.Equal(DeploymentStatus.Canceled, (await _bench.ViewAsync(first)).Status);
        Assert.Equal(DeploymentStatus.Succeeded, (await _bench.ViewAsync(next)).Status);
    }

    [Fact]
    public async Task Claim_ByTwoWorkers_OnlyOneWins()
    {
        await _bench.AddAppAsync("web", new AppSpec { Image = Image });
        var first = await _bench.EnqueueAsync("web", null);
        var second = await _bench.EnqueueAsync("web", null);
        var ledger = _bench.Get<DeploymentLedger>();

        var claims = await Task.WhenAll(new[] { "a", "b" }.Select(
            worker => Task.Run(() => ledger.ClaimAsync(first, worker, TimeSpan.FromMinutes(1), CancellationToken.None))));

        Assert.Single(claims, claim => claim is not null);
        Assert.Null(await ledger.ClaimAsync(second, "c", TimeSpan.FromMinutes(1), CancellationToken.None));
        Assert.Empty(await ledger.FindClaimableAsync(10, CancellationToken.None));
    }

    [Fact]
    public async Task Runner_Stopped_LetsARunningDeploymentFinish()
    {
        await _bench.AddAppAsync("web", new AppSpec { Image = Image });
        var id = await _bench.EnqueueAsync("web", null);
        await _bench.StartAsync();
        await _bench.UntilAsync(async () => (await _bench.ViewAsync(id)).Steps[3].State == StepState.Running);
        await _bench.StopAsync();

        Assert.Equal(DeploymentStatus.Succeeded, (await _bench.ViewAsync(id)).Status);
    }

    [Fact]
    public async Task Runner_StoppedAndTheGraceRunsOut_EndsInterrupted()
    {
        await _bench.AddAppAsync("web", new AppSpec { Image = Image });
        _bench.Engine.Before("pull", (_, cancellationToken) => Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken));
        var id = await _bench.EnqueueAsync("web", null);
        await _bench.StartAsync();
        await _bench.UntilAsync(async () => (await _bench.ViewAsync(id)).Steps[1].State == StepState.Running);
        await _bench.StopAsync();

        var ended = await _bench.ViewAsync(id);
        Assert.Equal((DeploymentStatus.Failed, FailureCode.Interrupted), (ended.Status, ended.Failure?.Code));
    }

    [Fact]
    public async Task Runner_EngineDownThenBack_NextDeploymentSucceeds()
    {
        await _bench.AddAppAsync("web", new AppSpec { Image = Image });
        _bench.Engine.IsDown = true;
        var failed = await _bench.EnqueueAsync("web", null);
        await _bench.StartAsync();
        await _bench.UntilAsync(() => EndedAsync([failed]));
        Assert.Equal(FailureCode.EngineUnreachable, (await _bench.ViewAsync(failed)).Failure?.Code);

        _bench.Engine.IsDown = false;
        var good = await _bench.EnqueueAsync("web", null);
        await _bench.UntilAsync(() => EndedAsync([good]));

        Assert.Equal(DeploymentStatus.Succeeded, (await _bench.ViewAsync(good)).Status);
        Assert.Equal(ContainerStatus.Running, Assert.Single(_bench.Engine.Containers).Status);
    }

    private async Task<bool> EndedAsync(IEnumerable<long> ids)
    {
        foreach (var id in ids)
        {
            if (!(await _bench.ViewAsync(id)).Status.IsFinal())
            {
                return false;
            }
        }

        return true;
    }
}
