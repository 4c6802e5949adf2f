using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Engine;
using Deployer.Core.Environments;
using Deployer.Core.Notifications;
using Deployer.Core.Secrets;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Deployments;

/// <summary>Takes requests to deploy and to cancel. The row is the queue; the runner claims it.</summary>
public sealed class DeploymentQueue(
    IDbContextFactory<DeployerDb> databases, DeploymentReader reader, SecretBook secrets, Withdrawals withdrawals,
    DeploymentFeed feed, TimeProvider time)
{
    private static readonly StepKind[] AllSteps = Enum.GetValues<StepKind>();

    /// <summary>
    /// Queues a deployment of an app with a snapshot of its spec and secrets. By the app's policy it waits behind others of
    /// the app or takes the place of those that still wait.
    /// </summary>
    /// <exception cref="SecretUnreadableException">A secret of the app cannot be decrypted.</exception>
    public Task<EnqueueResult> EnqueueAsync(string appName, DeploymentRequest request, CancellationToken cancellationToken)
    {
        if (request.Image is not null && !ImageReference.TryParse(request.Image.Trim(), out _, out var error))
        {
            return Task.FromResult<EnqueueResult>(new EnqueueResult.ImageInvalid(error.Message));
        }

        return EnqueueAsync(
            appName,
            request,
            earlier => earlier.RestoredFrom is null
                && (request.Image is null || string.Equals(earlier.Spec.Image, request.Image.Trim(), StringComparison.Ordinal)),
            async (db, app) =>
            {
                var spec = request.Image is { } image ? app.Spec with { Image = image.Trim() } : app.Spec;
                return new QueuedSnapshot(
                    spec, await secrets.TakeSnapshotAsync(db, app.Id, spec.Secrets, cancellationToken), RestoredFrom: null);
            },
            cancellationToken);
    }

    /// <summary>Cancels a queued deployment at once; asks the runner to cancel a running one.</summary>
    /// <param name="deploymentId">The deployment.</param>
    /// <param name="requestedBy">Who asks; kept in the log of the deployment.</param>
    /// <param name="cancellationToken">Cancels the request itself.</param>
    /// <exception cref="Logs.LogStoreException">The log cannot be written; the deployment has left the queue, and ends a little later.</exception>
    public Task<CancelResult> CancelAsync(long deploymentId, string requestedBy, CancellationToken cancellationToken) =>
        CancelAsync(deploymentId, requestedBy, _ => { }, cancellationToken);

    /// <summary>The same together with what <paramref name="alongside"/> adds to the transaction, where it is the first such request.</summary>
    internal async Task<CancelResult> CancelAsync(
        long deploymentId, string requestedBy, Action<DeployerDb> alongside, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var now = time.Now();
        var withdrawn = await db.Deployments
            .Where(deployment => deployment.Id == deploymentId && deployment.Status == DeploymentStatus.Queued && deployment.WithdrawnAt == null)
            .ExecuteUpdateAsync(
                set => set.SetProperty(deployment => deployment.WithdrawnAt, now)
                    .SetProperty(deployment => deployment.CancelRequestedAt, now)
                    .SetProperty(deployment => deployment.CancelRequestedBy, requestedBy),
                cancellationToken);
        if (withdrawn == 1)
        {
            await CommitAsync();
            await withdrawals.EndAsync(deploymentId, cancellationToken);
            return CancelResult.Canceled;
        }

        var asked = await db.Deployments
            .Where(deployment => deployment.Id == deploymentId && deployment.Status == DeploymentStatus.Running && deployment.CancelRequestedAt == null)
            .ExecuteUpdateAsync(
                set => set.SetProperty(deployment => deployment.CancelRequestedAt, now)
                    .SetProperty(deployment => deployment.CancelRequestedBy, requestedBy),
                cancellationToken);
        if (asked == 1)
        {
            await CommitAsync();
            feed.Publish(deploymentId);
            return CancelResult.Requested;
        }

        var found = await db.Deployments.Where(deployment => deployment.Id == deploymentId)
            .Select(deployment => new { deployment.Status, deployment.SupersededBy })
            .SingleOrDefaultAsync(cancellationToken);
        return found switch
        {
            null => CancelResult.Unknown,
            { Status: DeploymentStatus.Running } => CancelResult.Requested,
            { Status: DeploymentStatus.Queued, SupersededBy: null } => CancelResult.Canceled,
            _ => CancelResult.AlreadyEnded,
        };

        async Task CommitAsync()
        {
            alongside(db);
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
    }

    /// <summary>Queues a deployment of what the snapshot says.</summary>
    /// <param name="appName">The app.</param>
    /// <param name="request">Who asks and why.</param>
    /// <param name="isWanted">Whether an earlier deployment under the request's key is the one that is asked for again.</param>
    /// <param name="takeSnapshot">Says what to run, within the transaction that queues it.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    internal async Task<EnqueueResult> EnqueueAsync(
        string appName, DeploymentRequest request, Func<Deployment, bool> isWanted, Func<DeployerDb, App, Task<QueuedSnapshot>> takeSnapshot,
        CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);

        // Begins at once as a writer, so that number and key are read and used by nobody else meanwhile.
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.Apps.AsNoTracking().SingleOrDefaultAsync(app => app.Name == appName, cancellationToken) is not { } app)
        {
            return new EnqueueResult.AppUnknown();
        }

        if (request.IdempotencyKey is { } key
            && await db.Deployments.AsNoTracking().SingleOrDefaultAsync(earlier => earlier.AppId == app.Id && earlier.IdempotencyKey == key, cancellationToken)
                is { } earlier)
        {
            var view = await ViewAsync(earlier.Id, cancellationToken);
            return string.Equals(earlier.Reason, request.Reason, StringComparison.Ordinal) && isWanted(earlier)
                ? new EnqueueResult.Replayed(view)
                : new EnqueueResult.KeyReused(view);
        }

        var now = time.Now();
        var freeze = await EnvironmentBook.FindFreeze(db, app.Environment, now).FirstOrDefaultAsync(cancellationToken);
        if (freeze is not null && !request.OverrideFreeze)
        {
            return new EnqueueResult.Frozen(app.Environment, freeze.EndsAt, freeze.Reason);
        }

        var snapshot = await takeSnapshot(db, app);
        var deployment = new Deployment
        {
            AppId = app.Id,
            Number = 1 + (await db.Deployments.Where(other => other.AppId == app.Id).MaxAsync(other => (int?)other.Number, cancellationToken) ?? 0),
            Status = DeploymentStatus.Queued,
            Spec = snapshot.Spec,
            SealedSecrets = snapshot.SealedSecrets,
            RestoredFrom = snapshot.RestoredFrom,
            OverriddenFreeze = freeze?.Reason,
            Reason = request.Reason,
            RequestedBy = request.RequestedBy,
            IdempotencyKey = request.IdempotencyKey,
            CreatedAt = now,
            Steps = [.. AllSteps.Select(kind => new DeploymentStep { Kind = kind, State = StepState.Pending })],
        };
        db.Add(deployment);
        await db.SaveChangesAsync(cancellationToken);
        if (await db.Set<EnvironmentRules>().AnyAsync(rules => rules.Name == app.Environment && rules.Protected, cancellationToken))
        {
            db.Add(new DeploymentApproval { DeploymentId = deployment.Id, RequestedById = request.RequestedById });
            await db.SaveChangesAsync(cancellationToken);
            await NotificationOutbox.PlanAsync(db, deployment.Id, NotificationEvents.ApprovalWanted, now, cancellationToken);
        }

        if (request.Alongside is { } alongside)
        {
            alongside(db, deployment);
            await db.SaveChangesAsync(cancellationToken);
        }

        var superseded = app.Spec.WhenQueued == QueuePolicy.Replace
            ? await Withdrawals.SupersedeAsync(db, app.Id, deployment.Id, now, cancellationToken)
            : [];
        await transaction.CommitAsync(cancellationToken);
        feed.Publish(deployment.Id);
        foreach (var id in superseded)
        {
            await withdrawals.EndAsync(id, cancellationToken);
        }

        return new EnqueueResult.Queued(await ViewAsync(deployment.Id, cancellationToken));
    }

    private async Task<DeploymentView> ViewAsync(long id, CancellationToken cancellationToken) =>
        await reader.FindAsync(id, cancellationToken)
            ?? throw new InvalidOperationException($"Deployment {id} vanished while it was being queued.");
}

/// <summary>What a new deployment is to run.</summary>
/// <param name="Spec">The spec.</param>
/// <param name="SealedSecrets">The values of its secrets, encrypted.</param>
/// <param name="RestoredFrom">The earlier deployment that it brings back, if it is a restore.</param>
internal sealed record QueuedSnapshot(AppSpec Spec, string? SealedSecrets, long? RestoredFrom);
