using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Environments;
using Deployer.Tests.Fakes;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Tests.Deployments;

/// <summary>Requests to deploy and to cancel, on a real database.</summary>
public sealed class DeploymentQueueTests : IAsyncLifetime
{
    private RunnerBench _bench = null!;

    public async ValueTask InitializeAsync()
    {
        _bench = await RunnerBench.CreateAsync();
        await _bench.AddAppAsync("web", new AppSpec { Image = "registry.test/web:v1", MemoryMb = 64 });
    }

    public async ValueTask DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task Enqueue_KnownApp_KeepsASnapshotWithSixPendingSteps()
    {
        var queued = await QueueAsync(new DeploymentRequest("registry.test/web:v2", "release", "ann", null));

        var deployment = Assert.IsType<EnqueueResult.Queued>(queued).Deployment;
        Assert.Equal(("web", 1, DeploymentStatus.Queued), (deployment.App, deployment.Number, deployment.Status));
        Assert.Equal(("registry.test/web:v2", 64), (deployment.Image, deployment.Spec.MemoryMb));
        Assert.Equal(("release", "ann"), (deployment.Reason, deployment.RequestedBy));
        Assert.Equal(Enum.GetValues<StepKind>(), deployment.Steps.Select(step => step.Kind));
        Assert.All(deployment.Steps, step => Assert.Equal(StepState.Pending, step.State));
    }

    [Fact]
    public async Task Enqueue_FromManyAtOnce_NumbersWithoutGapOrDouble()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => QueueAsync(new DeploymentRequest(null, null, null, null)))));

        Assert.Equal(Enumerable.Range(1, 20), results.Cast<EnqueueResult.Queued>().Select(result => result.Deployment.Number).Order());
    }

    [Fact]
    public async Task Enqueue_UnknownApp_SaysSo() =>
        Assert.IsType<EnqueueResult.AppUnknown>(
            await _bench.Queue.EnqueueAsync("nope", new DeploymentRequest(null, null, null, null), CancellationToken.None));

    [Fact]
    public async Task Enqueue_BadImage_ShowsTheBadPart()
    {
        var invalid = Assert.IsType<EnqueueResult.ImageInvalid>(await QueueAsync(new DeploymentRequest("registry.test/Web:v1", null, null, null)));

        Assert.Contains("'W' at character 15", invalid.Message, StringComparison.Ordinal);
        Assert.Empty(await _bench.Get<DeploymentReader>().ListAsync(new DeploymentFilter("web", null, null, 10), CancellationToken.None));
    }

    [Fact]
    public async Task Enqueue_SameKeyFromManyAtOnce_MakesOneDeployment()
    {
        var request = new DeploymentRequest(null, "release", "ann", "key-1");
        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => QueueAsync(request))));

        Assert.Single(results.OfType<EnqueueResult.Queued>());
        Assert.Equal(7, results.OfType<EnqueueResult.Replayed>().Count());
        Assert.IsType<EnqueueResult.KeyReused>(await QueueAsync(request with { Reason = "another" }));
    }

    [Fact]
    public async Task Cancel_Queued_EndsItAtOnce()
    {
        var id = await _bench.EnqueueAsync("web", null);

        Assert.Equal(CancelResult.Canceled, await _bench.Queue.CancelAsync(id, "ann", CancellationToken.None));
        Assert.Equal(CancelResult.AlreadyEnded, await _bench.Queue.CancelAsync(id, "ann", CancellationToken.None));
        Assert.Equal(CancelResult.Unknown, await _bench.Queue.CancelAsync(id + 1, "ann", CancellationToken.None));
        var canceled = await _bench.ViewAsync(id);
        Assert.Equal(DeploymentStatus.Canceled, canceled.Status);
        Assert.NotNull(canceled.EndedAt);
        Assert.All(canceled.Steps, step => Assert.Equal(StepState.Skipped, step.State));
        Assert.Contains("system|Canceled by ann before it began", await _bench.LinesAsync(id));
    }

    [Fact]
    public async Task Enqueue_PolicyReplace_SupersedesWhatWaits()
    {
        await _bench.AddAppAsync("eager", new AppSpec { Image = "registry.test/web:v1", WhenQueued = QueuePolicy.Replace });
        var first = await _bench.EnqueueAsync("eager", null);
        var second = await _bench.EnqueueAsync("eager", null);

        var superseded = await _bench.ViewAsync(first);
        Assert.Equal((DeploymentStatus.Superseded, second), (superseded.Status, superseded.SupersededBy));
        Assert.Contains("system|Superseded by #2 before it began", await _bench.LinesAsync(first));
        Assert.Equal([second], await _bench.Get<DeploymentLedger>().FindClaimableAsync(10, CancellationToken.None));
        Assert.Equal(CancelResult.AlreadyEnded, await _bench.Queue.CancelAsync(first, "ann", CancellationToken.None));
    }

    [Fact]
    public async Task Find_Queued_TellsPositionAndWhyItWaits()
    {
        await _bench.AddAppAsync("other", new AppSpec { Image = "registry.test/web:v1" });
        var first = await _bench.EnqueueAsync("web", null);
        var second = await _bench.EnqueueAsync("web", null);
        var third = await _bench.EnqueueAsync("other", null);

        Assert.Equal(new WaitingView(1, WaitReason.Runner, "Begins as soon as the runner has a hand free."), (await _bench.ViewAsync(first)).Waiting);
        Assert.Equal(new WaitingView(2, WaitReason.App, "Waits behind #1 of the same app."), (await _bench.ViewAsync(second)).Waiting);
        Assert.Equal(3, (await _bench.ViewAsync(third)).Waiting!.Position);

        Assert.NotNull(await _bench.Get<DeploymentLedger>().ClaimAsync(first, "worker", TimeSpan.FromMinutes(1), CancellationToken.None));
        Assert.Equal(new WaitingView(1, WaitReason.App, "Waits for #1 of the same app, which runs."), (await _bench.ViewAsync(second)).Waiting);
        Assert.Null((await _bench.ViewAsync(first)).Waiting);
    }

    [Fact]
    public async Task Claim_EnvironmentAtItsLimit_WaitsAndSaysSo()
    {
        await _bench.AddAppAsync("other", new AppSpec { Image = "registry.test/web:v1" });
        await using (var db = await _bench.Get<IDbContextFactory<DeployerDb>>().CreateDbContextAsync(CancellationToken.None))
        {
            db.Add(new EnvironmentRules { Name = "production", MaxConcurrent = 1, CreatedAt = _bench.Time.Now() });
            await db.SaveChangesAsync(CancellationToken.None);
        }

        var first = await _bench.EnqueueAsync("web", null);
        var second = await _bench.EnqueueAsync("other", null);
        var ledger = _bench.Get<DeploymentLedger>();

        Assert.NotNull(await ledger.ClaimAsync(first, "worker", TimeSpan.FromMinutes(1), CancellationToken.None));
        Assert.Null(await ledger.ClaimAsync(second, "worker", TimeSpan.FromMinutes(1), CancellationToken.None));
        Assert.Empty(await ledger.FindClaimableAsync(10, CancellationToken.None));
        Assert.Equal(
            new WaitingView(1, WaitReason.Environment, "Waits because 1 at a time may run in production."), (await _bench.ViewAsync(second)).Waiting);
    }

    [Fact]
    public async Task List_ByAppStatusAndBefore_GivesNewestFirst()
    {
        await _bench.AddAppAsync("other", new AppSpec { Image = "registry.test/web:v1" });
        var ids = new List<long>();
        foreach (var app in new[] { "web", "other", "web", "web" })
        {
            ids.Add(await _bench.EnqueueAsync(app, null));
        }

        await _bench.Queue.CancelAsync(ids[0], "ann", CancellationToken.None);
        var reader = _bench.Get<DeploymentReader>();

        Assert.Equal([ids[3], ids[2], ids[1], ids[0]], await IdsAsync(new DeploymentFilter(null, null, null, 10)));
        Assert.Equal([ids[3], ids[2]], await IdsAsync(new DeploymentFilter("web", DeploymentStatus.Queued, null, 10)));
        Assert.Equal([ids[2]], await IdsAsync(new DeploymentFilter("web", null, ids[3], 1)));
        Assert.Empty(await IdsAsync(new DeploymentFilter("nope", null, null, 10)));

        async Task<IEnumerable<long>> IdsAsync(DeploymentFilter filter) =>
            (await reader.ListAsync(filter, CancellationToken.None)).Select(deployment => deployment.Id);
    }

    private Task<EnqueueResult> QueueAsync(DeploymentRequest request) =>
        _bench.Queue.EnqueueAsync("web", request, CancellationToken.None);
}
