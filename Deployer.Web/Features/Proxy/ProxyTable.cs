using System.Collections.Frozen;
using Deployer.Core.Routing;

namespace Deployer.Web.Features.Proxy;

/// <summary>What answers at a host name.</summary>
/// <param name="App">The app's name.</param>
/// <param name="Live">The container that serves it; <see langword="null"/> when there is none.</param>
internal sealed record ProxyRoute(string App, ProxyTarget? Live);

/// <summary>
/// The routes as the proxy serves by them, swapped whole. Requests read it without a lock; one caller alone applies
/// changes.
/// </summary>
internal sealed class ProxyTable(Func<HttpMessageInvoker> connect) : IDisposable
{
    private readonly Dictionary<(long Id, TargetAddress Address), ProxyTarget> _targets = [];
    private FrozenDictionary<string, ProxyRoute> _routes = FrozenDictionary<string, ProxyRoute>.Empty;
    private TaskCompletionSource _emptied = New();

    /// <summary>Completes when the next closed target is left by its last request. Take it first, then count, then wait.</summary>
    public Task Emptied => Volatile.Read(ref _emptied).Task;

    /// <summary>What answers at a host name; <see langword="null"/> when nobody has it.</summary>
    /// <param name="host">Host name without port, in any case, with or without trailing dot.</param>
    public ProxyRoute? Find(string host) =>
        Volatile.Read(ref _routes).GetValueOrDefault(host.EndsWith('.') ? host[..^1] : host);

    /// <summary>
    /// Serves by a new state of the routes. When this returns, no request enters a target that is not active in it.
    /// </summary>
    public void Apply(RouteSnapshot snapshot)
    {
        var live = new Dictionary<long, ProxyTarget>();
        foreach (var target in snapshot.Targets)
        {
            if (target is { State: RouteTargetState.Active, Address: { } ip })
            {
                live.Add(target.AppId, Get(target.Id, new TargetAddress(ip, target.Port)));
            }
        }

        foreach (var target in live.Values)
        {
            target.Open();
        }

        // First the new table, then the closing: a request turned away at a closed target finds the new one at its next look.
        Volatile.Write(ref _routes, snapshot.Hosts.ToFrozenDictionary(
            host => host.Host,
            host => new ProxyRoute(host.App, host.InService ? live.GetValueOrDefault(host.AppId) : null),
            StringComparer.OrdinalIgnoreCase));
        var open = live.Values.ToHashSet();
        foreach (var target in _targets.Values.Where(target => !open.Contains(target)))
        {
            target.Close();
        }
    }

    /// <summary>
    /// Requests still at closed targets: id of the target → number; targets with none are forgotten. For the same caller
    /// as <see cref="Apply"/>.
    /// </summary>
    public Dictionary<long, int> CountDraining()
    {
        var counts = new Dictionary<long, int>();
        foreach (var target in _targets.Values.Where(target => target.IsClosed).ToList())
        {
            var inFlight = target.InFlight;
            if (inFlight == 0)
            {
                _targets.Remove((target.Id, target.Address));
                target.Dispose();
            }
            else
            {
                counts[target.Id] = counts.GetValueOrDefault(target.Id) + inFlight;
            }
        }

        return counts;
    }

    public void Dispose()
    {
        foreach (var target in _targets.Values)
        {
            target.Dispose();
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ProxyTarget Get(long id, TargetAddress address)
    {
        if (!_targets.TryGetValue((id, address), out var target))
        {
            target = new ProxyTarget(id, address, connect(), () => Interlocked.Exchange(ref _emptied, New()).TrySetResult());
            _targets.Add((id, address), target);
        }

        return target;
    }
}
