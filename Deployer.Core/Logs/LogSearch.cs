using System.Text.Json;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Logs;

/// <summary>A line in which something was found, with the lines around it.</summary>
/// <param name="Line">The line.</param>
/// <param name="Before">Lines before it, ascending.</param>
/// <param name="After">Lines after it, ascending.</param>
public sealed record LogMatch(LogLine Line, IReadOnlyList<LogLine> Before, IReadOnlyList<LogLine> After);

/// <summary>What was found in one deployment's log.</summary>
/// <param name="Status">The deployment's status.</param>
/// <param name="Total">How many lines match in all; of those that were looked at if <paramref name="TimedOut"/>.</param>
/// <param name="Before">How many matching lines come before the first one returned.</param>
/// <param name="Matches">The matches asked for, ascending.</param>
/// <param name="TimedOut">
/// Whether lines were left out: the search took too long and was cut short, or a line took too long by itself.
/// </param>
public sealed record DeploymentMatches(
    DeploymentStatus Status, long Total, long Before, IReadOnlyList<LogMatch> Matches, bool TimedOut);

/// <summary>A match in some deployment.</summary>
/// <param name="App">The app's name.</param>
/// <param name="DeploymentId">The deployment.</param>
/// <param name="Number">Its number within the app.</param>
/// <param name="Status">Its status.</param>
/// <param name="Match">The line and those around it.</param>
public sealed record DeploymentMatch(string App, long DeploymentId, int Number, DeploymentStatus Status, LogMatch Match);

/// <summary>A place in the results of a search across deployments: all up to this line were given.</summary>
/// <param name="DeploymentId">The deployment.</param>
/// <param name="Line">The line.</param>
public sealed record LogSearchCursor(long DeploymentId, long Line);

/// <summary>A page of what was found across deployments: newest deployment first, lines ascending.</summary>
/// <param name="Matches">The matches.</param>
/// <param name="Next">Where to go on; <see langword="null"/> when all was searched.</param>
/// <param name="TimedOut">
/// Whether the page was cut short because the search took long, where <paramref name="Next"/> goes on; or a line took too
/// long by itself and was passed over.
/// </param>
public sealed record LogMatchPage(IReadOnlyList<DeploymentMatch> Matches, LogSearchCursor? Next, bool TimedOut);

/// <summary>
/// Searches logs, of running deployments too. The full-text index says which pieces of sealed logs can hold a match;
/// those, and what is not sealed yet, are then read. Pieces are named by line numbers, which sealing does not change.
/// </summary>
public sealed class LogSearch(LogStore store, TimeProvider time) : IDisposable
{
    /// <summary>Most matches of a page.</summary>
    public const int MaxMatches = 1_000;

    /// <summary>Most lines around a match, on each side.</summary>
    public const int MaxContext = 50;

    private const string CandidateColumns = "a.name AS App, d.id AS DeploymentId, d.number AS Number, d.status AS Status";

    private const string CandidateFilter =
        """
        JOIN deployments d ON d.id = c.deployment_id JOIN apps a ON a.id = d.app_id
        WHERE d.log_removed_at IS NULL AND ($apps IS NULL OR a.name IN (SELECT value FROM json_each($apps))) AND c.last_time >= $since AND c.first_time < $until
          AND (d.id < $deployment OR (d.id = $deployment AND c.first_line + c.line_count - 1 > $line))
        """;

    private const string AllPieces =
        $"""
        SELECT {CandidateColumns}, c.first_line AS FirstLine, c.first_line + c.line_count - 1 AS LastLine
        FROM deployment_log_chapters c
        {CandidateFilter}
        """;

    private const string MatchingPieces =
        $"""
        SELECT {CandidateColumns}, c.first_line AS FirstLine, c.first_line + c.line_count - 1 AS LastLine
        FROM log_search s JOIN deployment_log_chapters c ON c.id = s.rowid
        {CandidateFilter} AND log_search MATCH $grams
        """;

    // The recursion walks from one deployment with unsealed runs to the next, without looking at all of their runs.
    private const string UnsealedPieces =
        $"""
        WITH RECURSIVE open(id) AS (
          SELECT min(deployment_id) FROM deployment_logs WHERE sealed = 0
          UNION ALL
          SELECT (SELECT min(deployment_id) FROM deployment_logs WHERE sealed = 0 AND deployment_id > open.id)
          FROM open WHERE open.id IS NOT NULL)
        SELECT {CandidateColumns}, coalesce(t.lines, 0) + 1 AS FirstLine, 9223372036854775807 AS LastLine
        FROM open JOIN deployments d ON d.id = open.id JOIN apps a ON a.id = d.app_id
        LEFT JOIN deployment_log_totals t ON t.deployment_id = d.id
        WHERE d.log_removed_at IS NULL AND ($apps IS NULL OR a.name IN (SELECT value FROM json_each($apps))) AND d.id <= $deployment
        """;

    // A search reads a million lines in a fraction of a second; one that takes longer than this is cut short and says so.
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _turn = new(Math.Max(1, Environment.ProcessorCount / 2));

    /// <summary>Searches the log of one deployment and counts all its matches.</summary>
    /// <param name="deploymentId">The deployment.</param>
    /// <param name="query">What to look for; valid.</param>
    /// <param name="from">
    /// The line to begin at: matches from it on are returned, or, going backwards, those up to it.
    /// </param>
    /// <param name="backwards">Whether to return the last matches up to <paramref name="from"/>.</param>
    /// <param name="limit">Most matches to return, 0 to <see cref="MaxMatches"/>.</param>
    /// <param name="context">Lines around each match, on each side, 0 to <see cref="MaxContext"/>.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>What was found; <see langword="null"/> when there is no such deployment.</returns>
    public async Task<DeploymentMatches?> FindAsync(
        long deploymentId, LogQuery query, long from, bool backwards, int limit, int context, CancellationToken cancellationToken)
    {
        Check(limit, context);
        var extent = await store.GetExtent(deploymentId, cancellationToken);
        if (extent is null)
        {
            return null;
        }

        var found = new Queue<LogLine>();
        var (total, before) = (0L, 0L);
        var timedOut = await RunAsync(
            query,
            (scan, connection) =>
            {
                foreach (var range in FindRanges(connection, scan, deploymentId))
                {
                    if (!scan.Run(connection, deploymentId, range, Count, Keep))
                    {
                        break;
                    }
                }

                return scan.TimedOut;
            },
            cancellationToken);
        return new DeploymentMatches(
            extent.Status, total, before, await AddContextAsync(deploymentId, found, context, cancellationToken), timedOut);

        bool Count(long line)
        {
            total++;
            var outside = backwards ? line > from : line < from;
            before += outside && !backwards ? 1 : 0;
            return !outside && limit > 0 && (backwards || found.Count < limit);
        }

        bool Keep(LogLine line)
        {
            found.Enqueue(line);
            if (found.Count > limit)
            {
                found.Dequeue();
                before++;
            }

            return true;
        }
    }

    /// <summary>Searches all deployments, or those of some apps: newest deployment first, lines ascending.</summary>
    /// <param name="query">What to look for; valid.</param>
    /// <param name="apps">Names of the apps to search; <see langword="null"/> for all.</param>
    /// <param name="after">Where the page before ended; <see langword="null"/> for the first page.</param>
    /// <param name="limit">Most matches to return, 1 to <see cref="MaxMatches"/>.</param>
    /// <param name="context">Lines around each match, on each side, 0 to <see cref="MaxContext"/>.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    public async Task<LogMatchPage> FindAcrossAsync(
        LogQuery query, IReadOnlyCollection<string>? apps, LogSearchCursor? after, int limit, int context, CancellationToken cancellationToken)
    {
        Check(limit, context);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var found = new List<(Candidate Candidate, LogLine Line)>();
        var next = after;
        var timedOut = await RunAsync(
            query,
            (scan, connection) =>
            {
                foreach (var candidate in FindCandidates(connection, scan, apps, after))
                {
                    var goOn = scan.Run(connection, candidate.DeploymentId, candidate.Range, _ => true, line =>
                    {
                        found.Add((candidate, line));
                        return found.Count < limit;
                    });
                    if (!goOn)
                    {
                        var last = found.Count > 0 && found[^1].Candidate == candidate ? found[^1].Line.Line : 0;
                        next = new LogSearchCursor(candidate.DeploymentId, Math.Max(last, scan.Reached));
                        return scan.TimedOut;
                    }
                }

                next = null;
                return scan.TimedOut;
            },
            cancellationToken);
        var matches = new List<DeploymentMatch>(found.Count);
        foreach (var (candidate, line) in found)
        {
            var match = await AddContextAsync(candidate.DeploymentId, [line], context, cancellationToken);
            matches.Add(new DeploymentMatch(candidate.App, candidate.DeploymentId, candidate.Number, candidate.Status, match[0]));
        }

        return new LogMatchPage(matches, next, timedOut);
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private static void Check(int limit, int context)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxMatches);
        ArgumentOutOfRangeException.ThrowIfNegative(context);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(context, MaxContext);
    }

    private async Task<bool> RunAsync(
        LogQuery query, Func<LogScan, LogReadConnection, bool> search, CancellationToken cancellationToken)
    {
        // A search takes a whole processor: some at a time, and never the thread of a circuit.
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var scan = new LogScan(query, new LogScanLimit(TimeLimit, time, cancellationToken));
            return await Task.Run(() => store.Reads.Run(connection => search(scan, connection)), cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<List<LogMatch>> AddContextAsync(
        long deploymentId, IEnumerable<LogLine> lines, int context, CancellationToken cancellationToken)
    {
        var matches = new List<LogMatch>();
        foreach (var line in lines)
        {
            var around = context == 0 ? null : await store.GetLogsRange(
                deploymentId, Math.Max(1, line.Line - context), (int)Math.Min(context, line.Line - 1) + 1 + context, cancellationToken);
            matches.Add(new LogMatch(
                line,
                [.. around?.Lines.Where(near => near.Line < line.Line) ?? []],
                [.. around?.Lines.Where(near => near.Line > line.Line) ?? []]));
        }

        return matches;
    }

    /// <summary>The pieces of one log that can hold a match, ascending.</summary>
    private static List<LineRange> FindRanges(LogReadConnection connection, LogScan scan, long deploymentId)
    {
        if (LogGrams.ToQuery(scan.Literals) is not { } grams)
        {
            return [new LineRange(1, long.MaxValue)];
        }

        // In this order: what is sealed in between is then in both, and the overlap is cut off; never in neither.
        var sealedLines = connection.Db.Set<LogTotals>()
            .Where(totals => totals.DeploymentId == deploymentId).Select(totals => totals.Lines).FirstOrDefault();
        var ranges = connection.Db.Database.SqlQuery<Piece>(
            $"""
            SELECT c.first_line AS FirstLine, c.line_count AS LineCount
            FROM log_search s JOIN deployment_log_chapters c ON c.id = s.rowid
            WHERE log_search MATCH {grams} AND c.deployment_id = {deploymentId} AND c.first_line <= {sealedLines}
            ORDER BY c.first_line
            """)
            .AsEnumerable()
            .Select(piece => new LineRange(piece.FirstLine, piece.FirstLine + piece.LineCount - 1))
            .ToList();
        ranges.Add(new LineRange(sealedLines + 1, long.MaxValue));
        return ranges;
    }

    /// <summary>The pieces of all logs that can hold a match and come after a place, in the order of the results.</summary>
    private static List<Candidate> FindCandidates(LogReadConnection connection, LogScan scan, IReadOnlyCollection<string>? apps, LogSearchCursor? after)
    {
        var db = connection.Db.Database;
        var unsealed = db.SqlQueryRaw<Candidate>(UnsealedPieces, Parameters()).ToList();
        var pieces = LogGrams.ToQuery(scan.Literals) is { } grams
            ? db.SqlQueryRaw<Candidate>(MatchingPieces, [.. Parameters(), new SqliteParameter("$grams", grams)]).ToList()
            : db.SqlQueryRaw<Candidate>(AllPieces, Parameters()).ToList();

        // As above: a piece sealed since the first query is in both; it counts as not sealed.
        var openFrom = unsealed.ToDictionary(candidate => candidate.DeploymentId, candidate => candidate.FirstLine);
        return [.. pieces
            .Where(piece => !openFrom.TryGetValue(piece.DeploymentId, out var open) || piece.FirstLine < open)
            .Concat(unsealed)
            .Select(candidate => candidate.DeploymentId == after?.DeploymentId && candidate.FirstLine <= after.Line
                ? candidate with { FirstLine = after.Line + 1 }
                : candidate)
            .OrderByDescending(candidate => candidate.DeploymentId).ThenBy(candidate => candidate.FirstLine)];

        object[] Parameters() =>
        [
            new SqliteParameter("$since", scan.Since),
            new SqliteParameter("$until", scan.Until),
            new SqliteParameter("$apps", apps is null ? DBNull.Value : JsonSerializer.Serialize(apps)),
            new SqliteParameter("$deployment", after?.DeploymentId ?? long.MaxValue),
            new SqliteParameter("$line", after?.Line ?? 0),
        ];
    }

    private sealed record Piece(long FirstLine, int LineCount);

    private sealed record Candidate(
        string App, long DeploymentId, int Number, DeploymentStatus Status, long FirstLine, long LastLine)
    {
        public LineRange Range => new(FirstLine, LastLine);
    }
}
