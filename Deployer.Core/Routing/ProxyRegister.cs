using Deployer.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Routing;

/// <summary>
/// Where running proxies say that they serve, by which version of the routes, and what they still have at draining
/// targets. It is a table so that proxies may be processes of their own.
/// </summary>
public sealed class ProxyRegister(IDbContextFactory<DeployerDb> databases, RouteFeed feed, TimeProvider time)
{
    /// <summary>How often a proxy reports when nothing happens.</summary>
    public static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(1);

    /// <summary>A proxy that was silent for longer is taken for gone: nobody waits for it any more.</summary>
    public static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan KeepSilentFor = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Announces a proxy before it serves by any version, so that a switch made meanwhile waits for it. Forgets proxies
    /// that have been silent for long.
    /// </summary>
    public async Task EnterAsync(string id, string urls, CancellationToken cancellationToken)
    {
        var now = time.Now();
        var silentSince = now - NodaTime.Duration.FromTimeSpan(KeepSilentFor);
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await db.Proxies.Where(proxy => proxy.SeenAt < silentSince).ExecuteDeleteAsync(cancellationToken);
        db.Proxies.Add(new ProxyInstance
        {
            Id = id,
            Urls = urls,
            StartedAt = now,
            SeenAt = now,
            Version = 0,
            Draining = new Dictionary<long, int>(),
        });
        await db.SaveChangesAsync(cancellationToken);
        feed.PublishReport();
    }

    /// <summary>Stores what a proxy says of itself.</summary>
    /// <param name="id">The proxy.</param>
    /// <param name="version">Version by which every request from now on is served.</param>
    /// <param name="draining">Requests it still has at draining targets; targets with none are left out.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns><see langword="false"/> when the proxy is not registered (any more): it has to enter again.</returns>
    public async Task<bool> ReportAsync(
        string id, long version, IReadOnlyDictionary<long, int> draining, CancellationToken cancellationToken)
    {
        var now = time.Now();
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var rows = await db.Proxies
            .Where(proxy => proxy.Id == id)
            .ExecuteUpdateAsync(
                set => set
                    .SetProperty(proxy => proxy.SeenAt, now)
                    .SetProperty(proxy => proxy.Version, version)
                    .SetProperty(proxy => proxy.Draining, draining),
                cancellationToken);
        feed.PublishReport();
        return rows == 1;
    }

    /// <summary>Takes a proxy that has stopped serving off the register.</summary>
    public async Task LeaveAsync(string id, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await db.Proxies.Where(proxy => proxy.Id == id).ExecuteDeleteAsync(cancellationToken);
        feed.PublishReport();
    }

    /// <summary>The proxies that serve now.</summary>
    public async Task<IReadOnlyList<ProxyInstance>> ListServingAsync(CancellationToken cancellationToken)
    {
        var heardSince = time.Now() - NodaTime.Duration.FromTimeSpan(SilenceLimit);
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Proxies.AsNoTracking()
            .Where(proxy => proxy.SeenAt >= heardSince)
            .OrderBy(proxy => proxy.StartedAt)
            .ToListAsync(cancellationToken);
    }
}
