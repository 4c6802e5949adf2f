using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Time.Testing;
using NodaTime;

namespace Deployer.Tests.Logs;

public sealed class LogFollowingTests : IAsyncDisposable
{
    private readonly LogTestBed _bed = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Fact]
    public async Task FollowAsync_WhileWritten_GivesEachLineOnceAndEndsComplete()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        var followers = Enumerable.Range(1, 20).Select(limit => CollectAsync(store, deployment, after: null, limit * 37)).ToList();

        await LogStoreTests.AppendAsync(store, deployment, 12_345);
        await _bed.EndAsync(deployment);

        var expected = Enumerable.Range(1, 12_345).Select(line => (long)line).ToList();
        foreach (var follower in followers)
        {
            Assert.Equal(expected, await follower);
        }
    }

    [Fact]
    public async Task FollowAsync_ManyFollowers_ReadTheStoreAboutAsOftenAsOne()
    {
        var alone = await CountReadsAsync(1);
        var together = await CountReadsAsync(100);

        // Beside the shared reads, each follower reads once when it comes.
        Assert.True(together - 100 <= 3 * alone, $"{together} reads for 100 followers, {alone} for one");
    }

    [Fact]
    public async Task FollowAsync_ReaderTooSlowForMemory_MissesNothing()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        await using var slow = store.FollowAsync(deployment, after: null, 100, Cancel).GetAsyncEnumerator(Cancel);
        Assert.True(await slow.MoveNextAsync());
        await using var quick = store.FollowAsync(deployment, after: null, 100, Cancel).GetAsyncEnumerator(Cancel);
        Assert.True(await quick.MoveNextAsync());

        await LogStoreTests.AppendAsync(store, deployment, 20_000);
        await _bed.EndAsync(deployment);
        var lines = new List<long>();
        while (await slow.MoveNextAsync())
        {
            lines.AddRange(slow.Current.Lines.Select(line => line.Line));
        }

        Assert.Equal(Enumerable.Range(1, 20_000).Select(line => (long)line), lines);
    }

    [Fact]
    public async Task FollowAsync_FromACursor_GivesWhatFollows()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        await LogStoreTests.AppendAsync(store, deployment, 1_000);
        var middle = (await store.GetLogsRange(deployment, 700, 1, Cancel))!.NextAfter;
        var follower = CollectAsync(store, deployment, middle, 64);

        await LogStoreTests.AppendAsync(store, deployment, 500);
        await _bed.EndAsync(deployment);

        Assert.Equal(Enumerable.Range(701, 800).Select(line => (long)line), await follower);
    }

    [Fact]
    public async Task FollowAsync_StatusChanges_GivesAnEmptyPageWithIt()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync(DeploymentStatus.Queued, "web");
        await using var follower = store.FollowAsync(deployment, after: null, 100, Cancel).GetAsyncEnumerator(Cancel);
        Assert.True(await follower.MoveNextAsync());
        Assert.Equal(DeploymentStatus.Queued, follower.Current.Status);

        await using (var db = _bed.CreateDbContext())
        {
            await db.Deployments.ExecuteUpdateAsync(
                set => set.SetProperty(row => row.Status, DeploymentStatus.Running), Cancel);
        }

        _bed.Feed.Publish(deployment);

        Assert.True(await follower.MoveNextAsync());
        Assert.Equal((DeploymentStatus.Running, 0), (follower.Current.Status, follower.Current.Lines.Count));
    }

    [Fact]
    public async Task FollowAsync_UnknownDeployment_IsEmpty()
    {
        Assert.Empty(await CollectAsync(_bed.OpenStore(), 4711, after: null, 100));
    }

    [Fact]
    public async Task FollowAsync_LinesOfAnotherProcess_AreSeenByTheFloor()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddDays(20_000));
        var store = _bed.OpenStore(time);
        var deployment = await _bed.AddDeploymentAsync();
        await using var follower = store.FollowAsync(deployment, after: null, 100, Cancel).GetAsyncEnumerator(Cancel);
        Assert.True(await follower.MoveNextAsync());
        var next = follower.MoveNextAsync().AsTask();

        await using (var other = OpenElsewhere())
        {
            await other.AppendLog(deployment, LogStream.System, StepKind.Prepare, "elsewhere", Cancel);
        }

        while (!next.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.True(await next);
        Assert.Equal(["elsewhere"], follower.Current.Lines.Select(line => line.Text));
    }

    [Fact]
    public async Task GetLogsAfter_NoWait_GivesAllLinesOfAnEndedLog_WhateverItsFollowersKnow()
    {
        // The clock stands still and the bell is another process's: followers learn of nothing.
        var store = _bed.OpenStore(new FakeTimeProvider());
        var deployment = await _bed.AddDeploymentAsync();
        await using var follower = await FollowFirstLineAsync(store, deployment);
        await using var other = OpenElsewhere();
        await other.AppendLog(deployment, LogStream.System, StepKind.Prepare, "last", Cancel);
        await EndElsewhereAsync(deployment);

        var page = await store.GetLogsAfter(deployment, after: null, 10, TimeSpan.Zero, Cancel);

        Assert.Equal(["first", "last"], page!.Lines.Select(line => line.Text));
        Assert.Equal((DeploymentStatus.Succeeded, true), (page.Status, page.Complete));
    }

    [Fact]
    public async Task GetLogsAfter_WaitBehindAReaderThatCatchesUp_GivesNoFinalStatusWithoutTheLines()
    {
        var store = _bed.OpenStore(new FakeTimeProvider());
        var deployment = await _bed.AddDeploymentAsync();
        await using var follower = await FollowFirstLineAsync(store, deployment);
        await using var other = OpenElsewhere();
        await LogStoreTests.AppendAsync(other, deployment, 20_500);
        var ahead = (await store.GetLogsRange(deployment, 20_490, 1, Cancel))!.NextAfter;

        var poll = store.GetLogsAfter(deployment, ahead, 100, TimeSpan.FromSeconds(20), Cancel);
        await _bed.EndAsync(deployment);

        Assert.Equal(Enumerable.Range(20_491, 11).Select(line => (long)line), (await poll)!.Lines.Select(line => line.Line));
    }

    [Fact]
    public async Task FollowUntilTroubleAsync_PageIsAheadOfTheSharedReader_StatusDoesNotGoBack()
    {
        var store = _bed.OpenStore(new FakeTimeProvider());
        var deployment = await _bed.AddDeploymentAsync();
        await using var follower = await FollowFirstLineAsync(store, deployment);
        await using var other = OpenElsewhere();
        await LogStoreTests.AppendAsync(other, deployment, 2_000);
        await EndElsewhereAsync(deployment);
        var ahead = (await store.GetLogsAfter(deployment, after: null, 500, Cancel))!;
        Assert.Equal((DeploymentStatus.Succeeded, false), (ahead.Status, ahead.Complete));

        var lines = new List<long>();
        await using var pages = store.FollowUntilTroubleAsync(deployment, ahead, 500, Cancel).GetAsyncEnumerator(Cancel);
        var next = pages.MoveNextAsync().AsTask();
        _bed.Feed.Publish(deployment);
        for (; await next; next = pages.MoveNextAsync().AsTask())
        {
            Assert.Equal(DeploymentStatus.Succeeded, pages.Current.Status);
            lines.AddRange(pages.Current.Lines.Select(line => line.Line));
        }

        Assert.Equal(Enumerable.Range(501, 1_501).Select(line => (long)line), lines);
    }

    [Fact]
    public async Task ReadAllAsync_LargeLog_GivesAllLines()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        await LogStoreTests.AppendAsync(store, deployment, 3_000);

        var lines = new List<long>();
        await foreach (var page in store.ReadAllAsync(deployment, 1_000, Cancel))
        {
            lines.AddRange(page.Lines.Select(line => line.Line));
        }

        Assert.Equal(Enumerable.Range(1, 3_000).Select(line => (long)line), lines);
    }

    /// <summary>A store with a bell of its own, which stands for another process.</summary>
    private LogStore OpenElsewhere() => new(
        _bed, new DeploymentFeed(), TimeProvider.System, Microsoft.Extensions.Options.Options.Create(new LogOptions()),
        Microsoft.Extensions.Logging.Abstractions.NullLogger<LogStore>.Instance);

    /// <summary>Ends a deployment without a bell.</summary>
    private async Task EndElsewhereAsync(long deployment)
    {
        await using var db = _bed.CreateDbContext();
        await db.Deployments.Where(row => row.Id == deployment).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.Status, DeploymentStatus.Succeeded), Cancel);
    }

    /// <summary>A follower that was given the log's first line, by the reader that all followers share.</summary>
    private static async Task<IAsyncEnumerator<LogPage>> FollowFirstLineAsync(LogStore store, long deployment)
    {
        var follower = store.FollowAsync(deployment, after: null, 100, Cancel).GetAsyncEnumerator(Cancel);
        Assert.True(await follower.MoveNextAsync());
        var next = follower.MoveNextAsync().AsTask();
        await store.AppendLog(deployment, LogStream.System, StepKind.Prepare, "first", Cancel);
        Assert.True(await next);
        Assert.Equal(["first"], follower.Current.Lines.Select(line => line.Text));
        return follower;
    }

    // A line comes when all have seen the one before: so it takes as many reads at least, however fast the machine is.
    private async Task<long> CountReadsAsync(int followers)
    {
        const int Lines = 50;
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        using var seen = new SemaphoreSlim(0);
        var all = Enumerable.Range(0, followers).Select(_ => CollectAsync(store, deployment, after: null, 1_000, () => seen.Release())).ToList();
        for (var line = 0; line < Lines; line++)
        {
            await store.AppendLog(deployment, LogStream.Stdout, StepKind.Start, "one by one", Cancel);
            for (var follower = 0; follower < followers; follower++)
            {
                Assert.True(await seen.WaitAsync(TimeSpan.FromMinutes(1), Cancel), "a follower has not seen a line");
            }
        }

        await _bed.EndAsync(deployment);
        foreach (var lines in await Task.WhenAll(all))
        {
            Assert.Equal(Lines, lines.Count);
        }

        return store.Reads.Count;
    }

    private static Task<List<long>> CollectAsync(LogStore store, long deployment, Instant? after, int limit) =>
        CollectAsync(store, deployment, after, limit, () => { });

    private static async Task<List<long>> CollectAsync(LogStore store, long deployment, Instant? after, int limit, Action onLine)
    {
        var lines = new List<long>();
        var complete = false;
        await foreach (var page in store.FollowAsync(deployment, after, limit, Cancel))
        {
            foreach (var line in page.Lines)
            {
                lines.Add(line.Line);
                onLine();
            }

            complete = page.Complete;
        }

        Assert.True(complete || lines.Count == 0);
        return lines;
    }
}
