using Deployer.Core.Data;
using Deployer.Core.Logs;
using Deployer.Core.Notifications;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Core.Deployments;

/// <summary>
/// Ends deployments that leave the queue without having begun. The mark on the row keeps the runner from claiming it, so
/// nobody else can end it: first the line, then the status.
/// </summary>
public sealed class Withdrawals(IDbContextFactory<DeployerDb> databases, LogStore logs, DeploymentFeed feed, TimeProvider time)
{
    // Whoever withdraws a deployment ends it; only after this long has it surely failed to.
    private static readonly Duration EndingTime = Duration.FromMinutes(1);

    /// <summary>Ends what was withdrawn but, after a crash, not ended.</summary>
    public async Task EndLeftoversAsync(CancellationToken cancellationToken)
    {
        var longAgo = time.Now() - EndingTime;
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var left = await db.Deployments
            .Where(deployment => deployment.Status == DeploymentStatus.Queued && deployment.WithdrawnAt < longAgo)
            .Select(deployment => deployment.Id)
            .ToListAsync(cancellationToken);
        foreach (var id in left)
        {
            await EndAsync(id, cancellationToken);
        }
    }

    /// <summary>Withdraws, within a transaction, every waiting deployment of an app in favour of a newer one.</summary>
    /// <returns>Their ids, to be ended after the transaction.</returns>
    internal static async Task<IReadOnlyList<long>> SupersedeAsync(
        DeployerDb db, long appId, long newer, Instant now, CancellationToken cancellationToken)
    {
        var waiting = db.Deployments.Where(deployment => deployment.AppId == appId && deployment.Id < newer
            && deployment.Status == DeploymentStatus.Queued && deployment.WithdrawnAt == null);
        var ids = await waiting.Select(deployment => deployment.Id).ToListAsync(cancellationToken);
        await waiting.ExecuteUpdateAsync(
            set => set.SetProperty(deployment => deployment.WithdrawnAt, now).SetProperty(deployment => deployment.SupersededBy, newer),
            cancellationToken);
        return ids;
    }

    /// <summary>Ends a withdrawn deployment.</summary>
    internal async Task EndAsync(long id, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var found = await db.Deployments.Where(deployment => deployment.Id == id)
            .Select(deployment => new
            {
                deployment.CancelRequestedBy,
                SupersededBy = db.Deployments.Where(newer => newer.Id == deployment.SupersededBy).Select(newer => (int?)newer.Number).FirstOrDefault(),
            })
            .SingleAsync(cancellationToken);
        var (line, status) = found.SupersededBy is { } newer
            ? ($"Superseded by #{newer} before it began", DeploymentStatus.Superseded)
            : ($"Canceled by {found.CancelRequestedBy} before it began", DeploymentStatus.Canceled);
        if (await logs.GetExtent(id, cancellationToken) is not { Lines: > 0 })
        {
            // Else a crash came between line and status: it is not said twice.
            await logs.AppendLog(id, LogStream.System, StepKind.Prepare, line, cancellationToken);
        }

        var now = time.Now();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var ended = await db.Deployments.Where(deployment => deployment.Id == id && deployment.Status == DeploymentStatus.Queued)
            .ExecuteUpdateAsync(
                set => set.SetProperty(deployment => deployment.Status, status).SetProperty(deployment => deployment.EndedAt, now),
                cancellationToken);
        await db.Steps.Where(step => step.DeploymentId == id)
            .ExecuteUpdateAsync(set => set.SetProperty(step => step.State, StepState.Skipped), cancellationToken);
        if (ended == 1)
        {
            await NotificationOutbox.PlanAsync(db, id, NotificationOutbox.EventOf(status), now, cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        feed.Publish(id);
    }
}
