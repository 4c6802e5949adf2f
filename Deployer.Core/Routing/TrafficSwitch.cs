using Deployer.Core.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Deployer.Core.Routing;

/// <summary>
/// Moves an app's traffic from one container to another without a request lost: the new target is written, every serving
/// proxy confirms that it sends new requests there, and the old one is left once the requests it has are finished.
/// All state is in the database, so that the proxies may be other processes and a crash leaves what was done readable.
/// </summary>
public sealed partial class TrafficSwitch(
    IDbContextFactory<DeployerDb> databases, ProxyRegister proxies, RouteFeed feed, TimeProvider time,
    ILogger<TrafficSwitch> logger)
{
    /// <summary>Longest wait for the proxies to confirm a change; longer than a silent proxy counts as serving.</summary>
    public static readonly TimeSpan ConfirmationCap = TimeSpan.FromSeconds(10);

    // Proxies of other processes ring no bell here.
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Sends the app's new requests to a container. Returns when all serving proxies have confirmed, or when
    /// <see cref="ConfirmationCap"/> has passed. Calling it again with the same target only waits again; calling it with a
    /// target that drains takes the switch back. Also used to start an app whose container exists.
    /// </summary>
    /// <param name="appId">The app.</param>
    /// <param name="hosts">Host names of the deployment's spec; from now on these and no others lead to the app.</param>
    /// <param name="target">The container, healthy and reached at its address.</param>
    /// <param name="cancellationToken">Ends the wait; the switch stays made once it was written.</param>
    /// <exception cref="HostTakenException">Another app has one of the hosts; nothing was changed.</exception>
    public async Task<SwitchResult> MoveAsync(
        long appId, IReadOnlyList<string> hosts, NewTarget target, CancellationToken cancellationToken)
    {
        var version = await WriteAsync(appId, hosts, target, cancellationToken);
        LogMoved(appId, target.ContainerId, target.Address, version);
        return await ConfirmAsync(appId, version, cancellationToken);
    }

    /// <summary>
    /// Takes the app out of service: its hosts answer 503 from now on and its target drains. Returns as
    /// <see cref="MoveAsync"/> does.
    /// </summary>
    public async Task<SwitchResult> WithdrawAsync(long appId, CancellationToken cancellationToken)
    {
        var version = await ChangeAsync(
            (db, version) => LetActiveDrainAsync(db, appId, version, cancellationToken), cancellationToken);
        LogWithdrawn(appId, version);
        return await ConfirmAsync(appId, version, cancellationToken);
    }

    /// <summary>
    /// Takes the app's hosts out of service as well: nothing leads to it any more, for an app whose deployment has none.
    /// </summary>
    public async Task<SwitchResult> CloseAsync(long appId, CancellationToken cancellationToken)
    {
        if (!await IsInServiceAsync(appId, cancellationToken))
        {
            return new SwitchResult(null, [], 0, 0);
        }

        var version = await ChangeAsync(
            async (db, version) =>
            {
                await LetActiveDrainAsync(db, appId, version, cancellationToken);
                await HostBook.PutIntoServiceAsync(db, appId, deploymentId: null, [], cancellationToken);
            },
            cancellationToken);
        LogWithdrawn(appId, version);
        return await ConfirmAsync(appId, version, cancellationToken);
    }

    /// <summary>
    /// Waits until no serving proxy has a request at a draining target any more. A WebSocket or an event stream counts as
    /// a request for as long as it is open.
    /// </summary>
    /// <param name="old">A target from <see cref="SwitchResult.Draining"/>.</param>
    /// <param name="cap">Longest wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What is left.</returns>
    public async Task<DrainResult> DrainAsync(RouteTarget old, TimeSpan cap, CancellationToken cancellationToken)
    {
        var begun = time.GetTimestamp();
        while (true)
        {
            var reported = feed.Reported;
            var serving = await proxies.ListServingAsync(cancellationToken);
            var result = new DrainResult(
                serving.Sum(proxy => proxy.Draining.GetValueOrDefault(old.Id)),
                serving.Count(proxy => proxy.Version < old.Version));
            var left = cap - time.GetElapsedTime(begun);
            if (result.IsEmpty || left <= TimeSpan.Zero)
            {
                LogDrained(old.AppId, old.ContainerId, result.InFlight, result.Behind);
                return result;
            }

            await RouteFeed.WaitAsync([reported], left < LookAgain ? left : LookAgain, time, cancellationToken);
        }
    }

    /// <summary>Forgets a draining target, after its container was stopped. One that serves again meanwhile stays.</summary>
    public Task RetireAsync(RouteTarget old, CancellationToken cancellationToken) => ChangeAsync(
        (db, _) => db.RouteTargets
            .Where(target => target.Id == old.Id && target.State == RouteTargetState.Draining)
            .ExecuteDeleteAsync(cancellationToken),
        cancellationToken);

    /// <summary>All targets of an app, the active one first: what a crash left of a switch is read here.</summary>
    public async Task<IReadOnlyList<RouteTarget>> ListTargetsAsync(long appId, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.RouteTargets.AsNoTracking()
            .Where(target => target.AppId == appId)
            .OrderBy(target => target.State)
            .ThenByDescending(target => target.Version)
            .ToListAsync(cancellationToken);
    }

    private async Task<bool> IsInServiceAsync(long appId, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.RouteTargets.AnyAsync(target => target.AppId == appId, cancellationToken)
            || await db.Routes.AnyAsync(route => route.AppId == appId && route.DeploymentId != null, cancellationToken);
    }

    private Task<long> WriteAsync(
        long appId, IReadOnlyList<string> hosts, NewTarget target, CancellationToken cancellationToken) => ChangeAsync(
        async (db, version) =>
        {
            await HostBook.PutIntoServiceAsync(db, appId, target.DeploymentId, hosts, cancellationToken);
            await LetActiveDrainAsync(db, appId, version, cancellationToken);
            var now = time.Now();
            var ip = target.Address?.Ip;
            var port = target.Address?.Port ?? target.ContainerPort;
            var known = await db.RouteTargets
                .Where(row => row.ContainerId == target.ContainerId && row.AppId == appId)
                .ExecuteUpdateAsync(
                    set => set
                        .SetProperty(row => row.State, RouteTargetState.Active)
                        .SetProperty(row => row.ContainerPort, target.ContainerPort)
                        .SetProperty(row => row.Address, ip)
                        .SetProperty(row => row.Port, port)
                        .SetProperty(row => row.Version, version)
                        .SetProperty(row => row.ChangedAt, now),
                    cancellationToken);
            if (known == 0)
            {
                db.RouteTargets.Add(new RouteTarget
                {
                    AppId = appId,
                    DeploymentId = target.DeploymentId,
                    ContainerId = target.ContainerId,
                    ContainerPort = target.ContainerPort,
                    Address = ip,
                    Port = port,
                    State = RouteTargetState.Active,
                    Version = version,
                    ChangedAt = now,
                });
                await db.SaveChangesAsync(cancellationToken);
            }
        },
        cancellationToken);

    /// <summary>Changes the routes in one transaction under a new version, and tells it.</summary>
    private async Task<long> ChangeAsync(Func<DeployerDb, long, Task> change, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var version = await HostBook.TickAsync(db, cancellationToken);
        await change(db, version);
        await transaction.CommitAsync(cancellationToken);
        feed.PublishChange();
        return version;
    }

    private Task<int> LetActiveDrainAsync(DeployerDb db, long appId, long version, CancellationToken cancellationToken)
    {
        Instant now = time.Now();
        return db.RouteTargets
            .Where(row => row.AppId == appId && row.State == RouteTargetState.Active)
            .ExecuteUpdateAsync(
                set => set
                    .SetProperty(row => row.State, RouteTargetState.Draining)
                    .SetProperty(row => row.Version, version)
                    .SetProperty(row => row.ChangedAt, now),
                cancellationToken);
    }

    private async Task<SwitchResult> ConfirmAsync(long appId, long version, CancellationToken cancellationToken)
    {
        var begun = time.GetTimestamp();
        while (true)
        {
            var reported = feed.Reported;
            var serving = await proxies.ListServingAsync(cancellationToken);
            var behind = serving.Count(proxy => proxy.Version < version);
            var left = ConfirmationCap - time.GetElapsedTime(begun);
            if (behind == 0 || left <= TimeSpan.Zero)
            {
                if (behind > 0)
                {
                    LogBehind(behind, version, ConfirmationCap);
                }

                var targets = await ListTargetsAsync(appId, cancellationToken);
                return new SwitchResult(
                    targets.SingleOrDefault(target => target.State == RouteTargetState.Active),
                    [.. targets.Where(target => target.State == RouteTargetState.Draining)],
                    serving.Count - behind,
                    behind);
            }

            await RouteFeed.WaitAsync([reported], left < LookAgain ? left : LookAgain, time, cancellationToken);
        }
    }

    [LoggerMessage(LogLevel.Information, "App {AppId} is served by container {ContainerId} at {Address}, routes version {Version}")]
    private partial void LogMoved(long appId, string containerId, TargetAddress? address, long version);

    [LoggerMessage(LogLevel.Information, "App {AppId} is out of service, routes version {Version}")]
    private partial void LogWithdrawn(long appId, long version);

    [LoggerMessage(LogLevel.Debug, "App {AppId} has {InFlight} requests left at container {ContainerId}; {Behind} proxies have not said")]
    private partial void LogDrained(long appId, string containerId, int inFlight, int behind);

    [LoggerMessage(LogLevel.Warning, "{Behind} proxies have not applied routes version {Version} within {Cap}")]
    private partial void LogBehind(int behind, long version, TimeSpan cap);
}
