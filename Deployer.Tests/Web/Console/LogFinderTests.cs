using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Tests.Logs;
using Deployer.Web.Features.Console;

namespace Deployer.Tests.Web.Console;

public sealed class LogFinderTests : IAsyncLifetime
{
    private readonly LogTestBed _bed = new();
    private LogSearch _search = null!;
    private LogFinder _finder = null!;
    private LogStore _store = null!;
    private long _deployment;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = _bed.OpenStore();
        _search = new LogSearch(_store, TimeProvider.System);
        _finder = new LogFinder(_search);
        _deployment = await _bed.AddDeploymentAsync();
        await AppendAsync(LogStream.System, StepKind.Pull, "pulling web");
        await AppendAsync(LogStream.Stdout, StepKind.Start, "web starts");
        await AppendAsync(LogStream.Stderr, StepKind.Start, "no DATABASE_URL");
        await AppendAsync(LogStream.Stdout, StepKind.Start, "terror is no complaint");
        await AppendAsync(LogStream.System, StepKind.HealthCheck, "Health check failed");
        await AppendAsync(LogStream.System, StepKind.HealthCheck, "web removed");
    }

    public async ValueTask DisposeAsync()
    {
        _search.Dispose();
        await _bed.DisposeAsync();
    }

    [Theory]
    [InlineData(1, false, 1, 1)]
    [InlineData(2, false, 2, 2)]
    [InlineData(3, false, 6, 3)]
    [InlineData(7, false, 1, 1)]
    [InlineData(5, true, 2, 2)]
    [InlineData(6, true, 6, 3)]
    public async Task FindAsync_Text_GoesToTheNearestMatchAndRoundAtTheEnds(long from, bool backwards, long line, long index)
    {
        var found = await _finder.FindAsync(_deployment, Text("web"), from, backwards, Cancel);

        Assert.Equal(new FoundLine(line, index, Total: 3, TimedOut: false), found);
    }

    [Fact]
    public async Task FindAsync_NothingMatches_FindsNothing() =>
        Assert.Null(await _finder.FindAsync(_deployment, Text("nothing of this kind"), from: 1, backwards: false, Cancel));

    [Theory]
    [InlineData("w[e]b", 3, false, 2)]
    [InlineData("w[e]b", 1, true, 1)]
    [InlineData("nothing of this k[i]nd", 1, false, 0)]
    public async Task FindAsync_SearchIsCutShortBeforeAMatch_SaysSoAndDoesNotGoRound(string text, long from, bool backwards, long total)
    {
        var query = new LogQuery(text, IsRegex: true, MatchCase: false) { Stream = backwards ? LogStream.Stdout : null };
        using var search = new LogSearch(_store, new TickingTime(TimeSpan.FromSeconds(2)));

        var found = await new LogFinder(search).FindAsync(_deployment, query, from, backwards, Cancel);

        Assert.Equal((0, total, true), (found!.Line, found.Total, found.TimedOut));
    }

    [Fact]
    public async Task FindErrorAsync_SearchIsCutShortBeforeAnError_IsNotTakenForNoError()
    {
        using var search = new LogSearch(_store, new TickingTime(TimeSpan.FromSeconds(10)));

        Assert.Equal(0, await new LogFinder(search).FindErrorAsync(_deployment, LineFilter.All, from: 1, backwards: false, Cancel));
    }

    [Fact]
    public async Task FindTellingAsync_SearchIsCutShort_TellsOfNoLine()
    {
        using var search = new LogSearch(_store, new TickingTime(TimeSpan.FromSeconds(10)));

        Assert.Null(await new LogFinder(search).FindTellingAsync(_deployment, StepKind.Start, Cancel));
    }

    [Theory]
    [InlineData(1, false, 3)]
    [InlineData(4, false, 5)]
    [InlineData(6, false, 3)]
    [InlineData(4, true, 3)]
    [InlineData(2, true, 5)]
    public async Task FindErrorAsync_StandardErrorAndComplaints_AreFoundInTurn(long from, bool backwards, long line) =>
        Assert.Equal(line, await _finder.FindErrorAsync(_deployment, LineFilter.All, from, backwards, Cancel));

    [Theory]
    [InlineData(StepKind.Start, 3)]
    [InlineData(StepKind.HealthCheck, 3)]
    public async Task FindTellingAsync_Step_PrefersStandardError(StepKind step, long line) =>
        Assert.Equal(line, await _finder.FindTellingAsync(_deployment, step, Cancel));

    private static LogQuery Text(string text) => new(text, IsRegex: false, MatchCase: false);

    private Task AppendAsync(LogStream stream, StepKind step, string text) =>
        _store.AppendLog(_deployment, stream, step, text, Cancel);
}
