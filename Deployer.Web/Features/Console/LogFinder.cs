using Deployer.Core.Deployments;
using Deployer.Core.Logs;

namespace Deployer.Web.Features.Console;

/// <summary>A line that was looked for.</summary>
/// <param name="Line">Its number; 0 when the search left lines out and found none where it was to look.</param>
/// <param name="Index">The how-manieth of the matches it is, from 1.</param>
/// <param name="Total">How many lines match; of those that were looked at if <paramref name="TimedOut"/>.</param>
/// <param name="TimedOut">Whether the search took too long and left lines out.</param>
public sealed record FoundLine(long Line, long Index, long Total, bool TimedOut);

/// <summary>
/// Finds the next and the previous line in one deployment's log, going round at its ends. Where a search took too long,
/// the next match may be among the lines left out: then it does not go round.
/// </summary>
internal sealed class LogFinder(LogSearch search)
{
    /// <summary>What programs write when something went wrong and they did not say so on standard error.</summary>
    public static readonly LogQuery Complaint = new(@"\b(error|fatal|panic|exception|failed)\b", IsRegex: true, MatchCase: false);

    private static readonly LogQuery OnStandardError = new(@"\S", IsRegex: true, MatchCase: true) { Stream = LogStream.Stderr };

    /// <summary>The first match from a line on, or the last one up to it; <see langword="null"/> when nothing matches.</summary>
    public async Task<FoundLine?> FindAsync(
        long deploymentId, LogQuery query, long from, bool backwards, CancellationToken cancellationToken)
    {
        var found = await SearchAsync(deploymentId, query, from, backwards, cancellationToken);
        if (found is { Line: 0, Total: > 0, TimedOut: false })
        {
            found = await SearchAsync(deploymentId, query, backwards ? long.MaxValue : 1, backwards, cancellationToken);
        }

        return found is { Line: > 0 } or { TimedOut: true } ? found : null;
    }

    /// <summary>
    /// The next line that tells of an error and passes the filter, or the previous one; <see langword="null"/> when there is
    /// none, and 0 when none was found because the search took too long.
    /// </summary>
    public async Task<long?> FindErrorAsync(long deploymentId, LineFilter filter, long from, bool backwards, CancellationToken cancellationToken)
    {
        var lines = new List<long>();
        var tookTooLong = false;
        foreach (var query in (LogQuery[])[Complaint with { Stream = filter.Stream }, OnStandardError])
        {
            if (filter.Stream is not null && query.Stream != filter.Stream)
            {
                continue;
            }

            var found = await FindAsync(deploymentId, query with { Step = filter.Step }, from, backwards, cancellationToken);
            tookTooLong |= found is { Line: 0 };
            if (found is { Line: > 0 })
            {
                lines.Add(found.Line);
            }
        }

        if (lines.Count == 0)
        {
            return tookTooLong ? 0 : null;
        }

        // The nearer one in the direction; those that were found by going round come last.
        return backwards
            ? lines.OrderBy(line => line > from).ThenByDescending(line => line).First()
            : lines.OrderBy(line => line < from).ThenBy(line => line).First();
    }

    /// <summary>The line of a step that tells most of why it failed: its first one on standard error, else anybody's, else its first complaint.</summary>
    public async Task<long?> FindTellingAsync(long deploymentId, StepKind step, CancellationToken cancellationToken)
    {
        foreach (var query in (LogQuery[])[OnStandardError with { Step = step }, OnStandardError, Complaint with { Step = step }])
        {
            if (await FindAsync(deploymentId, query, from: 1, backwards: false, cancellationToken) is { Line: > 0 } found)
            {
                return found.Line;
            }
        }

        return null;
    }

    // A log is searched on the thread that asks; a circuit's own must stay free.
    private Task<FoundLine?> SearchAsync(
        long deploymentId, LogQuery query, long from, bool backwards, CancellationToken cancellationToken) =>
        Task.Run(
            async () =>
            {
                var found = await search.FindAsync(
                    deploymentId, query, Math.Max(1, from), backwards, limit: 1, context: 0, cancellationToken);
                return found is null
                    ? null
                    : new FoundLine(found.Matches is [var match, ..] ? match.Line.Line : 0, found.Before + 1, found.Total, found.TimedOut);
            },
            cancellationToken);
}
