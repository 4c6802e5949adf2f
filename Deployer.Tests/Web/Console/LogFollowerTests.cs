using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Tests.Logs;
using Deployer.Web.Features.Console;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Deployer.Tests.Web.Console;

public sealed class LogFollowerTests : IAsyncLifetime
{
    private readonly LogTestBed _bed = new();
    private readonly TellingTime _time = new();
    private LogStore _store = null!;
    private long _deployment;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = _bed.OpenStore();
        _deployment = await _bed.AddDeploymentAsync();
    }

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Fact]
    public async Task FollowAsync_LinesComeAndDeploymentEnds_GivesEachLineOnceInOrderThenStops()
    {
        await AppendAsync(1, 3);
        var seen = new List<string>();
        var last = default(LogGrowth);
        await foreach (var growth in Follower(_store).FollowAsync(_deployment, Cancel))
        {
            seen.AddRange(growth.Tail.Select(line => $"{line.Line} {line.Text}"));
            last = growth;
            if (seen.Count == 3)
            {
                await AppendAsync(4, 5);
            }
            else if (seen.Count == 5 && !growth.Complete)
            {
                await _bed.EndAsync(_deployment);
            }
        }

        Assert.Equal(["1 line 1", "2 line 2", "3 line 3", "4 line 4", "5 line 5"], seen);
        Assert.Equal((DeploymentStatus.Succeeded, 5, true), (last!.Status, last.Total, last.Complete));
    }

    [Fact]
    public async Task FollowAsync_EmptyLog_FindsTheFirstLine()
    {
        await using var growths = Follower(_store).FollowAsync(_deployment, Cancel).GetAsyncEnumerator(Cancel);

        Assert.True(await growths.MoveNextAsync());
        Assert.Equal((0, 0), (growths.Current.Total, growths.Current.Tail.Count));
        await AppendAsync(1, 1);
        Assert.True(await growths.MoveNextAsync());
        Assert.Equal(["line 1"], growths.Current.Tail.Select(line => line.Text));
    }

    [Fact]
    public async Task FollowAsync_BellNeverRings_TimerFindsTheLines()
    {
        await using var deaf = new LogStore(
            _bed, new DeploymentFeed(), _time, Options.Create(new LogOptions()), NullLogger<LogStore>.Instance);
        await using var growths = Follower(deaf).FollowAsync(_deployment, Cancel).GetAsyncEnumerator(Cancel);
        await growths.MoveNextAsync();

        var next = growths.MoveNextAsync().AsTask();
        await AppendAsync(1, 2);
        await _time.AdvanceUntilAsync(next, LogTail.Floor);

        Assert.True(await next);
        Assert.Equal(2, growths.Current.Total);
    }

    [Fact]
    public async Task FollowAsync_StoreFails_SaysSoOnceAndGoesOnWhereItStood()
    {
        var databases = new FailingDatabases(_bed);
        await AppendAsync(1, 2);
        await using var growths = Follower(_store).FollowAsync(_deployment, Cancel).GetAsyncEnumerator(Cancel);
        await growths.MoveNextAsync();
        await AppendAsync(3, 4);

        await databases.BreakLogsAsync();
        await growths.MoveNextAsync();
        Assert.NotNull(growths.Current.Trouble);
        Assert.Equal((2, 0), (growths.Current.Total, growths.Current.Tail.Count));

        await databases.MendLogsAsync();
        var next = growths.MoveNextAsync().AsTask();
        await _time.AdvanceUntilAsync(next, LogFollower.RetryAfter);

        Assert.True(await next);
        Assert.Null(growths.Current.Trouble);
        Assert.Equal([3L, 4L], growths.Current.Tail.Select(line => line.Line));
    }

    [Fact]
    public async Task FollowAsync_LongLog_OpensAtItsEndWithoutReadingItAll()
    {
        await AppendAsync(1, 2500);

        await using var growths = Follower(_store).FollowAsync(_deployment, Cancel).GetAsyncEnumerator(Cancel);
        await growths.MoveNextAsync();

        Assert.Equal(2500, growths.Current.Total);
        Assert.Equal(Enumerable.Range(2301, 200).Select(number => (long)number), growths.Current.Tail.Select(line => line.Line));
    }

    [Fact]
    public async Task FollowAsync_NoSuchDeployment_EndsWithoutAWord()
    {
        var growths = new List<LogGrowth>();
        await foreach (var growth in Follower(_store).FollowAsync(deploymentId: 4711, Cancel))
        {
            growths.Add(growth);
        }

        Assert.Empty(growths);
    }

    [Fact]
    public async Task FollowAsync_ManyViewers_ReadTheStoreAboutAsOftenAsOne()
    {
        var alone = await CountReadsAsync(1);
        var together = await CountReadsAsync(50);

        // Each reads once when it comes; what comes afterwards is read for all of them.
        Assert.True(together - 50 <= 3 * alone, $"{together} reads for 50 viewers, {alone} for one");
    }

    private async Task<long> CountReadsAsync(int viewers)
    {
        var deployment = await _bed.AddDeploymentAsync();
        var before = _store.Reads.Count;
        var opened = new SemaphoreSlim(0);
        var seen = new SemaphoreSlim(0);
        var all = Enumerable.Range(0, viewers).Select(_ => WatchAsync()).ToList();
        await WaitAsync(opened, viewers);

        await using var log = _store.Open(deployment, []);
        for (var number = 1; number <= 20; number++)
        {
            await log.AppendAsync(LogStream.Stdout, StepKind.Start, $"line {number}", Cancel);
            await log.FlushAsync(Cancel);
            await WaitAsync(seen, viewers);
        }

        await _bed.EndAsync(deployment);
        await Task.WhenAll(all);
        return _store.Reads.Count - before;

        async Task WatchAsync()
        {
            await foreach (var growth in Follower(_store).FollowAsync(deployment, Cancel))
            {
                (growth.Total == 0 ? opened : seen).Release();
            }
        }
    }

    private LogFollower Follower(LogStore store) => new(store, _time, NullLogger<LogFollower>.Instance);

    private static async Task WaitAsync(SemaphoreSlim signal, int times)
    {
        for (var time = 0; time < times; time++)
        {
            await signal.WaitAsync(Cancel);
        }
    }

    private async Task AppendAsync(int from, int to)
    {
        await using var log = _store.Open(_deployment, []);
        for (var number = from; number <= to; number++)
        {
            await log.AppendAsync(LogStream.Stdout, StepKind.Start, $"line {number}", Cancel);
        }
    }
}
