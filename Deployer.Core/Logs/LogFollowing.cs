using System.Runtime.CompilerServices;
using NodaTime;

namespace Deployer.Core.Logs;

public sealed partial class LogStore
{
    /// <summary>
    /// The lines after a cursor; on an empty page of a log that may still grow, waits for a line, a change of status or
    /// the end first. However many wait for one deployment, the store is read about once. Without a wait the database is
    /// read: whoever has seen a final status gets all lines.
    /// </summary>
    /// <param name="deploymentId">The deployment.</param>
    /// <param name="after">Time of the last line seen; <see langword="null"/> for the beginning.</param>
    /// <param name="limit">Most lines to return, at least 1.</param>
    /// <param name="wait">Longest wait; after it the page is empty.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The page; <see langword="null"/> when there is no such deployment.</returns>
    public async Task<LogPage?> GetLogsAfter(
        long deploymentId, Instant? after, int limit, TimeSpan wait, CancellationToken cancellationToken)
    {
        // What a tail remembers may be a moment old: enough for one who waits and gets the rest then, not for one who does not.
        var page = (wait > TimeSpan.Zero ? _tails.Look(deploymentId, after, limit) : null)
            ?? await GetLogsAfter(deploymentId, after, limit, cancellationToken);
        if (page is null || page.Lines.Count > 0 || page.Complete || wait <= TimeSpan.Zero)
        {
            return page;
        }

        using var timeout = new CancellationTokenSource(wait, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        using var seat = _tails.Join(deploymentId);
        try
        {
            return await NextAsync(seat.Tail, page, deploymentId, limit, patient: true, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return page;
        }
    }

    /// <summary>
    /// Follows a log from a cursor on until it is complete: pages as they come, none of them empty unless the status
    /// changed. Pages of one deployment are shared by all who follow it; one who takes them slowly delays nobody and
    /// misses nothing.
    /// </summary>
    /// <param name="deploymentId">The deployment. The sequence is empty when there is none.</param>
    /// <param name="after">Time of the last line seen; <see langword="null"/> for the beginning.</param>
    /// <param name="limit">Most lines of a page, at least 1.</param>
    /// <param name="cancellationToken">Ends the sequence with <see cref="OperationCanceledException"/>.</param>
    public async IAsyncEnumerable<LogPage> FollowAsync(
        long deploymentId, Instant? after, int limit, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var page = _tails.Look(deploymentId, after, limit) ?? await GetLogsAfter(deploymentId, after, limit, cancellationToken);
        if (page is null)
        {
            yield break;
        }

        yield return page;
        await foreach (var next in FollowOnAsync(deploymentId, page, limit, patient: true, cancellationToken))
        {
            yield return next;
        }
    }

    /// <summary>
    /// Follows a log as <see cref="FollowAsync"/> does, but from a page on that the caller has read, and ends with the error
    /// when the log cannot be read: for one who says so meanwhile.
    /// </summary>
    /// <param name="deploymentId">The deployment.</param>
    /// <param name="page">What the caller knows.</param>
    /// <param name="limit">Most lines of a page, at least 1.</param>
    /// <param name="cancellationToken">Ends the sequence with <see cref="OperationCanceledException"/>.</param>
    public IAsyncEnumerable<LogPage> FollowUntilTroubleAsync(
        long deploymentId, LogPage page, int limit, CancellationToken cancellationToken) =>
        FollowOnAsync(deploymentId, page, limit, patient: false, cancellationToken);

    /// <summary>Reads what is stored of a log, page by page, without waiting for more. Memory does not grow with the log.</summary>
    /// <param name="deploymentId">The deployment. The sequence is empty when there is none.</param>
    /// <param name="limit">Most lines of a page, at least 1.</param>
    /// <param name="cancellationToken">Ends the sequence with <see cref="OperationCanceledException"/>.</param>
    public async IAsyncEnumerable<LogPage> ReadAllAsync(
        long deploymentId, int limit, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Instant? after = null;
        while (await GetLogsAfter(deploymentId, after, limit, cancellationToken) is { } page)
        {
            yield return page;
            if (page.Lines.Count < limit)
            {
                yield break;
            }

            after = page.NextAfter;
        }
    }

    private async IAsyncEnumerable<LogPage> FollowOnAsync(
        long deploymentId, LogPage page, int limit, bool patient, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (page.Complete)
        {
            yield break;
        }

        // The cursor makes it exact: whatever comes between the read of the page and the seat is after the cursor.
        using var seat = _tails.Join(deploymentId);
        while (!page.Complete && await NextAsync(seat.Tail, page, deploymentId, limit, patient, cancellationToken) is { } next)
        {
            page = next;
            yield return page;
        }
    }

    /// <summary>The next page after one, or the next status without lines.</summary>
    private async Task<LogPage?> NextAsync(
        LogTail tail, LogPage page, long deploymentId, int limit, bool patient, CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = tail.Changed;
            var view = tail.Look(page.NextAfter, limit);
            var alone = view.State is TailState.TooFarBack || (view.State is TailState.Failing && !patient);
            var next = alone
                ? await GetLogsAfter(deploymentId, page.NextAfter, limit, cancellationToken)
                : view.Page;
            if (view.State is TailState.Gone || (alone && next is null))
            {
                return null;
            }

            if (next is not null && next.Status < page.Status)
            {
                // The tail may be behind what the caller has read; a status never goes back to a lower number.
                next = next with { Status = page.Status };
            }

            if (next is not null && (next.Lines.Count > 0 || next.Complete || next.Status != page.Status))
            {
                return next;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }
}
