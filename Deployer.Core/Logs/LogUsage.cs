using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Logs;

/// <summary>What the logs of an app take.</summary>
/// <param name="App">The app's name.</param>
/// <param name="Deployments">How many of its deployments have log lines.</param>
/// <param name="Lines">Lines in all.</param>
/// <param name="RawBytes">Bytes before compression.</param>
/// <param name="StoredBytes">Bytes as stored, without indexes.</param>
public sealed record AppLogUsage(string App, int Deployments, long Lines, long RawBytes, long StoredBytes);

/// <summary>Tells what logs take.</summary>
public sealed class LogUsage(IDbContextFactory<DeployerDb> databases)
{
    /// <summary>What the logs of each app take, by name. Apps without lines are there too.</summary>
    public async Task<IReadOnlyList<AppLogUsage>> ListAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var apps = await db.Apps.OrderBy(app => app.Name).Select(app => new { app.Id, app.Name }).ToListAsync(cancellationToken);
        var perDeployment = await OfDeployments(db).ToListAsync(cancellationToken);
        var byApp = perDeployment.ToLookup(deployment => deployment.AppId);
        return [.. apps.Select(app => new AppLogUsage(
            app.Name, byApp[app.Id].Count(), byApp[app.Id].Sum(usage => usage.Lines),
            byApp[app.Id].Sum(usage => usage.RawBytes), byApp[app.Id].Sum(usage => usage.StoredBytes)))];
    }

    /// <summary>What the log of each deployment takes: sealed parts by their totals, the rest by its runs.</summary>
    internal static IQueryable<DeploymentLogUsage> OfDeployments(DeployerDb db)
    {
        var unsealed = db.Set<LogRun>().Where(run => !run.Sealed)
            .GroupBy(run => run.DeploymentId)
            .Select(runs => new
            {
                DeploymentId = runs.Key,
                Lines = runs.Sum(run => (long)run.LineCount),
                RawBytes = runs.Sum(run => (long)run.RawBytes),
                StoredBytes = runs.Sum(run => (long)run.Payload.Length),
            });
        var totals = db.Set<LogTotals>()
            .Select(sum => new { sum.DeploymentId, sum.Lines, sum.RawBytes, sum.StoredBytes });
        return totals.Concat(unsealed)
            .GroupBy(part => part.DeploymentId)
            .Select(parts => new
            {
                DeploymentId = parts.Key,
                Lines = parts.Sum(part => part.Lines),
                RawBytes = parts.Sum(part => part.RawBytes),
                StoredBytes = parts.Sum(part => part.StoredBytes),
            })
            .Join(
                db.Deployments.Where(deployment => deployment.LogRemovedAt == null), sum => sum.DeploymentId, deployment => deployment.Id,
                (sum, deployment) => new DeploymentLogUsage
                {
                    DeploymentId = deployment.Id,
                    AppId = deployment.AppId,
                    Number = deployment.Number,
                    Status = deployment.Status,
                    Pinned = deployment.Pinned,
                    EndedAt = deployment.EndedAt,
                    Lines = sum.Lines,
                    RawBytes = sum.RawBytes,
                    StoredBytes = sum.StoredBytes,
                });
    }
}

/// <summary>What the log of one deployment takes, and what retention asks about the deployment.</summary>
internal sealed record DeploymentLogUsage
{
    public long DeploymentId { get; init; }

    public long AppId { get; init; }

    public int Number { get; init; }

    public DeploymentStatus Status { get; init; }

    public bool Pinned { get; init; }

    public NodaTime.Instant? EndedAt { get; init; }

    public long Lines { get; init; }

    public long RawBytes { get; init; }

    public long StoredBytes { get; init; }
}
