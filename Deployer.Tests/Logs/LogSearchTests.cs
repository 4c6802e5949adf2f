using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Microsoft.Extensions.Time.Testing;
using NodaTime;

namespace Deployer.Tests.Logs;

public sealed class LogSearchTests : IAsyncDisposable
{
    private readonly LogTestBed _bed = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Theory]
    [InlineData("needle", false, false, new long[] { 1_000, 5_000, 9_000 })]
    [InlineData("NEEDLE", false, false, new long[] { 1_000, 5_000, 9_000 })]
    [InlineData("NEEDLE", false, true, new long[] { 5_000 })]
    [InlineData("eedl", false, false, new long[] { 1_000, 5_000, 9_000 })]
    [InlineData("no such thing", false, false, new long[0])]
    [InlineData("^a needle .* 9000$", true, false, new long[] { 9_000 })]
    [InlineData("n(e|x)+dle in", true, true, new long[] { 1_000, 9_000 })]
    [InlineData(@"(?<=needle in line )1\d+", true, false, new long[] { 1_000 })]
    [InlineData("ü→", false, false, new long[] { 7_000 })]
    [InlineData("Ü→", false, false, new long[] { 7_000 })]
    [InlineData("red word", false, false, new long[] { 8_000 })]
    [InlineData("e 99999", false, false, new long[0])]
    public async Task FindAsync_Query_FindsTheSameSealedOrNot(string text, bool regex, bool matchCase, long[] lines)
    {
        var store = _bed.OpenStore();
        var deployment = await AddAsync(store, 10_000);
        var query = new LogQuery(text, regex, matchCase);

        foreach (var _ in new[] { "running", "sealed" })
        {
            var matches = await Search(store).FindAsync(deployment, query, 1, backwards: false, 10, 0, Cancel);

            Assert.Equal(lines, matches!.Matches.Select(match => match.Line.Line));
            Assert.Equal(lines.Length, matches.Total);
            await EndAndSealAsync(store, deployment);
        }
    }

    [Fact]
    public async Task FindAsync_NextAndPrevious_CountWhereTheyAre()
    {
        var store = _bed.OpenStore();
        var deployment = await AddAsync(store, 10_000);
        var query = new LogQuery("needle", IsRegex: false, MatchCase: false);

        var next = await Search(store).FindAsync(deployment, query, 1_001, backwards: false, 1, 2, Cancel);
        var previous = await Search(store).FindAsync(deployment, query, 8_999, backwards: true, 1, 2, Cancel);
        var count = await Search(store).FindAsync(deployment, query, 1, backwards: false, 0, 0, Cancel);

        foreach (var found in new[] { next, previous })
        {
            Assert.Equal((3, 1), (found!.Total, found.Before));
            var match = Assert.Single(found.Matches);
            Assert.Equal([4_998, 4_999], match.Before.Select(line => line.Line));
            Assert.Equal(5_000, match.Line.Line);
            Assert.Equal([5_001, 5_002], match.After.Select(line => line.Line));
        }

        Assert.Equal((3, 0), (count!.Total, count.Matches.Count));
    }

    [Fact]
    public async Task FindAsync_Filters_Apply()
    {
        var store = _bed.OpenStore();
        var deployment = await AddAsync(store, 10_000);
        var all = (await store.GetLogsRange(deployment, 1, 10_000, Cancel))!.Lines;
        var query = new LogQuery("line", IsRegex: false, MatchCase: false);
        LogQuery[] queries =
        [
            query with { Stream = LogStream.Stderr },
            query with { Step = StepKind.Start },
            query with { Since = all[2_500].Time, Until = all[7_500].Time },
            query with { Stream = LogStream.Stdout, Step = StepKind.Pull, Since = all[600].Time },
            query with { Since = Instant.MinValue, Until = Instant.MaxValue },
        ];

        foreach (var filtered in queries)
        {
            var expected = all.Count(line => line.Text.Contains("line", StringComparison.Ordinal)
                && (filtered.Stream is null || line.Stream == filtered.Stream)
                && (filtered.Step is null || line.Step == filtered.Step)
                && (filtered.Since is null || line.Time >= filtered.Since)
                && (filtered.Until is null || line.Time < filtered.Until));
            Assert.Equal(expected, (await Search(store).FindAsync(deployment, filtered, 1, backwards: false, 5, 0, Cancel))!.Total);
        }

        await EndAndSealAsync(store, deployment);
        Assert.Equal(
            all.Count(line => line.Stream is LogStream.Stderr && line.Text.Contains("line", StringComparison.Ordinal)),
            (await Search(store).FindAsync(deployment, queries[0], 1, backwards: false, 5, 0, Cancel))!.Total);
    }

    [Fact]
    public async Task FindAsync_UnknownDeployment_IsNull()
    {
        var query = new LogQuery("x", IsRegex: false, MatchCase: false);

        Assert.Null(await Search(_bed.OpenStore()).FindAsync(4711, query, 1, backwards: false, 10, 0, Cancel));
    }

    [Fact]
    public async Task FindAsync_ExplosiveExpression_IsCutShort()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        await store.AppendLog(deployment, LogStream.System, StepKind.Prepare, new string('a', 5_000) + "!", Cancel);
        var query = new LogQuery(@"^(a+)+\1$", IsRegex: true, MatchCase: false);

        Assert.True(query.IsValid(out _));
        Assert.True((await Search(store).FindAsync(deployment, query, 1, backwards: false, 10, 0, Cancel))!.TimedOut);
    }

    [Fact]
    public async Task FindAcrossAsync_LineThatTakesTooLong_IsPassedOverAndAllElseSearched()
    {
        var store = _bed.OpenStore();
        var (older, newer) = (await _bed.AddDeploymentAsync(), await _bed.AddDeploymentAsync());
        await store.AppendLog(older, LogStream.System, StepKind.Prepare, "a needle", Cancel);
        foreach (var text in new[] { "a needle", new string('a', 5_000) + "!", "another needle" })
        {
            await store.AppendLog(newer, LogStream.System, StepKind.Prepare, text, Cancel);
        }

        await EndAndSealAsync(store, newer);
        using var search = new LogSearch(store, new FakeTimeProvider());
        var page = await search.FindAcrossAsync(
            new LogQuery(@"needle|^(a+)+\1$", IsRegex: true, MatchCase: false), apps: null, after: null, 10, 0, Cancel);

        Assert.Equal([(newer, 1), (newer, 3), (older, 1)], page.Matches.Select(match => (match.DeploymentId, match.Match.Line.Line)));
        Assert.True(page.TimedOut);
        Assert.Null(page.Next);
    }

    [Theory]
    [InlineData("l[i]ne", true, 1)]
    [InlineData("l[i]ne", true, 60)]
    [InlineData("line", false, 60)]
    public async Task FindAcrossAsync_TimeIsUp_EndsThePageAtTheLineAndTheNextGoesOn(string text, bool regex, int secondsALook)
    {
        const int Lines = 20;
        var store = _bed.OpenStore();
        var (older, newer) = (await AddAsync(store, Lines), await AddAsync(store, Lines));
        await EndAndSealAsync(store, older);
        await EndAndSealAsync(store, newer);
        using var search = new LogSearch(store, new TickingTime(TimeSpan.FromSeconds(secondsALook)));

        var found = new List<(long, long)>();
        LogSearchCursor? cursor = null;
        do
        {
            var page = await search.FindAcrossAsync(
                new LogQuery(text, regex, MatchCase: false), apps: null, cursor, LogSearch.MaxMatches, 0, Cancel);
            Assert.InRange(page.Matches.Count, 1, regex ? Lines / 2 : Lines);
            Assert.Equal(page.Next is not null, page.TimedOut);
            found.AddRange(page.Matches.Select(match => (match.DeploymentId, match.Match.Line.Line)));
            cursor = page.Next;
        }
        while (cursor is not null);

        Assert.Equal(new[] { newer, older }.SelectMany(deployment => Enumerable.Range(1, Lines).Select(line => (deployment, (long)line))), found);
    }

    [Fact]
    public async Task FindAsync_CancelledWithinARun_Ends()
    {
        var store = _bed.OpenStore();
        var deployment = await AddAsync(store, 20);
        await EndAndSealAsync(store, deployment);
        var time = new TickingTime(TimeSpan.FromSeconds(1));
        using var search = new LogSearch(store, time);
        using var cancelled = new CancellationTokenSource(TimeSpan.FromSeconds(4), time);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => search.FindAsync(
            deployment, new LogQuery("l[i]ne", IsRegex: true, MatchCase: false), 1, backwards: false, 10, 0, cancelled.Token));
    }

    [Theory]
    [InlineData("", false, false)]
    [InlineData("(", true, false)]
    [InlineData("(", false, true)]
    [InlineData("a\nb", false, false)]
    [InlineData("a+", true, true)]
    public void IsValid_Text_SaysWhatIsWrong(string text, bool regex, bool valid)
    {
        Assert.Equal(valid, new LogQuery(text, regex, MatchCase: false).IsValid(out var problem));
        Assert.Equal(valid, problem is null);
    }

    [Theory]
    [InlineData("plain", new[] { "plain" })]
    [InlineData("^error: \\d+ of files?$", new[] { "error: ", " of file" })]
    [InlineData("a|b", new string[0])]
    [InlineData("(?i)abc", new string[0])]
    [InlineData("abc[xyz]def", new[] { "abc", "def" })]
    [InlineData("abc[]z]def", new[] { "abc", "def" })]
    [InlineData("abc(def)?ghi", new[] { "abc", "ghi" })]
    [InlineData("ab*cd{2}e", new[] { "a", "c", "e" })]
    [InlineData("ab+cd", new[] { "ab", "cd" })]
    [InlineData("a\\.b\\u0041c", new[] { "a" })]
    [InlineData("a.b", new[] { "a", "b" })]
    public void Find_Expression_GivesTextsThatEveryMatchHolds(string pattern, string[] literals)
    {
        Assert.Equal(literals, RegexLiterals.Find(pattern));
    }

    [Fact]
    public async Task FindAcrossAsync_SealedAndRunning_PagesThroughAllNewestFirst()
    {
        var store = _bed.OpenStore();
        var expected = new List<(long, long)>();
        for (var index = 0; index < 4; index++)
        {
            var deployment = await AddAsync(store, 9_500);
            expected.InsertRange(0, [(deployment, 1_000), (deployment, 5_000), (deployment, 9_000)]);
            if (index % 2 == 0)
            {
                await EndAndSealAsync(store, deployment);
            }
        }

        foreach (var limit in new[] { 1, 2, 5, 100 })
        {
            var found = new List<(long, long)>();
            LogSearchCursor? cursor = null;
            do
            {
                var page = await Search(store).FindAcrossAsync(
                    new LogQuery("needle", IsRegex: false, MatchCase: false), apps: null, cursor, limit, 1, Cancel);
                Assert.True(page.Matches.Count <= limit);
                Assert.All(page.Matches, match => Assert.Equal((1, 1), (match.Match.Before.Count, match.Match.After.Count)));
                found.AddRange(page.Matches.Select(match => (match.DeploymentId, match.Match.Line.Line)));
                cursor = page.Next;
            }
            while (cursor is not null);

            Assert.Equal(expected, found);
        }
    }

    [Theory]
    [InlineData("dl", false)]
    [InlineData("n[e]{2}[d]le", true)]
    public async Task FindAcrossAsync_QueryTheIndexCannotNarrow_IsFoundAllTheSame(string text, bool regex)
    {
        var store = _bed.OpenStore();
        var deployment = await AddAsync(store, 9_500);
        await EndAndSealAsync(store, deployment);

        var page = await Search(store).FindAcrossAsync(
            new LogQuery(text, regex, MatchCase: false), apps: null, after: null, 1_000, 0, Cancel);

        Assert.Equal([1_000, 5_000, 9_000], page.Matches.Select(match => match.Match.Line.Line));
    }

    [Fact]
    public async Task FindAcrossAsync_App_SearchesThatAppAlone()
    {
        var store = _bed.OpenStore();
        await AddAsync(store, 1_500);
        var second = await AddAsync(store, 1_500);

        var page = await Search(store).FindAcrossAsync(
            new LogQuery("needle", IsRegex: false, MatchCase: false), ["app-2"], after: null, 10, 0, Cancel);

        var match = Assert.Single(page.Matches);
        Assert.Equal(("app-2", second, DeploymentStatus.Running), (match.App, match.DeploymentId, match.Status));
        Assert.Null(page.Next);
    }

    [Fact]
    public async Task FindAcrossAsync_RemovedLog_IsNotSearched()
    {
        var store = _bed.OpenStore();
        var deployment = await AddAsync(store, 5_000);
        await EndAndSealAsync(store, deployment);
        await using (var db = _bed.CreateDbContext())
        {
            db.Deployments.Remove(await db.Deployments.FindAsync([deployment], Cancel) ?? throw new InvalidOperationException());
            await db.SaveChangesAsync(Cancel);
        }

        var page = await Search(store).FindAcrossAsync(
            new LogQuery("needle", IsRegex: false, MatchCase: false), apps: null, after: null, 10, 0, Cancel);

        Assert.Empty(page.Matches);
    }

    private static LogSearch Search(LogStore store) => new(store, TimeProvider.System);

    private async Task EndAndSealAsync(LogStore store, long deployment)
    {
        await _bed.EndAsync(deployment);
        await LogSealingTests.SealAsync(_bed, store);
    }

    private async Task<long> AddAsync(LogStore store, int lines)
    {
        var deployment = await _bed.AddDeploymentAsync();
        await using var appender = store.Open(deployment, []);
        for (var line = 1; line <= lines; line++)
        {
            var text = line switch
            {
                1_000 or 9_000 => $"a needle in line {line}",
                5_000 => $"A NEEDLE IN line {line}",
                7_000 => "grün ü→ done",
                8_000 => "a \u001b[31mred\u001b[0m word",
                _ => $"line {line} of hay",
            };
            await appender.AppendAsync((LogStream)(line % 3), (StepKind)(line % 6), text, Cancel);
            if (line % 999 == 0)
            {
                await appender.FlushAsync(Cancel);
            }
        }

        return deployment;
    }
}
