using Deployer.Core.Deployments;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Deployer.Core.Logs;

/// <summary>The tails of the deployments that somebody follows. A tail outlives its last follower for a while.</summary>
internal sealed class LogTails(LogStore store, DeploymentFeed feed, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<long, LogTail> _tails = [];
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Takes a seat at a deployment's tail.</summary>
    public Seat Join(long deploymentId)
    {
        lock (_gate)
        {
            if (!_tails.TryGetValue(deploymentId, out var tail))
            {
                tail = new LogTail(store, deploymentId, feed, time, logger);
                _tails.Add(deploymentId, tail);
            }

            tail.Followers++;
            return new Seat(this, deploymentId, tail);
        }
    }

    /// <summary>
    /// What comes after a cursor, if somebody follows the deployment already and it is in memory. It may be a moment old:
    /// only for those who wait for what comes.
    /// </summary>
    public LogPage? Look(long deploymentId, Instant? after, int limit)
    {
        LogTail? tail;
        lock (_gate)
        {
            _tails.TryGetValue(deploymentId, out tail);
        }

        return tail?.Look(after, limit).Page;
    }

    public async ValueTask DisposeAsync()
    {
        // Who leaves lingers no more, and the last one to leave takes the tail along.
        await _stop.CancelAsync();
        LogTail[] tails;
        lock (_gate)
        {
            tails = [.. _tails.Values];
            _tails.Clear();
        }

        foreach (var tail in tails)
        {
            await tail.DisposeAsync();
        }
    }

    private async Task LeaveAsync(long deploymentId, LogTail tail)
    {
        // One who polls comes back at once, and a page is reloaded: a tail made anew would read anew.
        await Task.Delay(Linger, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            if (--tail.Followers > 0 || !_tails.TryGetValue(deploymentId, out var current) || current != tail)
            {
                return;
            }

            _tails.Remove(deploymentId);
        }

        await tail.DisposeAsync();
    }

    /// <summary>A follower's seat; leave it by disposing it.</summary>
    internal sealed class Seat(LogTails tails, long deploymentId, LogTail tail) : IDisposable
    {
        public LogTail Tail => tail;

        public void Dispose() => _ = tails.LeaveAsync(deploymentId, tail);
    }
}
