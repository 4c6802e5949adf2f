using System.Runtime.InteropServices;

namespace Deployer.Web.Features.Security;

/// <summary>
/// So many attempts in a window of time that begins with the first one, for each key. The framework's limiters read the
/// machine's own clock, so that no test could see a window end.
/// </summary>
internal sealed class AttemptLimit(int permits, TimeSpan window, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Attempts> _keys = new(StringComparer.Ordinal);
    private DateTimeOffset _sweepAt = time.GetUtcNow() + window;

    /// <summary>Counts an attempt; <see langword="false"/> when there were too many.</summary>
    public bool TryTake(string key)
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            Sweep(now);
            ref var attempts = ref CollectionsMarshal.GetValueRefOrAddDefault(_keys, key, out var known);
            if (!known || attempts.Until <= now)
            {
                attempts = new Attempts(0, now + window);
            }

            if (attempts.Count >= permits)
            {
                return false;
            }

            attempts = attempts with { Count = attempts.Count + 1 };
            return true;
        }
    }

    /// <summary>Whether the next attempt would be one too many.</summary>
    public bool IsSpent(string key)
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            return _keys.TryGetValue(key, out var attempts) && attempts.Until > now && attempts.Count >= permits;
        }
    }

    /// <summary>How many keys it remembers.</summary>
    internal int Known
    {
        get
        {
            lock (_gate)
            {
                return _keys.Count;
            }
        }
    }

    /// <summary>Forgets the windows that are over, once a window, so that memory does not grow with the keys of the past.</summary>
    private void Sweep(DateTimeOffset now)
    {
        if (now < _sweepAt)
        {
            return;
        }

        _sweepAt = now + window;
        foreach (var (key, attempts) in _keys)
        {
            if (attempts.Until <= now)
            {
                _keys.Remove(key);
            }
        }
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Attempts(int Count, DateTimeOffset Until);
}
