using System.Runtime.CompilerServices;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using NodaTime;

namespace Deployer.Web.Features.Console;

/// <summary>
/// Follows the log of a deployment by its cursor: reads what came after the last line it knows, at once when the feed
/// rings and at the latest when the floor has passed, until the log is complete. Holds no lines; whoever shows the log
/// gets the newest ones and asks for others by number.
/// </summary>
internal sealed partial class LogFollower(LogStore logs, DeploymentFeed feed, TimeProvider time, ILogger<LogFollower> logger)
{
    /// <summary>Lines in one read.</summary>
    public const int PageLines = 1000;

    /// <summary>Lines handed on with one growth: a few screens.</summary>
    public const int TailLines = 200;

    /// <summary>Longest wait between two reads.</summary>
    public static readonly TimeSpan Floor = TimeSpan.FromSeconds(1);

    /// <summary>Wait after a read that failed.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Yields first where the log stands, then each growth, change of status, trouble and end of trouble. Ends after
    /// the growth that is complete, or when there is no such deployment (any more).
    /// </summary>
    public async IAsyncEnumerable<LogGrowth> FollowAsync(
        long deploymentId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var bell = feed.Watch(deploymentId);
        var known = new LogGrowth(DeploymentStatus.Queued, Total: 0, [], Complete: false, Trouble: null);
        Instant? cursor = null;
        var opened = false;
        while (true)
        {
            var (page, failed) = await ReadAsync(deploymentId, cursor, opened, cancellationToken);
            if (failed)
            {
                if (known.Trouble is null)
                {
                    known = known with { Tail = [], Trouble = "The log cannot be read just now. Trying again…" };
                    yield return known;
                }

                await Task.Delay(RetryAfter, time, cancellationToken);
                continue;
            }

            if (page is null)
            {
                yield break;
            }

            var grown = Grow(known, page);
            if (!opened || grown.Tail.Count > 0 || grown.Complete || grown.Status != known.Status || grown.Trouble != known.Trouble)
            {
                yield return grown;
            }

            // A tail read of an empty log gives no cursor: that is the beginning, the next read starts there.
            opened = true;
            cursor = page.NextAfter ?? cursor;
            known = grown;
            if (grown.Complete)
            {
                yield break;
            }

            if (page.Lines.Count < PageLines)
            {
                await bell.WaitAsync(Floor, time, cancellationToken);
            }
        }
    }

    private static LogGrowth Grow(LogGrowth known, LogPage page) => new(
        page.Status,
        page.Lines is [.., var last] ? last.Line : known.Total,
        page.Lines.Count > TailLines ? [.. page.Lines.Skip(page.Lines.Count - TailLines)] : page.Lines,
        page.Complete,
        Trouble: null);

    private async Task<(LogPage? Page, bool Failed)> ReadAsync(
        long deploymentId, Instant? cursor, bool opened, CancellationToken cancellationToken)
    {
        try
        {
            var page = opened
                ? await logs.GetLogsAfter(deploymentId, cursor, PageLines, cancellationToken)
                : await logs.GetLogsTail(deploymentId, TailLines, cancellationToken);
            return (page, Failed: false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LogReadFailed(exception, deploymentId);
            return (null, Failed: true);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The log of deployment {DeploymentId} cannot be read; its console tries again")]
    private partial void LogReadFailed(Exception exception, long deploymentId);
}
