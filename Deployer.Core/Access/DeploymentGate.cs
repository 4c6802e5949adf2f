using Deployer.Core.Apps;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Environments;

namespace Deployer.Core.Access;

/// <summary>
/// The verbs of <see cref="DeploymentQueue"/>, <see cref="DeploymentReader"/> and the approvals for whoever acts: what
/// their roles do not allow is refused, what they may not see is not there, and every change is written to the audit log.
/// </summary>
public sealed class DeploymentGate(
    DeploymentQueue queue, DeploymentReader reader, AppCatalog catalog, EnvironmentBook environments,
    AccessSubjects subjects, ICurrentActor current, AuditLog audit)
{
    /// <summary>Queues a deployment in the caller's name; for deployers. To override a freeze takes an admin.</summary>
    /// <exception cref="AccessDeniedException">The caller is none.</exception>
    public async Task<EnqueueResult> EnqueueAsync(string appName, DeploymentRequest request, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        return await EnqueueAsync(actor, appName, request, AuditAction.DeploymentRequested, cancellationToken);
    }

    /// <summary>Cancels a deployment in the caller's name; for deployers.</summary>
    /// <exception cref="AccessDeniedException">The caller is none.</exception>
    public async Task<CancelResult> CancelAsync(long deploymentId, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        if (await FindSubjectAsync(actor, deploymentId, cancellationToken) is not { } subject)
        {
            return CancelResult.Unknown;
        }

        actor.Demand(AccessRole.Deployer, subject.Environment, subject.App);
        return await queue.CancelAsync(
            deploymentId,
            actor.Name,
            db => audit.Stage(db, actor, new AuditFact(AuditAction.DeploymentCanceled, AuditSubject.Deployment(deploymentId))
            {
                Environment = subject.Environment,
                Note = subject.App,
            }),
            cancellationToken);
    }

    /// <summary>Approves a deployment that waits for it; for deployers other than whoever asked for it.</summary>
    /// <exception cref="AccessDeniedException">The caller is none.</exception>
    public async Task<ApprovalResult> ApproveAsync(long deploymentId, string reason, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        return await FindSubjectAsync(actor, deploymentId, cancellationToken) is null
            ? ApprovalResult.Unknown
            : await environments.ApproveAsync(actor, deploymentId, reason, cancellationToken);
    }

    /// <summary>The deployment; <see langword="null"/> when there is none that the caller may see.</summary>
    public async Task<DeploymentView?> FindAsync(long id, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        return await FindSubjectAsync(actor, id, cancellationToken) is null ? null : await reader.FindAsync(id, cancellationToken);
    }

    /// <summary>Deployments that match the filter and that the caller may see, newest first.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The limit is outside 1–500.</exception>
    public async Task<IReadOnlyList<DeploymentView>> ListAsync(DeploymentFilter filter, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        if (actor.MayEverywhere(AccessRole.Viewer))
        {
            return await reader.ListAsync(filter, cancellationToken);
        }

        var visible = (await catalog.ListAsync(cancellationToken))
            .Where(app => actor.May(AccessRole.Viewer, app.Environment, app.Name))
            .Select(app => app.Name).ToHashSet(StringComparer.Ordinal);
        if (filter.App is { } name)
        {
            return visible.Contains(name) ? await reader.ListAsync(filter, cancellationToken) : [];
        }

        // A caller with few apps in a large installation reads several pages to fill one.
        var found = new List<DeploymentView>();
        var page = filter;
        while (found.Count < filter.Limit)
        {
            var read = await reader.ListAsync(page, cancellationToken);
            found.AddRange(read.Where(deployment => visible.Contains(deployment.App)).Take(filter.Limit - found.Count));
            if (read.Count < page.Limit)
            {
                break;
            }

            page = page with { Before = read[^1].Id };
        }

        return found;
    }

    /// <summary>Whether the caller may read the log of a deployment.</summary>
    public async Task<bool> MaySeeAsync(long deploymentId, CancellationToken cancellationToken) =>
        await FindSubjectAsync(await current.GetAsync(cancellationToken), deploymentId, cancellationToken) is not null;

    /// <summary>Writes down that the caller takes the whole log of a deployment away; <see langword="false"/> when they may not see it.</summary>
    public async Task<bool> TakeLogAsync(long deploymentId, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        if (await FindSubjectAsync(actor, deploymentId, cancellationToken) is not { } subject)
        {
            return false;
        }

        await audit.RecordAsync(actor, new AuditFact(AuditAction.LogDownloaded, AuditSubject.Deployment(deploymentId))
        {
            Environment = subject.Environment,
            Note = subject.App,
        }, cancellationToken);
        return true;
    }

    /// <summary>Queues a deployment for a caller that is no person and no token: a webhook.</summary>
    internal async Task<EnqueueResult> EnqueueAsync(
        Actor actor, string appName, DeploymentRequest request, string action, CancellationToken cancellationToken)
    {
        if (await subjects.FindAppAsync(appName, cancellationToken) is not { } subject
            || !actor.May(AccessRole.Viewer, subject.Environment, subject.App))
        {
            return new EnqueueResult.AppUnknown();
        }

        actor.Demand(request.OverrideFreeze ? AccessRole.Admin : AccessRole.Deployer, subject.Environment, subject.App);
        return await queue.EnqueueAsync(
            appName,
            request with
            {
                RequestedBy = actor.Name,
                RequestedById = actor.Id,
                Alongside = (db, deployment) => Stage(audit, db, actor, deployment, new AuditFact(action, AuditSubject.Deployment(deployment.Id))
                {
                    Environment = subject.Environment,
                    After = new { subject.App, deployment.Number, deployment.Spec.Image },
                    Note = request.Reason,
                }),
            },
            cancellationToken);
    }

    /// <summary>Writes down that a deployment was asked for and, where it was, in spite of which freeze.</summary>
    internal static void Stage(AuditLog audit, DeployerDb db, Actor actor, Deployment deployment, AuditFact asked)
    {
        audit.Stage(db, actor, asked);
        if (deployment.OverriddenFreeze is { } freeze)
        {
            audit.Stage(db, actor, new AuditFact(AuditAction.FreezeOverridden, asked.Subject)
            {
                Environment = asked.Environment,
                After = new { Freeze = freeze },
                Note = asked.Note,
            });
        }
    }

    private async Task<AccessSubject?> FindSubjectAsync(Actor actor, long deploymentId, CancellationToken cancellationToken) =>
        await subjects.FindDeploymentAsync(deploymentId, cancellationToken) is { } subject
            && actor.May(AccessRole.Viewer, subject.Environment, subject.App)
            ? subject
            : null;
}
