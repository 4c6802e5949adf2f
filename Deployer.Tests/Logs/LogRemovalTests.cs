using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using NodaTime;

namespace Deployer.Tests.Logs;

/// <summary>Removing a log in slices, beside writers and readers.</summary>
public sealed class LogRemovalTests : IAsyncDisposable
{
    private readonly LogTestBed _bed = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RemoveDueAsync_BesideConstantAppends_GetsDoneAndNobodySeesAGap(bool isSealed)
    {
        var store = _bed.OpenStore();
        var removed = await AddEndedAsync(store, 40_000, isSealed);
        var kept = await _bed.AddDeploymentAsync();
        using var stop = new CancellationTokenSource();
        Assert.Equal(40_000, (await store.GetLogsAfter(removed, after: null, 100_000, Cancel))!.Lines.Count);
        var written = Task.Run(() => AppendUntilAsync(store, kept, stop.Token), Cancel);
        var seen = Task.Run(() => LookUntilAsync(store, removed, stop.Token), Cancel);

        Assert.Equal(1, await RemoveAsync(store));
        await stop.CancelAsync();

        Assert.Empty((await seen).Except([0, 40_000]));
        var appended = await written;
        var oracle = new LogOracle();
        await foreach (var page in store.ReadAllAsync(kept, 777, Cancel))
        {
            oracle.See(page);
        }

        Assert.Equal(Enumerable.Range(1, appended).Select(line => $"{line}"), oracle.Lines.Select(line => line.Text));
        await AssertNothingLeftAsync(removed);
    }

    [Fact]
    public async Task RemoveDueAsync_CutShortAgainAndAgain_IsFinishedByTheNextAndHidesTheRest()
    {
        var store = _bed.OpenStore();
        var other = await AddEndedAsync(store, 3_000, isSealed: true);
        await using (var db = _bed.CreateDbContext())
        {
            await db.Deployments.Where(row => row.Id == other).ExecuteUpdateAsync(set => set.SetProperty(row => row.Pinned, true), Cancel);
        }

        var removed = await AddEndedAsync(store, 60_000, isSealed: false);
        var left = new List<int>();
        for (var cut = 0; cut < 3; cut++)
        {
            using var stop = new CancellationTokenSource();
            var steps = 0;
            await using (var db = _bed.CreateDbContext())
            {
                await db.Deployments.Where(row => row.Id == removed).ExecuteUpdateAsync(
                    set => set.SetProperty(row => row.LogRemovedAt, (Instant?)Instant.FromUtc(2026, 1, 1, 0, 0)), Cancel);
            }

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => LogSlices.RunAsync(
                store.Writer,
                connection =>
                {
                    if (++steps == 3)
                    {
                        stop.Cancel();
                    }

                    stop.Token.ThrowIfCancellationRequested();
                    return connection.RemoveRuns(removed, 2);
                },
                LogSlices.Budget,
                stop.Token));
            left.Add(await CountRunsAsync(removed));
            Assert.Empty((await store.GetLogsTail(removed, 10, Cancel))!.Lines);
            using var search = new LogSearch(store, TimeProvider.System);
            Assert.Equal(0, (await search.FindAsync(removed, Query, 1, backwards: false, 10, 0, Cancel))!.Total);
        }

        Assert.All(left, runs => Assert.InRange(runs, 1, 10_000));
        await RemoveAsync(store);

        await AssertNothingLeftAsync(removed);
        Assert.Equal(3_000, (await store.GetExtent(other, Cancel))!.Lines);
    }

    [Fact]
    public async Task RemoveOrphansAsync_AppDeleted_RemovesItsLogsAndNoOthers()
    {
        var store = _bed.OpenStore();
        var (sealedLog, openLog) = (await AddEndedAsync(store, 5_000, isSealed: true), await AddEndedAsync(store, 700, isSealed: false));
        var other = await AddEndedAsync(store, 900, isSealed: true);
        var running = await _bed.AddDeploymentAsync();
        await store.AppendLog(running, LogStream.System, StepKind.Prepare, "goes on", Cancel);
        await using (var db = _bed.CreateDbContext())
        {
            var apps = db.Deployments.Where(row => row.Id == sealedLog || row.Id == openLog).Select(row => row.AppId);
            await db.Apps.Where(app => apps.Contains(app.Id)).ExecuteDeleteAsync(Cancel);
        }

        using var search = new LogSearch(store, TimeProvider.System);
        var found = await search.FindAcrossAsync(Query, apps: null, after: null, 10, 0, Cancel);
        Assert.All(found.Matches, match => Assert.Equal(other, match.DeploymentId));

        await Retention(store).RemoveOrphansAsync(Cancel);

        await AssertNothingLeftAsync(sealedLog);
        await AssertNothingLeftAsync(openLog);
        Assert.Equal((900L, 1L), ((await store.GetExtent(other, Cancel))!.Lines, (await store.GetExtent(running, Cancel))!.Lines));
        Assert.Equal(10, (await search.FindAcrossAsync(Query, apps: null, after: null, 10, 0, Cancel)).Matches.Count);
    }

    [Fact]
    public async Task MergeIndex_ManyPiecesAndRemovals_FindsTheSameAfterwards()
    {
        var store = _bed.OpenStore();
        var logs = new List<long>();
        for (var log = 0; log < 12; log++)
        {
            logs.Add(await AddEndedAsync(store, 50, isSealed: true));
        }

        await store.Writer.InvokeAsync(connection => connection.RemoveRuns(logs[3], 100) || connection.RemoveRuns(logs[3], 100), Cancel);
        await LogSlices.RunAsync(store.Writer, static connection => connection.MergeIndex(1), LogSlices.Budget, Cancel);

        using var search = new LogSearch(store, TimeProvider.System);
        var found = await search.FindAcrossAsync(
            new LogQuery("needle 7 ", IsRegex: false, MatchCase: false), apps: null, after: null, 100, 0, Cancel);
        Assert.Equal(logs.Where(log => log != logs[3]).OrderDescending(), found.Matches.Select(match => match.DeploymentId));
        Assert.Equal(0, await store.Writer.InvokeAsync(
            connection => connection.Db.Database.SqlQuery<int>($"SELECT v AS Value FROM log_search_config WHERE k = 'automerge'").Single(), Cancel));
    }

    private static LogQuery Query => new("needle", IsRegex: false, MatchCase: false);

    private async Task<int> RemoveAsync(LogStore store) => await Retention(store).RemoveDueAsync(Cancel);

    private LogRetention Retention(LogStore store) => new(
        store, _bed, _bed.Feed, Options.Create(new LogOptions { Retention = new LogRetentionOptions { MaxAgeDays = 30, MaxTotalMegabytes = null } }),
        TimeProvider.System, NullLogger<LogRetention>.Instance);

    /// <summary>Adds a deployment that ended long ago and whose log is written as by a slow producer: many small runs.</summary>
    private async Task<long> AddEndedAsync(LogStore store, int lines, bool isSealed)
    {
        var deployment = await _bed.AddDeploymentAsync();
        await using (var appender = store.Open(deployment, []))
        {
            for (var line = 1; line <= lines; line++)
            {
                await appender.AppendAsync(LogStream.Stdout, StepKind.Start, $"needle {line} in the hay", Cancel);
            }
        }

        await using (var db = _bed.CreateDbContext())
        {
            await db.Deployments.Where(row => row.Id == deployment).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.Status, DeploymentStatus.Succeeded)
                    .SetProperty(row => row.EndedAt, Instant.FromUtc(2020, 1, 1, 0, 0)),
                Cancel);
        }

        if (isSealed)
        {
            await LogSealingTests.SealAsync(_bed, store);
        }

        return deployment;
    }

    private static async Task<int> AppendUntilAsync(LogStore store, long deployment, CancellationToken stop)
    {
        var lines = 0;
        await using var appender = store.Open(deployment, []);
        while (!stop.IsCancellationRequested)
        {
            await appender.AppendAsync(LogStream.Stdout, StepKind.Start, $"{++lines}", Cancel);
            await appender.FlushAsync(Cancel);
        }

        return lines;
    }

    /// <summary>How many lines whoever looks sees, each number once.</summary>
    private static async Task<HashSet<int>> LookUntilAsync(LogStore store, long deployment, CancellationToken stop)
    {
        var seen = new HashSet<int>();
        do
        {
            // One statement, so one moment: a log is there as a whole or not at all.
            var page = (await store.GetLogsAfter(deployment, after: null, 100_000, Cancel))!;
            seen.Add(page.Lines.Count);
        }
        while (!stop.IsCancellationRequested);

        seen.Add((int)(await store.GetExtent(deployment, Cancel))!.Lines);
        return seen;
    }

    private async Task<int> CountRunsAsync(long deployment)
    {
        await using var db = _bed.CreateDbContext();
        return await db.Set<LogRun>().CountAsync(run => run.DeploymentId == deployment, Cancel);
    }

    private async Task AssertNothingLeftAsync(long deployment)
    {
        await using var db = _bed.CreateDbContext();
        Assert.Equal(0, await db.Set<LogRun>().CountAsync(run => run.DeploymentId == deployment, Cancel));
        Assert.Equal(0, await db.Set<LogChapter>().CountAsync(chapter => chapter.DeploymentId == deployment, Cancel));
        Assert.Equal(0, await db.Set<LogTotals>().CountAsync(totals => totals.DeploymentId == deployment, Cancel));
    }
}
