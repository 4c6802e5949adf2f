using System.Collections.ObjectModel;
using Deployer.Core.Routing;

namespace Deployer.Web.Features.Proxy;

/// <summary>
/// Keeps a proxy's table at the routes in the database, and tells the database what the proxy does. When the database
/// cannot be read, the proxy goes on serving by what it has.
/// </summary>
internal sealed partial class ProxyFollower(
    ProxyTable table, RouteReader routes, ProxyRegister register, RouteFeed feed, TimeProvider time,
    ILogger<ProxyFollower> logger)
{
    // A change made by another process rings no bell here.
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    private readonly string _id = $"{Environment.MachineName}:{Environment.ProcessId}:{Guid.NewGuid():n}";
    private string _urls = string.Empty;
    private RouteStamp? _applied;
    private IReadOnlyDictionary<long, int> _reported = ReadOnlyDictionary<long, int>.Empty;
    private long _reportedAt;

    /// <summary>
    /// Announces the proxy and makes it ready to serve. To be called before it listens: announced first and read after,
    /// so that a switch either waits for this proxy or is already in what it reads.
    /// </summary>
    public async Task EnterAsync(string urls, CancellationToken cancellationToken)
    {
        _urls = urls;
        await register.EnterAsync(_id, urls, cancellationToken);
        await FollowOnceAsync(cancellationToken);
    }

    /// <summary>Follows until it is stopped.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var lastFailure = string.Empty;
        while (!cancellationToken.IsCancellationRequested)
        {
            Task[] bells = [feed.Changed, table.Emptied];
            try
            {
                await FollowOnceAsync(cancellationToken);
                lastFailure = string.Empty;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                // Ten times a second the same: told once.
                if (!string.Equals(lastFailure, exception.Message, StringComparison.Ordinal))
                {
                    LogFollowFailed(exception);
                }

                lastFailure = exception.Message;
            }

            await RouteFeed.WaitAsync(bells, LookAgain, time, cancellationToken);
        }
    }

    /// <summary>Takes the proxy off the register, once it has stopped serving.</summary>
    public Task LeaveAsync(CancellationToken cancellationToken) => register.LeaveAsync(_id, cancellationToken);

    private async Task FollowOnceAsync(CancellationToken cancellationToken)
    {
        var isDue = time.GetElapsedTime(_reportedAt) >= ProxyRegister.ReportInterval;
        if (await routes.ReadStampAsync(cancellationToken) != _applied)
        {
            var snapshot = await routes.ReadAsync(cancellationToken);
            table.Apply(snapshot);
            _applied = snapshot.Stamp;
            isDue = true;
            LogApplied(snapshot.Stamp.Version, snapshot.Hosts.Count);
        }

        var draining = table.CountDraining();
        if (isDue || !Same(draining, _reported))
        {
            while (!await register.ReportAsync(_id, _applied.Version, draining, cancellationToken))
            {
                // Asleep for so long that the others forgot this proxy.
                await register.EnterAsync(_id, _urls, cancellationToken);
            }

            _reported = draining;
            _reportedAt = time.GetTimestamp();
        }
    }

    private static bool Same(Dictionary<long, int> now, IReadOnlyDictionary<long, int> before) =>
        now.Count == before.Count && now.All(count => before.GetValueOrDefault(count.Key) == count.Value);

    [LoggerMessage(LogLevel.Debug, "The proxy serves by routes version {Version}, {Hosts} hosts")]
    private partial void LogApplied(long version, int hosts);

    [LoggerMessage(LogLevel.Error, "The routes cannot be followed; the proxy serves by what it last read and tries again")]
    private partial void LogFollowFailed(Exception exception);
}
