using System.Collections.Concurrent;

namespace Deployer.Core.Deployments;

/// <summary>
/// Wakes whoever watches deployments: new lines, a new step, a new status. Carries no data: who is woken reads the
/// database. It only makes readers quick; every reader keeps a timer as its floor, so several processes may share one
/// database.
/// </summary>
public sealed class DeploymentFeed
{
    private readonly ConcurrentDictionary<long, Watchers> _byDeployment = new();
    private readonly Watchers _all = new(whenEmpty: null);

    /// <summary>Tells the watchers of a deployment, and those of all, that something about it changed.</summary>
    public void Publish(long deploymentId)
    {
        if (_byDeployment.TryGetValue(deploymentId, out var watchers))
        {
            watchers.Wake();
        }

        _all.Wake();
    }

    /// <summary>Tells the watchers of a deployment alone that it has new lines.</summary>
    public void PublishLines(long deploymentId)
    {
        if (_byDeployment.TryGetValue(deploymentId, out var watchers))
        {
            watchers.Wake();
        }
    }

    /// <summary>Tells the watchers of all that an app was added, changed or removed.</summary>
    public void PublishApps() => _all.Wake();

    /// <summary>Watches one deployment. Subscribe first, then read, then wait: so nothing falls between.</summary>
    public FeedSubscription Watch(long deploymentId)
    {
        while (true)
        {
            var watchers = _byDeployment.GetOrAdd(
                deploymentId, id => new Watchers(whenEmpty: emptied => _byDeployment.TryRemove(new(id, emptied))));
            if (watchers.TryAdd() is { } subscription)
            {
                return subscription;
            }
        }
    }

    /// <summary>Watches every deployment and app, for pages that list them.</summary>
    public FeedSubscription WatchAll() => _all.TryAdd()!;

    /// <summary>The watchers of one thing. With <c>whenEmpty</c>, it takes no more once its last one has left.</summary>
    private sealed class Watchers(Action<Watchers>? whenEmpty)
    {
        private readonly Lock _gate = new();
        private readonly List<FeedSubscription> _subscriptions = [];
        private FeedSubscription[] _snapshot = [];
        private bool _closed;

        public FeedSubscription? TryAdd()
        {
            lock (_gate)
            {
                if (_closed)
                {
                    return null;
                }

                var subscription = new FeedSubscription(Remove);
                _subscriptions.Add(subscription);
                _snapshot = [.. _subscriptions];
                return subscription;
            }
        }

        public void Wake()
        {
            foreach (var subscription in Volatile.Read(ref _snapshot))
            {
                subscription.Wake();
            }
        }

        private void Remove(FeedSubscription subscription)
        {
            lock (_gate)
            {
                _subscriptions.Remove(subscription);
                _snapshot = [.. _subscriptions];
                if (_subscriptions.Count == 0 && whenEmpty is not null)
                {
                    _closed = true;
                    whenEmpty(this);
                }
            }
        }
    }
}

/// <summary>A watcher's bell. Rings that come while nobody waits are kept as one.</summary>
public sealed class FeedSubscription : IDisposable
{
    private readonly SemaphoreSlim _bell = new(0, 1);
    private readonly Action<FeedSubscription> _leave;
    private int _rung;
    private int _left;

    internal FeedSubscription(Action<FeedSubscription> leave) => _leave = leave;

    /// <summary>Waits until something changed since the last wait ended, or until the floor has passed.</summary>
    /// <param name="floor">Longest wait.</param>
    /// <param name="time">Clock of the floor.</param>
    /// <param name="cancellationToken">Ends the wait with <see cref="OperationCanceledException"/>.</param>
    /// <returns>Whether the bell rang; <see langword="false"/> when the floor passed.</returns>
    public async Task<bool> WaitAsync(TimeSpan floor, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(floor, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await _bell.WaitAsync(either.Token);
            Volatile.Write(ref _rung, 0);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Stops watching.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _left, 1) == 0)
        {
            _leave(this);
        }
    }

    internal void Wake()
    {
        if (Interlocked.Exchange(ref _rung, 1) == 0)
        {
            _bell.Release();
        }
    }
}
