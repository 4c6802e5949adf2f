using Deployer.Core.Access;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Core.Environments;

/// <summary>An environment as people see it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Protected">Whether deployments wait for a second person's approval.</param>
/// <param name="MaxConcurrent">Most deployments that run there at the same time; <see langword="null"/> for no limit.</param>
/// <param name="Apps">How many apps run there.</param>
/// <param name="Freezes">Freeze windows that are not over, the first first.</param>
public sealed record EnvironmentView(string Name, bool Protected, int? MaxConcurrent, int Apps, IReadOnlyList<FreezeView> Freezes);

/// <summary>What of an environment's rules is to change; <see langword="null"/> leaves a rule as it is.</summary>
public sealed record EnvironmentChange
{
    /// <summary>Whether deployments wait for a second person's approval.</summary>
    public bool? Protected { get; init; }

    /// <summary>Most deployments that run there at the same time, 1 to <see cref="EnvironmentRules.HighestLimit"/>; 0 for no limit.</summary>
    public int? MaxConcurrent { get; init; }
}

/// <summary>A freeze window as people see it.</summary>
public sealed record FreezeView(long Id, Instant StartsAt, Instant EndsAt, string Reason, string CreatedBy);

/// <summary>What came of an approval.</summary>
public enum ApprovalResult
{
    /// <summary>It was given; the runner may start.</summary>
    Approved,

    /// <summary>The deployment waits for none, or not any more.</summary>
    NotWaiting,

    /// <summary>Whoever asked for the deployment cannot approve it.</summary>
    OwnRequest,

    /// <summary>The environment is frozen now.</summary>
    Frozen,

    /// <summary>There is no such deployment.</summary>
    Unknown,
}

/// <summary>The rules of the environments: protection, approvals and freezes.</summary>
public sealed class EnvironmentBook(
    IDbContextFactory<DeployerDb> databases, AuditLog audit, DeploymentFeed feed, TimeProvider time)
{
    /// <summary>Every environment that has rules or apps and that the caller may see, by name.</summary>
    public async Task<IReadOnlyList<EnvironmentView>> ListAsync(Actor actor, CancellationToken cancellationToken)
    {
        var now = time.Now();
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var rules = await db.Set<EnvironmentRules>().AsNoTracking().ToDictionaryAsync(row => row.Name, StringComparer.Ordinal, cancellationToken);
        var apps = await db.Apps.GroupBy(app => app.Environment)
            .Select(group => new { Name = group.Key, Count = group.Count() })
            .ToDictionaryAsync(group => group.Name, group => group.Count, StringComparer.Ordinal, cancellationToken);
        var freezes = (await db.Set<FreezeWindow>().AsNoTracking().Where(window => window.EndsAt > now)
            .OrderBy(window => window.StartsAt).ToListAsync(cancellationToken)).ToLookup(window => window.Environment, StringComparer.Ordinal);
        return
        [
            .. rules.Keys.Union(apps.Keys, StringComparer.Ordinal).Union(freezes.Select(group => group.Key), StringComparer.Ordinal)
                .Where(name => actor.May(AccessRole.Viewer, name, app: null)
                    || actor.Grants.Any(grant => grant.App is not null && (grant.Environment is null || grant.Environment == name)))
                .Order(StringComparer.Ordinal)
                .Select(name => new EnvironmentView(
                    name, rules.GetValueOrDefault(name)?.Protected ?? false, rules.GetValueOrDefault(name)?.MaxConcurrent, apps.GetValueOrDefault(name),
                    [.. freezes[name].Select(window => new FreezeView(window.Id, window.StartsAt, window.EndsAt, window.Reason, window.CreatedBy))])),
        ];
    }

    /// <summary>Protects an environment, or lifts the protection. Deployments that wait already go on waiting.</summary>
    /// <exception cref="AccessDeniedException">The caller is no admin there.</exception>
    public Task ProtectAsync(Actor actor, string environment, bool protect, CancellationToken cancellationToken) =>
        ChangeAsync(actor, environment, new EnvironmentChange { Protected = protect }, cancellationToken);

    /// <summary>Changes the rules of an environment. A lower limit lets what runs go on; a higher one is used within seconds.</summary>
    /// <exception cref="AccessDeniedException">The caller is no admin there.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The limit is negative or above <see cref="EnvironmentRules.HighestLimit"/>.</exception>
    public async Task ChangeAsync(Actor actor, string environment, EnvironmentChange change, CancellationToken cancellationToken)
    {
        actor.Demand(AccessRole.Admin, environment, app: null);
        if (change.MaxConcurrent is { } asked)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(asked, nameof(change));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(asked, EnvironmentRules.HighestLimit, nameof(change));
        }

        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var rules = await db.Set<EnvironmentRules>().FirstOrDefaultAsync(row => row.Name == environment, cancellationToken);
        if (rules is null)
        {
            rules = new EnvironmentRules { Name = environment, CreatedAt = time.Now() };
            db.Add(rules);
        }

        var before = new { rules.Protected, rules.MaxConcurrent };
        rules.Protected = change.Protected ?? rules.Protected;
        rules.MaxConcurrent = change.MaxConcurrent switch { null => rules.MaxConcurrent, 0 => null, var limit => limit };
        audit.Stage(db, actor, new AuditFact(AuditAction.EnvironmentChanged, AuditSubject.Environment(environment))
        {
            Environment = environment,
            Before = before,
            After = new { rules.Protected, rules.MaxConcurrent },
        });
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Freezes an environment for a time.</summary>
    /// <exception cref="AccessDeniedException">The caller is no admin there.</exception>
    /// <exception cref="ArgumentException">The window ends before it starts.</exception>
    public async Task<FreezeView> FreezeAsync(
        Actor actor, string environment, Interval window, string reason, CancellationToken cancellationToken)
    {
        actor.Demand(AccessRole.Admin, environment, app: null);
        if (!window.HasStart || !window.HasEnd || window.Duration <= Duration.Zero)
        {
            throw new ArgumentException("A freeze has a start and a later end.", nameof(window));
        }

        var row = new FreezeWindow
        {
            Environment = environment,
            StartsAt = window.Start,
            EndsAt = window.End,
            Reason = reason,
            CreatedBy = actor.Name,
        };
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        db.Add(row);
        audit.Stage(db, actor, new AuditFact(AuditAction.FreezeSet, AuditSubject.Environment(environment))
        {
            Environment = environment,
            After = new { row.StartsAt, row.EndsAt },
            Note = reason,
        });
        await db.SaveChangesAsync(cancellationToken);
        return new FreezeView(row.Id, row.StartsAt, row.EndsAt, row.Reason, row.CreatedBy);
    }

    /// <summary>Lifts a freeze.</summary>
    /// <returns>Whether the environment had such a freeze.</returns>
    /// <exception cref="AccessDeniedException">The caller is no admin there.</exception>
    public async Task<bool> LiftAsync(Actor actor, string environment, long freezeId, CancellationToken cancellationToken)
    {
        actor.Demand(AccessRole.Admin, environment, app: null);
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var window = await db.Set<FreezeWindow>()
            .FirstOrDefaultAsync(row => row.Id == freezeId && row.Environment == environment, cancellationToken);
        if (window is null)
        {
            return false;
        }

        db.Remove(window);
        audit.Stage(db, actor, new AuditFact(AuditAction.FreezeLifted, AuditSubject.Environment(environment))
        {
            Environment = environment,
            Before = new { window.StartsAt, window.EndsAt },
            Note = window.Reason,
        });
        await db.SaveChangesAsync(cancellationToken);
        return true;
    }

    /// <summary>Approves a deployment that waits for it. Whoever asked for it cannot.</summary>
    /// <exception cref="AccessDeniedException">The caller may not deploy there.</exception>
    public async Task<ApprovalResult> ApproveAsync(Actor actor, long deploymentId, string reason, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var found = await db.Deployments.Where(deployment => deployment.Id == deploymentId)
            .Join(db.Apps, deployment => deployment.AppId, app => app.Id, (deployment, app) => new { app.Name, app.Environment, deployment.Status })
            .FirstOrDefaultAsync(cancellationToken);
        if (found is null)
        {
            return ApprovalResult.Unknown;
        }

        actor.Demand(AccessRole.Deployer, found.Environment, found.Name);
        var now = time.Now();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var waiting = await db.Set<DeploymentApproval>().AsNoTracking()
            .FirstOrDefaultAsync(approval => approval.DeploymentId == deploymentId && approval.ApprovedAt == null, cancellationToken);
        if (waiting is null || found.Status != DeploymentStatus.Queued)
        {
            return ApprovalResult.NotWaiting;
        }

        if (string.Equals(waiting.RequestedById, actor.Id, StringComparison.Ordinal))
        {
            return ApprovalResult.OwnRequest;
        }

        if (await FindFreeze(db, found.Environment, now).AnyAsync(cancellationToken))
        {
            return ApprovalResult.Frozen;
        }

        await db.Set<DeploymentApproval>().Where(approval => approval.DeploymentId == deploymentId && approval.ApprovedAt == null)
            .ExecuteUpdateAsync(
                set => set.SetProperty(approval => approval.ApprovedAt, now)
                    .SetProperty(approval => approval.ApprovedById, actor.Id)
                    .SetProperty(approval => approval.ApprovedBy, actor.Name)
                    .SetProperty(approval => approval.Reason, reason),
                cancellationToken);
        audit.Stage(db, actor, new AuditFact(AuditAction.DeploymentApproved, AuditSubject.Deployment(deploymentId))
        {
            Environment = found.Environment,
            Note = reason,
        });
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        feed.Publish(deploymentId);
        return ApprovalResult.Approved;
    }

    /// <summary>Freezes of an environment that hold at an instant.</summary>
    internal static IQueryable<FreezeWindow> FindFreeze(DeployerDb db, string environment, Instant at) =>
        db.Set<FreezeWindow>().AsNoTracking()
            .Where(window => window.Environment == environment && window.StartsAt <= at && window.EndsAt > at)
            .OrderByDescending(window => window.EndsAt);
}
