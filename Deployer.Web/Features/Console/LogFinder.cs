using Deployer.Core.Deployments;
using Deployer.Core.Logs;

namespace Deployer.Web.Features.Console;

/// <summary>A line that was looked for.</summary>
/// <param name="Line">Its number.</param>
/// <param name="Index">The how-manieth of the matches it is, from 1.</param>
/// <param name="Total">How many lines match; what was counted until then if <paramref name="TimedOut"/>.</param>
/// <param name="TimedOut">Whether the search took too long and was cut short.</param>
public sealed record FoundLine(long Line, long Index, long Total, bool TimedOut);

/// <summary>Finds the next and the previous line in one deployment's log, going round at its ends.</summary>
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
        return found is { Line: 0, Total: > 0 }
            ? await SearchAsync(deploymentId, query, backwards ? long.MaxValue : 1, backwards, cancellationToken)
            : found is { Line: > 0 } ? found : null;
    }

    /// <summary>The next line that tells of an error and passes the filter, or the previous one; <see langword="null"/> when there is none.</summary>
    public async Task<long?> FindErrorAsync(long deploymentId, LineFilter filter, long from, bool backwards, CancellationToken cancellationToken)
    {
        var lines = new List<long>();
        foreach (var query in (LogQuery[])[Complaint with { Stream = filter.Stream }, OnStandardError])
        {
            if (filter.Stream is not null && query.Stream != filter.Stream)
            {
                continue;
            }

            if (await FindAsync(deploymentId, query with { Step = filter.Step }, from, backwards, cancellationToken) is { } found)
            {
                lines.Add(found.Line);
            }
        }

        if (lines.Count == 0)
        {
            return null;
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
            if (await FindAsync(deploymentId, query, from: 1, backwards: false, cancellationToken) is { } found)
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
