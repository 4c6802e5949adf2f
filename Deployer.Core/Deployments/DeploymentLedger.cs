using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Environments;
using Deployer.Core.Notifications;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Deployer.Core.Deployments;

/// <summary>A worker's hold on a running deployment.</summary>
/// <param name="DeploymentId">The deployment.</param>
/// <param name="Worker">Who holds it.</param>
internal sealed record Claim(long DeploymentId, string Worker);

/// <summary>A claimed deployment with what its worker needs to know.</summary>
/// <param name="Claim">The hold.</param>
/// <param name="Deployment">The row as it was when claimed.</param>
/// <param name="App">The app as it was when claimed.</param>
internal sealed record ClaimedDeployment(Claim Claim, Deployment Deployment, App App);

/// <summary>How a deployment ended.</summary>
/// <param name="Status">Its final status.</param>
/// <param name="Failure">Why it failed; <see langword="null"/> unless failed.</param>
/// <param name="UndoPending">Whether its containers could not all be put right, so that this is still to be done.</param>
internal sealed record DeploymentEnd(DeploymentStatus Status, DeploymentFailure? Failure, bool UndoPending);

/// <summary>
/// Writes what happens to deployments. Each change is one conditional update that only the holder of the claim wins;
/// whoever lost it gets a <see cref="ClaimLostException"/>.
/// </summary>
internal sealed partial class DeploymentLedger(
    IDbContextFactory<DeployerDb> databases, DeploymentFeed feed, TimeProvider time, ILogger<DeploymentLedger> logger)
{
    // How far back images are looked for: what lies further back was removed by earlier deployments.
    private const int ImagesLookedAt = 100;

    private static readonly TimeSpan EndRetry = TimeSpan.FromSeconds(1);

    // SQLITE_CONSTRAINT, https://www.sqlite.org/rescode.html#constraint
    private const int SqliteConstraint = 19;

    /// <summary>Ids of queued deployments that may start now, oldest first: the app's oldest, where none of the app runs.</summary>
    public async Task<IReadOnlyList<long>> FindClaimableAsync(int count, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Deployments
            .Where(deployment => deployment.Status == DeploymentStatus.Queued && deployment.WithdrawnAt == null
                && !db.Set<DeploymentApproval>().Any(approval => approval.DeploymentId == deployment.Id && approval.ApprovedAt == null)
                && db.Deployments.Count(other => other.Status == DeploymentStatus.Running
                        && db.Apps.Single(app => app.Id == other.AppId).Environment == db.Apps.Single(app => app.Id == deployment.AppId).Environment)
                    < (db.Set<EnvironmentRules>().Where(rules => rules.Name == db.Apps.Single(app => app.Id == deployment.AppId).Environment)
                        .Select(rules => rules.MaxConcurrent).FirstOrDefault() ?? int.MaxValue)
                && !db.Deployments.Any(other => other.AppId == deployment.AppId
                    && (other.Status == DeploymentStatus.Running
                        || (other.Status == DeploymentStatus.Queued && other.WithdrawnAt == null && other.Id < deployment.Id))))
            .OrderBy(deployment => deployment.Id)
            .Select(deployment => deployment.Id)
            .Take(count)
            .ToListAsync(cancellationToken);
    }

    /// <summary>Takes a queued deployment; <see langword="null"/> when somebody was quicker or the app is busy.</summary>
    public async Task<ClaimedDeployment?> ClaimAsync(long id, string worker, TimeSpan lease, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var now = time.Now();
        var until = now + Duration.FromTimeSpan(lease);
        int claimed;
        try
        {
            claimed = await db.Deployments
                .Where(deployment => deployment.Id == id && deployment.Status == DeploymentStatus.Queued && deployment.WithdrawnAt == null
                    && !db.Set<DeploymentApproval>().Any(approval => approval.DeploymentId == id && approval.ApprovedAt == null)
                    && db.Deployments.Count(other => other.Status == DeploymentStatus.Running
                            && db.Apps.Single(app => app.Id == other.AppId).Environment == db.Apps.Single(app => app.Id == deployment.AppId).Environment)
                        < (db.Set<EnvironmentRules>().Where(rules => rules.Name == db.Apps.Single(app => app.Id == deployment.AppId).Environment)
                            .Select(rules => rules.MaxConcurrent).FirstOrDefault() ?? int.MaxValue)
                    && !db.Deployments.Any(other => other.AppId == deployment.AppId && other.Status == DeploymentStatus.Running))
                .ExecuteUpdateAsync(
                    set => set.SetProperty(deployment => deployment.Status, DeploymentStatus.Running)
                        .SetProperty(deployment => deployment.Worker, worker)
                        .SetProperty(deployment => deployment.LeaseUntil, until)
                        .SetProperty(deployment => deployment.StartedAt, now)

                        // From the first moment on, so that a crash at any later one finds what has to serve again.
                        .SetProperty(
                            deployment => deployment.PreviousDeploymentId,
                            deployment => db.Apps.Where(app => app.Id == deployment.AppId).Select(app => app.CurrentDeploymentId).FirstOrDefault())
                        .SetProperty(
                            deployment => deployment.PreviousContainerId,
                            deployment => db.Deployments
                                .Where(current => db.Apps.Any(app => app.Id == deployment.AppId && app.StoppedAt == null && app.CurrentDeploymentId == current.Id))
                                .Select(current => current.ContainerId).FirstOrDefault()),
                    cancellationToken);
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == SqliteConstraint)
        {
            return null;
        }

        if (claimed == 0)
        {
            return null;
        }

        feed.Publish(id);
        return await ReadAsync(db, new Claim(id, worker), cancellationToken);
    }

    /// <summary>Deployments that run without being in this worker's hands, with who holds them and until when.</summary>
    public async Task<IReadOnlyList<Holding>> FindHeldByOthersAsync(IReadOnlyCollection<long> mine, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Deployments
            .Where(deployment => deployment.Status == DeploymentStatus.Running && !mine.Contains(deployment.Id))
            .OrderBy(deployment => deployment.Id)
            .Select(deployment => new Holding(deployment.Id, deployment.Worker, deployment.LeaseUntil))
            .ToListAsync(cancellationToken);
    }

    /// <summary>Takes over a running deployment from a worker that is gone; <see langword="null"/> when it is not as it was.</summary>
    public async Task<ClaimedDeployment?> TakeOverAsync(Holding holding, string worker, TimeSpan lease, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var until = time.Now() + Duration.FromTimeSpan(lease);
        var taken = await db.Deployments
            .Where(deployment => deployment.Id == holding.DeploymentId && deployment.Status == DeploymentStatus.Running
                && deployment.Worker == holding.Worker && deployment.LeaseUntil == holding.LeaseUntil)
            .ExecuteUpdateAsync(
                set => set.SetProperty(deployment => deployment.Worker, worker)
                    .SetProperty(deployment => deployment.LeaseUntil, until),
                cancellationToken);
        return taken == 1 ? await ReadAsync(db, new Claim(holding.DeploymentId, worker), cancellationToken) : null;
    }

    /// <summary>Makes the claim hold for another lease.</summary>
    /// <exception cref="ClaimLostException">It does not hold any more.</exception>
    public Task RenewAsync(Claim claim, TimeSpan lease, CancellationToken cancellationToken)
    {
        var until = time.Now() + Duration.FromTimeSpan(lease);
        return ChangeAsync(claim, set => set.SetProperty(deployment => deployment.LeaseUntil, until), publish: false, cancellationToken);
    }

    /// <summary>Who asked to cancel; <see langword="null"/> when nobody did.</summary>
    public async Task<string?> FindCancelerAsync(long id, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Deployments.Where(deployment => deployment.Id == id && deployment.CancelRequestedAt != null)
            .Select(deployment => deployment.CancelRequestedBy ?? "somebody").SingleOrDefaultAsync(cancellationToken);
    }

    /// <summary>A step begins.</summary>
    public Task BeginStepAsync(Claim claim, StepKind kind, CancellationToken cancellationToken)
    {
        var now = time.Now();
        return ChangeStepAsync(
            claim,
            kind,
            set => set.SetProperty(step => step.State, StepState.Running).SetProperty(step => step.StartedAt, now),
            cancellationToken);
    }

    /// <summary>A step ended well.</summary>
    public Task CompleteStepAsync(Claim claim, StepKind kind, CancellationToken cancellationToken)
    {
        var now = time.Now();
        return ChangeStepAsync(
            claim,
            kind,
            set => set.SetProperty(step => step.State, StepState.Succeeded).SetProperty(step => step.EndedAt, now),
            cancellationToken);
    }

    /// <summary>Records what serves until the switch.</summary>
    public Task RecordPreviousAsync(Claim claim, long? deploymentId, string? containerId, CancellationToken cancellationToken) =>
        ChangeAsync(
            claim,
            set => set.SetProperty(deployment => deployment.PreviousDeploymentId, deploymentId)
                .SetProperty(deployment => deployment.PreviousContainerId, containerId),
            publish: false,
            cancellationToken);

    /// <summary>Records that the container that served is about to be told to stop.</summary>
    /// <returns>When, by our clock.</returns>
    public async Task<Instant> RecordPreviousStopAsync(Claim claim, CancellationToken cancellationToken)
    {
        var now = time.Now();
        await ChangeAsync(claim, set => set.SetProperty(deployment => deployment.PreviousStoppedAt, now), publish: false, cancellationToken);
        return now;
    }

    /// <summary>Records what the image reference resolved to.</summary>
    public Task RecordImageAsync(Claim claim, string imageId, string? digest, CancellationToken cancellationToken) =>
        ChangeAsync(
            claim,
            set => set.SetProperty(deployment => deployment.ImageId, imageId).SetProperty(deployment => deployment.Digest, digest),
            publish: true,
            cancellationToken);

    /// <summary>Records the new container.</summary>
    public Task RecordContainerAsync(Claim claim, string containerId, CancellationToken cancellationToken) =>
        ChangeAsync(claim, set => set.SetProperty(deployment => deployment.ContainerId, containerId), publish: true, cancellationToken);

    /// <summary>Records the ports on which the new container is reached.</summary>
    public Task RecordPortsAsync(Claim claim, IReadOnlyList<PublishedPort> ports, CancellationToken cancellationToken) =>
        ChangeAsync(claim, set => set.SetProperty(deployment => deployment.Ports, ports), publish: true, cancellationToken);

    /// <summary>The deployment becomes the app's current one: routes lead to its container from now on.</summary>
    public async Task SwitchAsync(Claim claim, long appId, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var now = time.Now();
        await ChangeAsync(db, claim, set => set.SetProperty(deployment => deployment.SwitchedAt, now), cancellationToken);
        await db.Apps.Where(app => app.Id == appId)
            .ExecuteUpdateAsync(
                set => set.SetProperty(app => app.CurrentDeploymentId, claim.DeploymentId).SetProperty(app => app.StoppedAt, (Instant?)null),
                cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        feed.Publish(claim.DeploymentId);
    }

    /// <summary>Undoes <see cref="SwitchAsync"/>.</summary>
    /// <param name="claim">The hold.</param>
    /// <param name="appId">The app.</param>
    /// <param name="previousDeploymentId">Deployment that is current again; <see langword="null"/> where there was none.</param>
    /// <param name="cancellationToken">Cancels the update.</param>
    public async Task SwitchBackAsync(Claim claim, long appId, long? previousDeploymentId, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await ChangeAsync(db, claim, set => set.SetProperty(deployment => deployment.SwitchedAt, (Instant?)null), cancellationToken);
        await db.Apps.Where(app => app.Id == appId && app.CurrentDeploymentId == claim.DeploymentId)
            .ExecuteUpdateAsync(set => set.SetProperty(app => app.CurrentDeploymentId, previousDeploymentId), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        feed.Publish(claim.DeploymentId);
    }

    /// <summary>
    /// The deployment becomes final, and with it the step in which it ended and those that never began. Every line of its
    /// log must be durable before.
    /// </summary>
    public async Task EndAsync(Claim claim, DeploymentEnd end, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var now = time.Now();
        await ChangeAsync(
            db,
            claim,
            set => set.SetProperty(deployment => deployment.Status, end.Status)
                .SetProperty(deployment => deployment.Failure, end.Failure)
                .SetProperty(deployment => deployment.UndoPending, end.UndoPending)
                .SetProperty(deployment => deployment.EndedAt, now)
                .SetProperty(deployment => deployment.Worker, (string?)null)
                .SetProperty(deployment => deployment.LeaseUntil, (Instant?)null),
            cancellationToken);
        var ofRunning = end.Status switch
        {
            DeploymentStatus.Succeeded => StepState.Succeeded,
            DeploymentStatus.Canceled => StepState.Canceled,
            _ => StepState.Failed,
        };
        await db.Steps.Where(step => step.DeploymentId == claim.DeploymentId && step.State == StepState.Running)
            .ExecuteUpdateAsync(
                set => set.SetProperty(step => step.State, ofRunning).SetProperty(step => step.EndedAt, now), cancellationToken);
        await db.Steps.Where(step => step.DeploymentId == claim.DeploymentId && step.State == StepState.Pending)
            .ExecuteUpdateAsync(set => set.SetProperty(step => step.State, StepState.Skipped), cancellationToken);
        await NotificationOutbox.PlanAsync(db, claim.DeploymentId, NotificationOutbox.EventOf(end.Status), now, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        feed.Publish(claim.DeploymentId);
    }

    /// <summary>
    /// As <see cref="EndAsync"/>, again and again while the database cannot be written, for as long as the claim holds.
    /// </summary>
    public async Task EndPersistentlyAsync(Claim claim, DeploymentEnd end, CancellationToken claimLost)
    {
        while (true)
        {
            try
            {
                await EndAsync(claim, end, claimLost);
                return;
            }
            catch (Exception exception) when (exception is not (ClaimLostException or OperationCanceledException))
            {
                LogEndFailed(exception, claim.DeploymentId, end.Status);
                await Task.Delay(EndRetry, time, claimLost);
            }
        }
    }

    /// <summary>Apps with ended deployments whose containers are still to be put right.</summary>
    public async Task<IReadOnlyList<string>> FindAppsWithDebtsAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Deployments
            .Where(deployment => deployment.UndoPending)
            .Join(db.Apps, deployment => deployment.AppId, app => app.Id, (_, app) => app.Name)
            .Distinct()
            .ToListAsync(cancellationToken);
    }

    /// <summary>What is known of an app's deployments, to tell its containers apart; <see langword="null"/> for an unknown app.</summary>
    public async Task<AppLedger?> ReadAppAsync(string appName, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        if (await db.Apps.Where(app => app.Name == appName).Select(app => new { app.Id, app.CurrentDeploymentId })
            .SingleOrDefaultAsync(cancellationToken) is not { } app)
        {
            return null;
        }

        var deployments = await db.Deployments.Where(deployment => deployment.AppId == app.Id)
            .Select(deployment => new
            {
                deployment.Id,
                deployment.Status,
                deployment.UndoPending,
                deployment.PreviousContainerId,
                deployment.PreviousStoppedAt,
            })
            .ToListAsync(cancellationToken);
        return new AppLedger(
            app.Id,
            app.CurrentDeploymentId,
            deployments.Where(deployment => deployment.Status.IsFinal()).Select(deployment => deployment.Id).ToHashSet(),
            deployments.FirstOrDefault(deployment => deployment.Status == DeploymentStatus.Running)?.Id,
            deployments.Where(deployment => deployment.UndoPending).Select(deployment => deployment.Id).ToList(),
            deployments.Where(deployment => deployment is { UndoPending: true, PreviousContainerId: not null })
                .GroupBy(deployment => deployment.PreviousContainerId!, StringComparer.Ordinal)
                .ToDictionary(owed => owed.Key, owed => owed.Max(deployment => deployment.PreviousStoppedAt), StringComparer.Ordinal));
    }

    /// <summary>
    /// Ids of images that this app's deployments left in the engine and that no app needs for a restore: all but those of
    /// the last succeeded deployments of each.
    /// </summary>
    /// <param name="appId">The app.</param>
    /// <param name="keep">How many images each app keeps, the current one among them.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async Task<IReadOnlyList<string>> FindSurplusImagesAsync(long appId, int keep, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var lately = await db.Deployments
            .Where(deployment => deployment.AppId == appId && deployment.ImageId != null)
            .OrderByDescending(deployment => deployment.Id)
            .Select(deployment => deployment.ImageId!)
            .Take(ImagesLookedAt)
            .ToListAsync(cancellationToken);
        if (lately.Count == 0)
        {
            return [];
        }

        var needed = await db.Deployments
            .Where(deployment => lately.Contains(deployment.ImageId!)
                && (deployment.Status == DeploymentStatus.Running || deployment.Status == DeploymentStatus.Succeeded))
            .Select(deployment => new { deployment.AppId, deployment.Id, deployment.ImageId })
            .ToListAsync(cancellationToken);
        var kept = new HashSet<string>(StringComparer.Ordinal);
        foreach (var app in needed.Select(deployment => deployment.AppId).Distinct())
        {
            var newest = await db.Deployments
                .Where(deployment => deployment.AppId == app && deployment.ImageId != null
                    && (deployment.Status == DeploymentStatus.Running || deployment.Status == DeploymentStatus.Succeeded))
                .OrderByDescending(deployment => deployment.Id)
                .Select(deployment => deployment.ImageId!)
                .Take(ImagesLookedAt)
                .ToListAsync(cancellationToken);
            kept.UnionWith(newest.Distinct(StringComparer.Ordinal).Take(keep));
        }

        return [.. lately.Distinct(StringComparer.Ordinal).Where(image => !kept.Contains(image))];
    }

    /// <summary>The containers of these ended deployments are put right.</summary>
    public async Task PayDebtsAsync(IReadOnlyList<long> deploymentIds, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await db.Deployments.Where(deployment => deploymentIds.Contains(deployment.Id))
            .ExecuteUpdateAsync(set => set.SetProperty(deployment => deployment.UndoPending, false), cancellationToken);
    }

    private static async Task<ClaimedDeployment> ReadAsync(DeployerDb db, Claim claim, CancellationToken cancellationToken)
    {
        var deployment = await db.Deployments.AsNoTracking().Include(row => row.Steps)
            .SingleAsync(row => row.Id == claim.DeploymentId, cancellationToken);
        return new ClaimedDeployment(
            claim, deployment, await db.Apps.AsNoTracking().SingleAsync(app => app.Id == deployment.AppId, cancellationToken));
    }

    private static async Task ChangeAsync(
        DeployerDb db, Claim claim, Action<UpdateSettersBuilder<Deployment>> set, CancellationToken cancellationToken)
    {
        var changed = await db.Deployments
            .Where(deployment => deployment.Id == claim.DeploymentId && deployment.Worker == claim.Worker
                && deployment.Status == DeploymentStatus.Running)
            .ExecuteUpdateAsync(set, cancellationToken);
        if (changed == 0)
        {
            throw new ClaimLostException(claim.DeploymentId);
        }
    }

    private async Task ChangeAsync(
        Claim claim, Action<UpdateSettersBuilder<Deployment>> set, bool publish, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await ChangeAsync(db, claim, set, cancellationToken);
        if (publish)
        {
            feed.Publish(claim.DeploymentId);
        }
    }

    private async Task ChangeStepAsync(
        Claim claim, StepKind kind, Action<UpdateSettersBuilder<DeploymentStep>> set, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var changed = await db.Steps
            .Where(step => step.DeploymentId == claim.DeploymentId && step.Kind == kind
                && db.Deployments.Any(deployment => deployment.Id == claim.DeploymentId && deployment.Worker == claim.Worker
                    && deployment.Status == DeploymentStatus.Running))
            .ExecuteUpdateAsync(set, cancellationToken);
        if (changed == 0)
        {
            throw new ClaimLostException(claim.DeploymentId);
        }

        feed.Publish(claim.DeploymentId);
    }

    [LoggerMessage(LogLevel.Error, "Deployment {DeploymentId}: could not record that it ended as {Status}; trying again")]
    private partial void LogEndFailed(Exception exception, long deploymentId, DeploymentStatus status);
}

/// <summary>An app's deployments, as far as its containers are concerned.</summary>
/// <param name="AppId">The app.</param>
/// <param name="Current">Its current deployment.</param>
/// <param name="Ended">Ids of its deployments that have ended.</param>
/// <param name="Running">Its running deployment.</param>
/// <param name="Debts">Its ended deployments whose containers are still to be put right.</param>
/// <param name="ToServe">Containers that have to serve again for that, each with when it was last told to stop.</param>
internal sealed record AppLedger(
    long AppId, long? Current, IReadOnlySet<long> Ended, long? Running, IReadOnlyList<long> Debts, IReadOnlyDictionary<string, Instant?> ToServe);

/// <summary>Who holds a running deployment, and until when.</summary>
internal sealed record Holding(long DeploymentId, string? Worker, Instant? LeaseUntil);
