namespace Deployer.Core.Access;

/// <summary>
/// Tells open pages at once that somebody's rights changed. It only makes them quick: each also asks by a timer, so
/// several processes may share one database.
/// </summary>
public sealed class AccessFeed
{
    private readonly Lock _gate = new();
    private Action[] _watchers = [];

    /// <summary>Somebody's session, role or account changed.</summary>
    public void Publish()
    {
        foreach (var watcher in Volatile.Read(ref _watchers))
        {
            watcher();
        }
    }

    /// <summary>Calls back at each change until disposed. The callback must not block nor throw.</summary>
    public IDisposable Watch(Action onChange)
    {
        lock (_gate)
        {
            _watchers = [.. _watchers, onChange];
        }

        return new Watcher(this, onChange);
    }

    private sealed class Watcher(AccessFeed feed, Action onChange) : IDisposable
    {
        public void Dispose()
        {
            lock (feed._gate)
            {
                feed._watchers = [.. feed._watchers.Where(watcher => !ReferenceEquals(watcher, onChange))];
            }
        }
    }
}
