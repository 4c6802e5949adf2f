using Deployer.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Logs;

/// <summary>What came of pinning a log, or of letting it go.</summary>
public enum PinResult
{
    /// <summary>It is as was asked now, and was not before.</summary>
    Changed,

    /// <summary>It was as asked already.</summary>
    Unchanged,

    /// <summary>Retention has removed the log; there is nothing to keep.</summary>
    Removed,

    /// <summary>There is no such deployment.</summary>
    Unknown,
}

/// <summary>Pins logs: retention keeps a pinned one whatever its limits say.</summary>
public sealed class LogPins(IDbContextFactory<DeployerDb> databases)
{
    /// <summary>Pins a log or lets it go. Against a removal at the same moment it wins or loses, never half.</summary>
    public Task<PinResult> SetAsync(long deploymentId, bool pinned, CancellationToken cancellationToken) =>
        SetAsync(deploymentId, pinned, _ => { }, cancellationToken);

    /// <summary>The same together with what <paramref name="alongside"/> adds to the transaction, where it changes something.</summary>
    internal async Task<PinResult> SetAsync(long deploymentId, bool pinned, Action<DeployerDb> alongside, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var changed = await db.Deployments
            .Where(deployment => deployment.Id == deploymentId && deployment.Pinned != pinned && (!pinned || deployment.LogRemovedAt == null))
            .ExecuteUpdateAsync(set => set.SetProperty(deployment => deployment.Pinned, pinned), cancellationToken);
        if (changed == 1)
        {
            alongside(db);
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return PinResult.Changed;
        }

        var now = await db.Deployments.Where(deployment => deployment.Id == deploymentId)
            .Select(deployment => new { deployment.Pinned }).SingleOrDefaultAsync(cancellationToken);
        return now is null ? PinResult.Unknown : now.Pinned == pinned ? PinResult.Unchanged : PinResult.Removed;
    }
}
