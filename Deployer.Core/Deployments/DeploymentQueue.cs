using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Engine;
using Deployer.Core.Environments;
using Deployer.Core.Logs;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Core.Deployments;

/// <summary>Takes requests to deploy and to cancel. The row is the queue; the runner claims it.</summary>
public sealed class DeploymentQueue(
    IDbContextFactory<DeployerDb> databases, DeploymentReader reader, LogStore logs, DeploymentFeed feed, TimeProvider time)
{
    // Whoever withdraws a deployment ends it; only after this long has it surely failed to.
    private static readonly Duration EndingTime = Duration.FromMinutes(1);

    private static readonly StepKind[] AllSteps = Enum.GetValues<StepKind>();

    /// <summary>Queues a deployment of an app with a snapshot of its spec.</summary>
    public async Task<EnqueueResult> EnqueueAsync(string appName, DeploymentRequest request, CancellationToken cancellationToken)
    {
        if (request.Image is not null && !ImageReference.TryParse(request.Image.Trim(), out _, out var error))
        {
            return new EnqueueResult.ImageInvalid(error.Message);
        }

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
            return IsSame(earlier, request) ? new EnqueueResult.Replayed(view) : new EnqueueResult.KeyReused(view);
        }

        var now = time.Now();
        if (!request.OverrideFreeze
            && await EnvironmentBook.FindFreeze(db, app.Environment, now).FirstOrDefaultAsync(cancellationToken) is { } freeze)
        {
            return new EnqueueResult.Frozen(app.Environment, freeze.EndsAt, freeze.Reason);
        }

        var number = 1 + (await db.Deployments.Where(deployment => deployment.AppId == app.Id)
            .MaxAsync(deployment => (int?)deployment.Number, cancellationToken) ?? 0);
        var deployment = new Deployment
        {
            AppId = app.Id,
            Number = number,
            Status = DeploymentStatus.Queued,
            Spec = request.Image is { } image ? app.Spec with { Image = image.Trim() } : app.Spec,
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
        }

        await transaction.CommitAsync(cancellationToken);
        feed.Publish(deployment.Id);
        return new EnqueueResult.Queued(await ViewAsync(deployment.Id, cancellationToken));
    }

    /// <summary>Cancels a queued deployment at once; asks the runner to cancel a running one.</summary>
    /// <param name="deploymentId">The deployment.</param>
    /// <param name="requestedBy">Who asks; kept in the log of the deployment.</param>
    /// <param name="cancellationToken">Cancels the request itself.</param>
    /// <exception cref="LogStoreException">The log cannot be written; the deployment is withdrawn, and ends a little later.</exception>
    public async Task<CancelResult> CancelAsync(long deploymentId, string requestedBy, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var now = time.Now();
        var asked = await db.Deployments
            .Where(deployment => deployment.Id == deploymentId && deployment.CancelRequestedAt == null
                && (deployment.Status == DeploymentStatus.Queued || deployment.Status == DeploymentStatus.Running))
            .ExecuteUpdateAsync(
                set => set.SetProperty(deployment => deployment.CancelRequestedAt, now)
                    .SetProperty(deployment => deployment.CancelRequestedBy, requestedBy),
                cancellationToken);
        if (asked == 1)
        {
            feed.Publish(deploymentId);
        }

        var status = await db.Deployments.Where(deployment => deployment.Id == deploymentId)
            .Select(deployment => (DeploymentStatus?)deployment.Status).SingleOrDefaultAsync(cancellationToken);
        switch (status)
        {
            case null:
                return CancelResult.Unknown;
            case DeploymentStatus.Queued:
                if (asked == 1)
                {
                    await EndWithdrawnAsync(deploymentId, cancellationToken);
                }

                return CancelResult.Canceled;
            case DeploymentStatus.Running:
                return CancelResult.Requested;
            default:
                return CancelResult.AlreadyEnded;
        }
    }

    /// <summary>
    /// Ends queued deployments which were withdrawn but, after a crash, not ended: nobody claims them any more.
    /// </summary>
    public async Task EndWithdrawnAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var longAgo = time.Now() - EndingTime;
        var withdrawn = await db.Deployments
            .Where(deployment => deployment.Status == DeploymentStatus.Queued && deployment.CancelRequestedAt < longAgo)
            .Select(deployment => deployment.Id)
            .ToListAsync(cancellationToken);
        foreach (var id in withdrawn)
        {
            await EndWithdrawnAsync(id, cancellationToken);
        }
    }

    // The mark keeps the runner from claiming it, so nobody else can end it: first the line, then the status.
    private async Task EndWithdrawnAsync(long id, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var requestedBy = await db.Deployments.Where(deployment => deployment.Id == id)
            .Select(deployment => deployment.CancelRequestedBy).SingleAsync(cancellationToken);
        await logs.AppendLog(id, LogStream.System, StepKind.Prepare, $"Canceled by {requestedBy} before it began", cancellationToken);

        var now = time.Now();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.Deployments
            .Where(deployment => deployment.Id == id && deployment.Status == DeploymentStatus.Queued)
            .ExecuteUpdateAsync(
                set => set.SetProperty(deployment => deployment.Status, DeploymentStatus.Canceled)
                    .SetProperty(deployment => deployment.EndedAt, now),
                cancellationToken);
        await db.Steps.Where(step => step.DeploymentId == id)
            .ExecuteUpdateAsync(set => set.SetProperty(step => step.State, StepState.Skipped), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        feed.Publish(id);
    }

    private static bool IsSame(Deployment earlier, DeploymentRequest request) =>
        string.Equals(earlier.Reason, request.Reason, StringComparison.Ordinal)
        && (request.Image is null || string.Equals(earlier.Spec.Image, request.Image.Trim(), StringComparison.Ordinal));

    private async Task<DeploymentView> ViewAsync(long id, CancellationToken cancellationToken) =>
        await reader.FindAsync(id, cancellationToken)
            ?? throw new InvalidOperationException($"Deployment {id} vanished while it was being queued.");
}
