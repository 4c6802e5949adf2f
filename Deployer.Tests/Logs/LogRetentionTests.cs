using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using NodaTime;

namespace Deployer.Tests.Logs;

public sealed class LogRetentionTests : IAsyncDisposable
{
    private static readonly Instant Now = Instant.FromUtc(2026, 6, 1, 12, 0);

    private readonly LogTestBed _bed = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Fact]
    public async Task RemoveDueAsync_ByAge_RemovesOldLogsAndKeepsTheDeployments()
    {
        var store = _bed.OpenStore();
        var (old, young) = (await AddAsync(store, 30, 1), await AddAsync(store, 2, 1));

        Assert.Equal(1, await RemoveAsync(store, new LogRetentionOptions { MaxAgeDays = 7 }));

        Assert.Equal((0L, 5_000L), (await LinesAsync(store, old), await LinesAsync(store, young)));
        var page = await store.GetLogsAfter(old, after: null, 10, Cancel);
        Assert.Equal((true, 0), (page!.Complete, page.Lines.Count));
        await using var db = _bed.CreateDbContext();
        Assert.Equal(Now, await db.Deployments.Where(row => row.Id == old).Select(row => row.LogRemovedAt).SingleAsync(Cancel));
        Assert.Equal(0, await db.Set<LogRun>().CountAsync(run => run.DeploymentId == old, Cancel));
        Assert.Equal(0, await db.Set<LogChapter>().CountAsync(chapter => chapter.DeploymentId == old, Cancel));
        Assert.Equal(0, await db.Set<LogTotals>().CountAsync(totals => totals.DeploymentId == old, Cancel));
    }

    [Fact]
    public async Task RemoveDueAsync_CurrentPinnedOrRunning_IsKept()
    {
        var store = _bed.OpenStore();
        var deployments = new List<long>();
        for (var index = 0; index < 3; index++)
        {
            deployments.Add(await AddAsync(store, 300, 1));
        }

        await using (var db = _bed.CreateDbContext())
        {
            await db.Deployments.Where(row => row.Id == deployments[0]).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.Pinned, true), Cancel);
            await db.Apps.ExecuteUpdateAsync(set => set.SetProperty(app => app.CurrentDeploymentId, deployments[1]), Cancel);
            await db.Deployments.Where(row => row.Id == deployments[2]).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.Status, DeploymentStatus.Running), Cancel);
        }

        Assert.Equal(0, await RemoveAsync(store, new LogRetentionOptions { MaxAgeDays = 1, MaxPerApp = 1, MaxTotalMegabytes = 1 }));
    }

    [Fact]
    public async Task RemoveDueAsync_ByCount_KeepsTheNewestOfEachApp()
    {
        var store = _bed.OpenStore();
        var first = new List<long>();
        var second = new List<long>();
        for (var age = 4; age > 0; age--)
        {
            first.Add(await AddAsync(store, age, 1));
            second.Add(await AddAsync(store, age + 10, 2));
        }

        Assert.Equal(4, await RemoveAsync(store, new LogRetentionOptions { MaxPerApp = 2 }));

        foreach (var app in new[] { first, second })
        {
            var lines = await Task.WhenAll(app.Select(id => LinesAsync(store, id)));
            Assert.Equal([0, 0, 5_000, 5_000], lines);
        }
    }

    [Fact]
    public async Task RemoveDueAsync_ByTotalBytes_RemovesTheOldestUntilItFits()
    {
        var store = _bed.OpenStore();
        var old = await AddAsync(store, 3, 1, random: true);
        var young = await AddAsync(store, 1, 1, random: true);

        Assert.Equal(1, await RemoveAsync(store, new LogRetentionOptions { MaxTotalMegabytes = 1 }));

        Assert.Equal((0L, 5_000L), (await LinesAsync(store, old), await LinesAsync(store, young)));
    }

    [Fact]
    public async Task RemoveDueAsync_RemovalCutShort_IsFinishedAndShowsNoGapBefore()
    {
        var store = _bed.OpenStore();
        var deployment = await AddAsync(store, 30, 1);
        await using (var db = _bed.CreateDbContext())
        {
            await db.Deployments.Where(row => row.Id == deployment).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.LogRemovedAt, Now), Cancel);
            await db.Set<LogRun>().Where(run => run.FirstLine < 1_000).ExecuteDeleteAsync(Cancel);
        }

        Assert.Empty((await store.GetLogsAfter(deployment, after: null, 10, Cancel))!.Lines);
        Assert.Empty((await store.GetLogsTail(deployment, 10, Cancel))!.Lines);
        Assert.Empty((await store.GetLogsRange(deployment, 2_000, 10, Cancel))!.Lines);

        await RemoveAsync(store, new LogRetentionOptions());

        await using var after = _bed.CreateDbContext();
        Assert.Equal(0, await after.Set<LogRun>().CountAsync(Cancel));
    }

    [Fact]
    public async Task ListAsync_SealedAndRunning_CountsBoth()
    {
        var store = _bed.OpenStore();
        await AddAsync(store, 1, 1);
        var running = await _bed.AddDeploymentAsync(1, DeploymentStatus.Running, Now);
        await store.AppendLog(running, LogStream.System, StepKind.Prepare, "one more", Cancel);
        await _bed.AddDeploymentAsync();

        var usage = await new LogUsage(_bed).ListAsync(Cancel);

        Assert.Equal([("app-1", 2, 5_001L), ("app-2", 0, 0L)], usage.Select(app => (app.App, app.Deployments, app.Lines)));
        Assert.True(usage[0].StoredBytes < usage[0].RawBytes);
    }

    private async Task<int> RemoveAsync(LogStore store, LogRetentionOptions limits)
    {
        using var retention = new LogRetention(
            store, _bed, _bed.Feed, Options.Create(new LogOptions { Retention = limits }), new FakeTimeProvider(Now.ToDateTimeOffset()),
            NullLogger<LogRetention>.Instance);
        return await retention.RemoveDueAsync(Cancel);
    }

    /// <summary>Adds an ended, sealed deployment of the n-th app.</summary>
    private async Task<long> AddAsync(LogStore store, int daysAgo, int app, bool random = false)
    {
        await using (var db = _bed.CreateDbContext())
        {
            while (await db.Apps.CountAsync(Cancel) < app)
            {
                await _bed.AddDeploymentAsync(DeploymentStatus.Succeeded, "web");
            }
        }

        var deployment = await _bed.AddDeploymentAsync(app, DeploymentStatus.Queued, Now);
        await using (var appender = store.Open(deployment, []))
        {
            for (var line = 0; line < 5_000; line++)
            {
                await appender.AppendAsync(
                    LogStream.Stdout, StepKind.Start,
                    random ? Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(120)) : $"line {line}", Cancel);
            }
        }

        await using (var db = _bed.CreateDbContext())
        {
            await db.Deployments.Where(row => row.Id == deployment).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.Status, DeploymentStatus.Succeeded)
                    .SetProperty(row => row.EndedAt, Now - Duration.FromDays(daysAgo)),
                Cancel);
        }

        await LogSealingTests.SealAsync(_bed, store);
        return deployment;
    }

    private static async Task<long> LinesAsync(LogStore store, long deployment) => (await store.GetExtent(deployment, Cancel))!.Lines;
}
