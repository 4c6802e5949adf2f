using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Time.Testing;
using NodaTime;

namespace Deployer.Tests.Logs;

public sealed class LogStoreTests : IAsyncDisposable
{
    private readonly LogTestBed _bed = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Fact]
    public async Task AppendLog_OneLine_IsReadableWhenItReturns()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddDays(20_000));
        var store = _bed.OpenStore(time);
        var deployment = await _bed.AddDeploymentAsync();

        await store.AppendLog(deployment, LogStream.Stderr, StepKind.Pull, "Pulling fs layer", Cancel);

        var page = await store.GetLogsAfter(deployment, after: null, 10, Cancel);
        Assert.NotNull(page);
        var line = Assert.Single(page.Lines);
        Assert.Equal(
            new LogLine(1, Instant.FromUnixTimeSeconds(20_000 * 86_400L), LogStream.Stderr, StepKind.Pull, "Pulling fs layer"), line);
        Assert.Equal(line.Time, page.NextAfter);
        Assert.Equal(DeploymentStatus.Running, page.Status);
        Assert.False(page.Complete);
    }

    [Fact]
    public async Task GetLogsAfter_UnknownDeployment_IsNull()
    {
        var store = _bed.OpenStore();

        Assert.Null(await store.GetLogsAfter(4711, after: null, 10, Cancel));
        Assert.Null(await store.GetLogsAfter(4711, after: null, 10, TimeSpan.FromMinutes(1), Cancel));
        Assert.Null(await store.GetLogsRange(4711, 1, 10, Cancel));
        Assert.Null(await store.GetLogsTail(4711, 10, Cancel));
        Assert.Null(await store.GetExtent(4711, Cancel));
    }

    [Fact]
    public async Task GetLogsAfter_EmptyPage_KeepsTheCallersCursor()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        var cursor = Instant.FromUnixTimeSeconds(5).PlusNanoseconds(7);

        var page = await store.GetLogsAfter(deployment, cursor, 10, Cancel);

        Assert.NotNull(page);
        Assert.Empty(page.Lines);
        Assert.Equal(cursor, page.NextAfter);
    }

    [Theory]
    [InlineData(-9999)]
    [InlineData(9999)]
    public async Task GetLogsAfter_CursorBeyondWhatIsStored_MeansBeforeOrAfterAll(int year)
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        await store.AppendLog(deployment, LogStream.System, StepKind.Prepare, "only", Cancel);

        var page = await store.GetLogsAfter(deployment, year < 0 ? Instant.MinValue : Instant.MaxValue, 10, Cancel);

        Assert.Equal(year < 0 ? 1 : 0, page!.Lines.Count);
    }

    [Fact]
    public async Task GetLogsAfter_CursorFollower_SeesEachLineOnceWhateverTheLimit()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        await using (var appender = store.Open(deployment, []))
        {
            for (var line = 1; line <= 1_234; line++)
            {
                await appender.AppendAsync(LogStream.Stdout, (StepKind)(line % 6), $"line {line}", Cancel);
            }
        }

        foreach (var limit in new[] { 1, 7, 499, 500, 501, 5_000 })
        {
            var texts = new List<string>();
            Instant? cursor = null;
            while (await store.GetLogsAfter(deployment, cursor, limit, Cancel) is { Lines.Count: > 0 } page)
            {
                Assert.True(page.Lines.Count <= limit);
                texts.AddRange(page.Lines.Select(line => line.Text));
                cursor = page.NextAfter;
            }

            Assert.Equal(Enumerable.Range(1, 1_234).Select(line => $"line {line}"), texts);
        }
    }

    [Theory]
    [InlineData(1, 3, 1, 3)]
    [InlineData(499, 3, 499, 501)]
    [InlineData(1_200, 500, 1_200, 1_234)]
    [InlineData(1_235, 5, 0, -1)]
    public async Task GetLogsRange_FromLine_GivesTheLinesFromThere(long from, int limit, long first, long last)
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        await AppendAsync(store, deployment, 1_234);

        var page = await store.GetLogsRange(deployment, from, limit, Cancel);

        Assert.Equal(Range(first, last), page!.Lines.Select(line => line.Line));
    }

    [Theory]
    [InlineData(1, 1_234)]
    [InlineData(700, 535)]
    [InlineData(5_000, 1)]
    public async Task GetLogsTail_Count_GivesTheLastLines(int count, long first)
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        await AppendAsync(store, deployment, 1_234);

        var page = await store.GetLogsTail(deployment, count, Cancel);

        Assert.Equal(Range(first, 1_234), page!.Lines.Select(line => line.Line));
        Assert.Equal(1_234, (await store.GetExtent(deployment, Cancel))!.Lines);
    }

    [Fact]
    public async Task GetLogsAfter_FinalStatus_IsCompleteOnlyAtTheEnd()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        await AppendAsync(store, deployment, 10);
        await _bed.EndAsync(deployment);

        var first = await store.GetLogsAfter(deployment, after: null, 9, Cancel);
        var second = await store.GetLogsAfter(deployment, first!.NextAfter, 1, Cancel);
        var all = await store.GetLogsAfter(deployment, after: null, 10, Cancel);

        Assert.False(first.Complete);
        Assert.True(second!.Complete);
        Assert.True(all!.Complete);
        Assert.Equal(DeploymentStatus.Succeeded, all.Status);
    }

    [Fact]
    public async Task Append_ClockStepsBackAndStoreRestarts_TimesAndNumbersGoOn()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddDays(20_000));
        var deployment = await _bed.AddDeploymentAsync();
        await AppendAsync(_bed.OpenStore(time), deployment, 3);

        var earlier = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddDays(19_999));
        var restarted = _bed.OpenStore(earlier);
        await AppendAsync(restarted, deployment, 3);

        var page = await restarted.GetLogsAfter(deployment, after: null, 10, Cancel);
        var start = Instant.FromUnixTimeSeconds(20_000 * 86_400L);
        Assert.Equal(Enumerable.Range(0, 6).Select(line => (line + 1L, start.PlusNanoseconds(line))), page!.Lines.Select(line => (line.Line, line.Time)));
    }

    [Fact]
    public async Task Append_StatusFinal_IsRefusedAndStoresNothing()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        await using var appender = store.Open(deployment, []);
        await appender.AppendAsync(LogStream.System, StepKind.Prepare, "before", Cancel);
        await appender.FlushAsync(Cancel);
        await _bed.EndAsync(deployment);

        await appender.AppendAsync(LogStream.System, StepKind.Prepare, "after", Cancel);
        var refusal = await Assert.ThrowsAsync<LogStoreException>(() => appender.FlushAsync(Cancel));

        Assert.Equal(LogStoreFault.Closed, refusal.Fault);
        await Assert.ThrowsAsync<LogStoreException>(
            async () => await appender.AppendAsync(LogStream.System, StepKind.Prepare, "again", Cancel));
        Assert.Equal(1, (await store.GetExtent(deployment, Cancel))!.Lines);
    }

    [Fact]
    public async Task AppendLog_UnknownDeployment_IsRefused()
    {
        var store = _bed.OpenStore();

        var refusal = await Assert.ThrowsAsync<LogStoreException>(
            () => store.AppendLog(4711, LogStream.System, StepKind.Prepare, "lost", Cancel));

        Assert.Equal(LogStoreFault.Unknown, refusal.Fault);
    }

    [Fact]
    public async Task Append_RefusedDeployment_LeavesOthersOfTheBatchAlone()
    {
        var store = _bed.OpenStore();
        var open = await _bed.AddDeploymentAsync();
        var ended = await _bed.AddDeploymentAsync(DeploymentStatus.Failed, "web");
        await using var good = store.Open(open, []);
        var bad = store.Open(ended, []);
        await good.AppendAsync(LogStream.System, StepKind.Prepare, "kept", Cancel);
        await bad.AppendAsync(LogStream.System, StepKind.Prepare, "refused", Cancel);

        await good.FlushAsync(Cancel);
        await Assert.ThrowsAsync<LogStoreException>(async () => await bad.DisposeAsync());

        Assert.Equal(1, (await store.GetExtent(open, Cancel))!.Lines);
        Assert.Equal(0, (await store.GetExtent(ended, Cancel))!.Lines);
    }

    [Fact]
    public async Task Append_DatabaseLockedForLong_ReachesTheProducerAndLaterLinesAreRefused()
    {
        var store = _bed.OpenStore(TimeProvider.System, new LogOptions { WritePatienceSeconds = 0 });
        var deployment = await _bed.AddDeploymentAsync();
        await using var locker = _bed.CreateDbContext();
        await using (await locker.Database.BeginTransactionAsync(Cancel))
        {
            await locker.Database.ExecuteSqlRawAsync("UPDATE deployments SET number = number", Cancel);
            await using var appender = store.Open(deployment, []);
            await appender.AppendAsync(LogStream.System, StepKind.Prepare, "lost", Cancel);

            var fault = await Assert.ThrowsAsync<LogStoreException>(() => appender.FlushAsync(Cancel));

            Assert.Equal(LogStoreFault.Locked, fault.Fault);
        }

        await store.AppendLog(deployment, LogStream.System, StepKind.Prepare, "kept", Cancel);
        var page = await store.GetLogsAfter(deployment, after: null, 10, Cancel);
        Assert.Equal(["kept"], page!.Lines.Select(line => line.Text));
    }

    [Fact]
    public async Task Append_DatabaseLockedForAMoment_SlowsTheProducerAndLosesNothing()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddDays(20_000));
        var store = _bed.OpenStore(time, new LogOptions { WritePatienceSeconds = 1 });
        var deployment = await _bed.AddDeploymentAsync();
        await store.AppendLog(deployment, LogStream.System, StepKind.Prepare, "first", Cancel);
        await using var locker = _bed.CreateDbContext();
        Task append;
        await using (await locker.Database.BeginTransactionAsync(Cancel))
        {
            await locker.Database.ExecuteSqlRawAsync("UPDATE deployments SET number = number", Cancel);
            append = store.AppendLog(deployment, LogStream.System, StepKind.Prepare, "second", Cancel);
            Assert.False(append.IsCompleted);
        }

        // The write that met the lock waits on the clock before it tries again, unless it had not met it yet.
        while (!append.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }

        await append;
        Assert.Equal(2, (await store.GetExtent(deployment, Cancel))!.Lines);
    }

    [Fact]
    public async Task Append_DiskFull_ReachesTheProducer()
    {
        var deployment = await _bed.AddDeploymentAsync();
        var store = _bed.OpenStore(TimeProvider.System, new LogOptions { WritePatienceSeconds = 0 });
        await store.Writer.InvokeAsync(
            connection => connection.Db.Database.ExecuteSqlRaw("PRAGMA max_page_count=1"), Cancel);
        await using var appender = store.Open(deployment, []);
        Exception? fault = null;
        for (var line = 0; fault is null && line < 1_000; line++)
        {
            fault = await Record.ExceptionAsync(async () =>
            {
                await appender.AppendAsync(LogStream.Stdout, StepKind.Start, new string('x', 10_000), Cancel);
                await appender.FlushAsync(Cancel);
            });
        }

        Assert.Equal(LogStoreFault.DiskFull, Assert.IsType<LogStoreException>(fault).Fault);
    }

    [Fact]
    public async Task GetLogsAfter_Wait_ReturnsWithTheNextLine()
    {
        var store = _bed.OpenStore(new FakeTimeProvider());
        var deployment = await _bed.AddDeploymentAsync();

        var poll = store.GetLogsAfter(deployment, after: null, 10, TimeSpan.FromSeconds(20), Cancel);
        Assert.False(poll.IsCompleted);
        await store.AppendLog(deployment, LogStream.System, StepKind.Prepare, "here", Cancel);

        Assert.Equal(["here"], (await poll)!.Lines.Select(line => line.Text));
    }

    [Fact]
    public async Task GetLogsAfter_WaitPasses_ReturnsAnEmptyPage()
    {
        var time = new FakeTimeProvider();
        var store = _bed.OpenStore(time);
        var deployment = await _bed.AddDeploymentAsync();

        var poll = store.GetLogsAfter(deployment, after: null, 10, TimeSpan.FromSeconds(20), Cancel);
        while (!poll.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Empty((await poll)!.Lines);
    }

    [Fact]
    public async Task GetLogsAfter_WaitAndStatusTurnsFinal_ReturnsComplete()
    {
        var store = _bed.OpenStore(new FakeTimeProvider());
        var deployment = await _bed.AddDeploymentAsync();

        var poll = store.GetLogsAfter(deployment, after: null, 10, TimeSpan.FromSeconds(20), Cancel);
        await _bed.EndAsync(deployment);

        Assert.True((await poll)!.Complete);
    }

    [Fact]
    public async Task DeleteDeployment_WithLines_HidesThemAtOnce()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        await AppendAsync(store, deployment, 10);

        await using var db = _bed.CreateDbContext();
        await db.Deployments.Where(row => row.Id == deployment).ExecuteDeleteAsync(Cancel);

        Assert.Null(await store.GetLogsAfter(deployment, after: null, 10, Cancel));
        Assert.Null(await store.GetLogsTail(deployment, 10, Cancel));
        Assert.Null(await store.GetExtent(deployment, Cancel));
    }

    internal static async Task AppendAsync(LogStore store, long deployment, int lines)
    {
        await using var appender = store.Open(deployment, []);
        for (var line = 0; line < lines; line++)
        {
            await appender.AppendAsync(LogStream.System, StepKind.Prepare, $"line {line}", TestContext.Current.CancellationToken);
        }
    }

    private static IEnumerable<long> Range(long first, long last)
    {
        for (var line = first; line <= last; line++)
        {
            yield return line;
        }
    }
}
