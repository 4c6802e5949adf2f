using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Tests.Logs;
using Deployer.Web.Features.Console;

namespace Deployer.Tests.Web.Console;

public sealed class LogSieveTests : IAsyncLifetime
{
    private readonly LogTestBed _bed = new();
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
    public async Task FollowAsync_LogThatGrowsAndEnds_GivesEachMatchingLineOnceAndSaysWhenItCaughtUp()
    {
        await AppendAsync(1, 2_500);
        await using var found = new LogSieve(_store).FollowAsync(_deployment, new LineFilter(LogStream.Stderr, StepKind.Start), Cancel).GetAsyncEnumerator(Cancel);

        var lines = new List<long>();
        await TakeUntilCaughtUpAsync();
        Assert.Equal(Expected(1, 2_500), lines);

        await AppendAsync(2_501, 2_600);
        while (lines.Count < Expected(1, 2_600).Count && await found.MoveNextAsync())
        {
            lines.AddRange(Numbers(found.Current.Runs));
        }

        Assert.Equal(Expected(1, 2_600), lines);
        await _bed.EndAsync(_deployment);
        Assert.False(await found.MoveNextAsync());

        async Task TakeUntilCaughtUpAsync()
        {
            do
            {
                Assert.True(await found.MoveNextAsync());
                lines.AddRange(Numbers(found.Current.Runs));
            }
            while (!found.Current.CaughtUp);
        }
    }

    [Fact]
    public async Task FollowAsync_NothingMatches_SaysSoAtOnce()
    {
        await AppendAsync(1, 10);
        await using var found = new LogSieve(_store).FollowAsync(_deployment, new LineFilter(LogStream.System, Step: null), Cancel).GetAsyncEnumerator(Cancel);

        Assert.True(await found.MoveNextAsync());
        Assert.Equal((0, true), (found.Current.Runs.Count, found.Current.CaughtUp));
    }

    [Theory]
    [InlineData("stderr", "health_check", LogStream.Stderr, StepKind.HealthCheck)]
    [InlineData("nonsense", null, null, null)]
    [InlineData("1", "2", null, null)]
    public void Parse_WhatStandsInAnAddress_IsReadOrCountsAsNothing(string? stream, string? step, LogStream? expectedStream, StepKind? expectedStep) =>
        Assert.Equal(new LineFilter(expectedStream, expectedStep), LineFilter.Parse(stream, step));

    // Three lines of four are on standard error.
    private static IReadOnlyList<long> Expected(int from, int to) =>
        [.. Enumerable.Range(from, to - from + 1).Where(number => number % 4 != 0).Select(number => (long)number)];

    private static IEnumerable<long> Numbers(IReadOnlyList<long> runs)
    {
        for (var index = 0; index < runs.Count; index += 2)
        {
            for (var line = runs[index]; line <= runs[index + 1]; line++)
            {
                yield return line;
            }
        }
    }

    private async Task AppendAsync(int from, int to)
    {
        await using var log = _store.Open(_deployment, []);
        for (var number = from; number <= to; number++)
        {
            await log.AppendAsync(number % 4 == 0 ? LogStream.Stdout : LogStream.Stderr, StepKind.Start, $"line {number}", Cancel);
        }
    }
}
