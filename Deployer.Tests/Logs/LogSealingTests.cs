using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace Deployer.Tests.Logs;

public sealed class LogSealingTests : IAsyncDisposable
{
    private readonly LogTestBed _bed = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(500, 1)]
    [InlineData(501, 2)]
    [InlineData(9_001, 22)]
    public async Task SealEndedAsync_EndedLog_BecomesFewRunsAndReadsTheSame(int lines, int mostRuns)
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        await LogStoreTests.AppendAsync(store, deployment, lines);
        await _bed.EndAsync(deployment);
        var before = await ReadAsync(store, deployment);

        await SealAsync(store);

        Assert.Equal(before, await ReadAsync(store, deployment));
        await using var db = _bed.CreateDbContext();
        Assert.InRange(await db.Set<LogRun>().CountAsync(run => run.Sealed, Cancel), 1, mostRuns);
        Assert.Equal(0, await db.Set<LogRun>().CountAsync(run => !run.Sealed, Cancel));
        var totals = await db.Set<LogTotals>().SingleAsync(Cancel);
        Assert.Equal(lines, totals.Lines);
        Assert.Equal(await db.Set<LogRun>().SumAsync(run => (long)run.Payload.Length, Cancel), totals.StoredBytes);
        Assert.True((await store.GetLogsAfter(deployment, before[^1].Time, 1, Cancel))!.Complete);
    }

    [Fact]
    public async Task SealEndedAsync_RunningLog_IsLeftAlone()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        await LogStoreTests.AppendAsync(store, deployment, 10);

        await SealAsync(store);

        await using var db = _bed.CreateDbContext();
        Assert.False(await db.Set<LogRun>().AnyAsync(run => run.Sealed, Cancel));
    }

    [Fact]
    public async Task SealEndedAsync_LinesOfEveryKind_KeepTextStreamStepAndTime()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        await using (var appender = store.Open(deployment, []))
        {
            for (var line = 0; line < 2_000; line++)
            {
                await appender.AppendAsync(
                    (LogStream)(line % 3), (StepKind)(line % 6), line % 7 == 0 ? "" : $"\u001b[3{line % 8}mzeile → {line} 🚀", Cancel);
                if (line % 100 == 0)
                {
                    await appender.FlushAsync(Cancel);
                }
            }

            await appender.AppendAsync(LogStream.Stderr, StepKind.CleanUp, new string('x', 16_384), Cancel);
        }

        await _bed.EndAsync(deployment);
        var before = await ReadAsync(store, deployment);
        await SealAsync(store);

        Assert.Equal(before, await ReadAsync(store, deployment));
        for (var at = 0; at < before.Count; at += 97)
        {
            var page = await store.GetLogsAfter(deployment, before[at].Time, 3, Cancel);
            Assert.Equal(before.Skip(at + 1).Take(3), page!.Lines);
            var range = await store.GetLogsRange(deployment, before[at].Line, 3, Cancel);
            Assert.Equal(before.Skip(at).Take(3), range!.Lines);
        }
    }

    [Fact]
    public async Task SealEndedAsync_WhileRead_ReadersNoticeNothing()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        await LogStoreTests.AppendAsync(store, deployment, 30_000);
        await _bed.EndAsync(deployment);
        using var stop = new CancellationTokenSource();
        var reader = Task.Run(
            async () =>
            {
                var rounds = 0;
                while (!stop.IsCancellationRequested || rounds == 0)
                {
                    Assert.Equal(30_000, (await ReadAsync(store, deployment)).Select((line, index) => line.Line == index + 1).Count(dense => dense));
                    rounds++;
                }
            },
            Cancel);

        await SealAsync(store);
        await stop.CancelAsync();

        await reader;
    }

    [Fact]
    public async Task SealEndedAsync_CutShort_GoesOnWithTheRest()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        await LogStoreTests.AppendAsync(store, deployment, 12_000);
        await _bed.EndAsync(deployment);
        var before = await ReadAsync(store, deployment);

        // The second piece cannot be written: as after a crash, the log is half sealed.
        await using (var db = _bed.CreateDbContext())
        {
            await db.Database.ExecuteSqlRawAsync(
                "CREATE TRIGGER fail BEFORE INSERT ON deployment_log_chapters WHEN new.first_line > 1 BEGIN SELECT RAISE(ABORT, 'crash'); END",
                Cancel);
        }

        await Assert.ThrowsAsync<LogStoreException>(() => SealAsync(store));
        Assert.Equal(before, await ReadAsync(store, deployment));
        await using (var db = _bed.CreateDbContext())
        {
            Assert.True(await db.Set<LogRun>().AnyAsync(run => run.Sealed, Cancel));
            Assert.True(await db.Set<LogRun>().AnyAsync(run => !run.Sealed, Cancel));
            await db.Database.ExecuteSqlRawAsync("DROP TRIGGER fail", Cancel);
        }

        await SealAsync(store);

        Assert.Equal(before, await ReadAsync(store, deployment));
        await using (var db = _bed.CreateDbContext())
        {
            Assert.False(await db.Set<LogRun>().AnyAsync(run => !run.Sealed, Cancel));
            Assert.Equal(12_000, (await db.Set<LogTotals>().SingleAsync(Cancel)).Lines);
        }
    }

    internal static async Task SealAsync(LogTestBed bed, LogStore store)
    {
        using var sealer = new LogSealer(store, bed, bed.Feed, TimeProvider.System, NullLogger<LogSealer>.Instance);
        await sealer.SealEndedAsync(TestContext.Current.CancellationToken);
    }

    private Task SealAsync(LogStore store) => SealAsync(_bed, store);

    private static async Task<List<LogLine>> ReadAsync(LogStore store, long deployment)
    {
        var lines = new List<LogLine>();
        await foreach (var page in store.ReadAllAsync(deployment, 777, Cancel))
        {
            lines.AddRange(page.Lines);
        }

        return lines;
    }
}
