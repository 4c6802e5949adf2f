using Deployer.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Routing;

/// <summary>Who has which host name. A host belongs to one app, enforced in the database.</summary>
public sealed class HostBook(IDbContextFactory<DeployerDb> databases, RouteFeed feed)
{
    /// <summary>The hosts among those given which other apps have.</summary>
    /// <param name="appId">The app that asks; <see langword="null"/> for one that is not stored yet.</param>
    /// <param name="hosts">Host names as people write them.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public async Task<IReadOnlyList<HostTaken>> FindTakenAsync(
        long? appId, IReadOnlyList<string> hosts, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await FindTakenAsync(db, appId, hosts, cancellationToken);
    }

    /// <summary>
    /// Reserves the hosts of an app's spec, so that no other app can take them and the proxy answers there that the app
    /// is not running yet; gives up those that are neither in the spec nor in service. To be called whenever an app's
    /// spec was stored. Routes in service are changed only by a deployment.
    /// </summary>
    /// <exception cref="HostTakenException">Another app has one of them; nothing was reserved.</exception>
    public async Task ReserveAsync(long appId, IReadOnlyList<string> hosts, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var change = await db.Database.BeginTransactionAsync(cancellationToken);
        await ReserveAsync(db, appId, hosts, cancellationToken);
        await change.CommitAsync(cancellationToken);
        feed.PublishChange();
    }

    /// <summary>As <see cref="ReserveAsync(long, IReadOnlyList{string}, CancellationToken)"/>, within the transaction that stores the spec.</summary>
    /// <exception cref="HostTakenException">Another app has one of them; the transaction is to be given up.</exception>
    internal static async Task ReserveAsync(
        DeployerDb db, long appId, IReadOnlyList<string> hosts, CancellationToken cancellationToken)
    {
        var wanted = Normalize(hosts);
        await ThrowIfTakenAsync(db, appId, wanted, cancellationToken);
        await db.Routes
            .Where(route => route.AppId == appId && route.DeploymentId == null && !wanted.Contains(route.Host))
            .ExecuteDeleteAsync(cancellationToken);
        await AddMissingAsync(db, appId, wanted, null, cancellationToken);
        await TickAsync(db, cancellationToken);
    }

    /// <summary>
    /// Within the switch's transaction: puts a deployment's hosts into service, keeps those of the app's present spec
    /// reserved, and gives up the rest.
    /// </summary>
    internal static async Task PutIntoServiceAsync(
        DeployerDb db, long appId, long? deploymentId, IReadOnlyList<string> hosts, CancellationToken cancellationToken)
    {
        var wanted = Normalize(hosts);
        await ThrowIfTakenAsync(db, appId, wanted, cancellationToken);
        var spec = await db.Apps.Where(app => app.Id == appId).Select(app => app.Spec).SingleAsync(cancellationToken);
        var reserved = Normalize(spec.Hosts);
        await db.Routes
            .Where(route => route.AppId == appId && !wanted.Contains(route.Host) && !reserved.Contains(route.Host))
            .ExecuteDeleteAsync(cancellationToken);
        await db.Routes
            .Where(route => route.AppId == appId)
            .ExecuteUpdateAsync(
                set => set.SetProperty(
                    route => route.DeploymentId, route => wanted.Contains(route.Host) ? deploymentId : null),
                cancellationToken);
        await AddMissingAsync(db, appId, wanted, deploymentId, cancellationToken);
    }

    /// <summary>Raises the version of the routes within a transaction that changes them.</summary>
    /// <returns>The new version.</returns>
    internal static async Task<long> TickAsync(DeployerDb db, CancellationToken cancellationToken)
    {
        await db.Set<RouteClock>()
            .Where(clock => clock.Id == RouteClock.OnlyId)
            .ExecuteUpdateAsync(set => set.SetProperty(clock => clock.Version, clock => clock.Version + 1), cancellationToken);
        return await db.Set<RouteClock>().Select(clock => clock.Version).SingleAsync(cancellationToken);
    }

    private static string[] Normalize(IReadOnlyList<string> hosts) =>
        [.. hosts.Select(Route.Normalize).Distinct(StringComparer.Ordinal)];

    private static async Task<IReadOnlyList<HostTaken>> FindTakenAsync(
        DeployerDb db, long? appId, IReadOnlyList<string> hosts, CancellationToken cancellationToken)
    {
        var wanted = Normalize(hosts);
        return await db.Routes
            .Where(route => wanted.Contains(route.Host) && route.AppId != appId)
            .Join(db.Apps, route => route.AppId, app => app.Id, (route, app) => new HostTaken(route.Host, app.Name))
            .ToListAsync(cancellationToken);
    }

    private static async Task ThrowIfTakenAsync(
        DeployerDb db, long appId, string[] hosts, CancellationToken cancellationToken)
    {
        var taken = await FindTakenAsync(db, appId, hosts, cancellationToken);
        if (taken.Count > 0)
        {
            throw new HostTakenException(taken);
        }
    }

    private static async Task AddMissingAsync(
        DeployerDb db, long appId, string[] hosts, long? deploymentId, CancellationToken cancellationToken)
    {
        var present = await db.Routes
            .Where(route => route.AppId == appId)
            .Select(route => route.Host)
            .ToListAsync(cancellationToken);
        foreach (var host in hosts.Except(present, StringComparer.Ordinal))
        {
            db.Routes.Add(new Route { Host = host, AppId = appId, DeploymentId = deploymentId });
        }

        await db.SaveChangesAsync(cancellationToken);
        db.ChangeTracker.Clear();
    }
}
