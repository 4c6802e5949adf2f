using Deployer.Core.Data;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Routing;

/// <summary>Reads the routes for proxies.</summary>
public sealed class RouteReader(IDbContextFactory<DeployerDb> databases)
{
    /// <summary>Cheap enough to ask several times a second.</summary>
    public async Task<RouteStamp> ReadStampAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await ReadStampAsync(db, cancellationToken);
    }

    /// <summary>All routes, with hosts and targets from one moment.</summary>
    public async Task<RouteSnapshot> ReadAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);

        // A deferred transaction that only reads sees one moment and keeps no writer waiting.
        await db.Database.OpenConnectionAsync(cancellationToken);
        var connection = (SqliteConnection)db.Database.GetDbConnection();
        await using var moment = connection.BeginTransaction(deferred: true);
        await db.Database.UseTransactionAsync(moment, cancellationToken);
        var stamp = await ReadStampAsync(db, cancellationToken);
        var hosts = await db.Routes
            .Join(db.Apps, route => route.AppId, app => app.Id, (route, app) =>
                new RoutedHost(route.Host, app.Id, app.Name, route.DeploymentId != null))
            .ToListAsync(cancellationToken);
        var targets = await db.RouteTargets
            .Select(target => new RoutedTarget(target.Id, target.AppId, target.Address, target.Port, target.State))
            .ToListAsync(cancellationToken);
        return new RouteSnapshot(stamp, hosts, targets);
    }

    private static Task<RouteStamp> ReadStampAsync(DeployerDb db, CancellationToken cancellationToken) =>
        db.Set<RouteClock>()
            .Where(clock => clock.Id == RouteClock.OnlyId)
            .Select(clock => new RouteStamp(clock.Version, db.Routes.Count(), db.RouteTargets.Count()))
            .SingleAsync(cancellationToken);
}
