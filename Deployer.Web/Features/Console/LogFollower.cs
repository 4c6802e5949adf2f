using System.Runtime.CompilerServices;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;

namespace Deployer.Web.Features.Console;

/// <summary>
/// Follows the log of a deployment from its end: learns at once what comes after the last line it knows, until the log is
/// complete. The store reads for all who follow one deployment together. Holds no lines; whoever shows the log gets the
/// newest ones and asks for others by number.
/// </summary>
internal sealed partial class LogFollower(LogStore logs, TimeProvider time, ILogger<LogFollower> logger)
{
    /// <summary>Lines in one read.</summary>
    public const int PageLines = 1000;

    /// <summary>Lines handed on with one growth: a few screens.</summary>
    public const int TailLines = 200;

    /// <summary>Wait after a read that failed.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Yields first where the log stands, then each growth, change of status, trouble and end of trouble. Ends after
    /// the growth that is complete, or when there is no such deployment (any more).
    /// </summary>
    public async IAsyncEnumerable<LogGrowth> FollowAsync(
        long deploymentId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var known = new LogGrowth(DeploymentStatus.Queued, Total: 0, [], Complete: false, Trouble: null);
        LogPage? last = null;
        while (true)
        {
            await using var pages = PagesAsync(deploymentId, last, cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (await MoveNextAsync(pages, deploymentId) is var moved && moved is not Moved.Failed)
            {
                if (moved is Moved.End)
                {
                    yield break;
                }

                var grown = Grow(known, pages.Current);
                if (last is null || grown.Tail.Count > 0 || grown.Complete || grown.Status != known.Status || grown.Trouble != known.Trouble)
                {
                    yield return grown;
                }

                last = pages.Current;
                known = grown;
            }

            if (known.Trouble is null)
            {
                known = known with { Tail = [], Trouble = "The log cannot be read just now. Trying again…" };
                yield return known;
            }

            await Task.Delay(RetryAfter, time, cancellationToken);
        }
    }

    private static LogGrowth Grow(LogGrowth known, LogPage page) => new(
        page.Status,
        page.Lines is [.., var last] ? last.Line : known.Total,
        page.Lines.Count > TailLines ? [.. page.Lines.Skip(page.Lines.Count - TailLines)] : page.Lines,
        page.Complete,
        Trouble: null);

    /// <summary>The last lines, or what came after a page, then what comes; fails when the log cannot be read.</summary>
    private async IAsyncEnumerable<LogPage> PagesAsync(
        long deploymentId, LogPage? last, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A tail of an empty log gives no cursor: that is the beginning, what comes starts there.
        var page = last is null
            ? await logs.GetLogsTail(deploymentId, TailLines, cancellationToken)
            : await logs.GetLogsAfter(deploymentId, last.NextAfter, PageLines, cancellationToken);
        if (page is null)
        {
            yield break;
        }

        yield return page;
        await foreach (var next in logs.FollowUntilTroubleAsync(deploymentId, page, PageLines, cancellationToken))
        {
            yield return next;
        }
    }

    private async ValueTask<Moved> MoveNextAsync(IAsyncEnumerator<LogPage> pages, long deploymentId)
    {
        try
        {
            return await pages.MoveNextAsync() ? Moved.Page : Moved.End;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LogReadFailed(exception, deploymentId);
            return Moved.Failed;
        }
    }

    [LoggerMessage(LogLevel.Warning, "The log of deployment {DeploymentId} cannot be read; its console tries again")]
    private partial void LogReadFailed(Exception exception, long deploymentId);

    /// <summary>How a step to the next page went.</summary>
    private enum Moved
    {
        Page,
        End,
        Failed,
    }
}
