using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Environments;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Core.Deployments;

/// <summary>Reads deployments for pages and API.</summary>
public sealed class DeploymentReader(IDbContextFactory<DeployerDb> databases)
{
    /// <summary>The most that one list gives.</summary>
    public const int MaxLimit = 500;

    /// <summary>One deployment; <see langword="null"/> when there is none of that id.</summary>
    public async Task<DeploymentView?> FindAsync(long id, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return (await ReadAsync(db, db.Deployments.Where(deployment => deployment.Id == id), cancellationToken)).SingleOrDefault();
    }

    /// <summary>Deployments that match the filter, newest first.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The limit is outside 1–500.</exception>
    public async Task<IReadOnlyList<DeploymentView>> ListAsync(DeploymentFilter filter, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(filter.Limit, 1, nameof(filter));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(filter.Limit, MaxLimit, nameof(filter));
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        IQueryable<Deployment> deployments = db.Deployments;
        if (filter.App is { } name)
        {
            deployments = deployments.Where(deployment => deployment.AppId == db.Apps.Where(app => app.Name == name).Select(app => app.Id).FirstOrDefault());
        }

        if (filter.Status is { } status)
        {
            deployments = deployments.Where(deployment => deployment.Status == status);
        }

        if (filter.Environment is { } environment)
        {
            deployments = deployments.Where(deployment => db.Apps.Any(app => app.Id == deployment.AppId && app.Environment == environment));
        }

        if (filter.RequestedBy is { } who)
        {
            deployments = deployments.Where(deployment => deployment.RequestedBy != null && deployment.RequestedBy.Contains(who));
        }

        if (filter.Since is { } since)
        {
            deployments = deployments.Where(deployment => deployment.CreatedAt >= since);
        }

        if (filter.Until is { } until)
        {
            deployments = deployments.Where(deployment => deployment.CreatedAt < until);
        }

        if (filter.Before is { } before)
        {
            deployments = deployments.Where(deployment => deployment.Id < before);
        }

        return await ReadAsync(db, deployments.OrderByDescending(deployment => deployment.Id).Take(filter.Limit), cancellationToken);
    }

    private static async Task<IReadOnlyList<DeploymentView>> ReadAsync(
        DeployerDb db, IQueryable<Deployment> deployments, CancellationToken cancellationToken)
    {
        var rows = await deployments
            .Join(db.Apps, deployment => deployment.AppId, app => app.Id, (deployment, app) => new Row(
                app.Name,
                deployment,
                deployment.Steps.OrderBy(step => step.Kind).Select(step => new StepView(step.Kind, step.State, step.StartedAt, step.EndedAt)).ToList(),
                db.Set<DeploymentApproval>().Where(approval => approval.DeploymentId == deployment.Id)
                    .Select(approval => new ApprovalView(approval.ApprovedAt, approval.ApprovedBy, approval.Reason)).FirstOrDefault()))
            .AsNoTracking()
            .ToListAsync(cancellationToken);
        var queue = rows.Any(row => row.Deployment.Status == DeploymentStatus.Queued) ? await QueueState.ReadAsync(db, cancellationToken) : null;
        return [.. rows.OrderByDescending(row => row.Deployment.Id).Select(row => row.ToView(queue?.Find(row.Deployment.Id)))];
    }

    private sealed record Row(string App, Deployment Deployment, List<StepView> Steps, ApprovalView? Approval)
    {
        public DeploymentView ToView(WaitingView? waiting) => new(
            Deployment.Id, App, Deployment.Number, Deployment.Status, Deployment.Spec.Image, Deployment.Digest,
            Deployment.Spec, Deployment.ContainerId, Deployment.Ports, Steps, Deployment.Failure, Deployment.Reason,
            Deployment.RequestedBy, Deployment.CancelRequestedAt, Deployment.CreatedAt, Deployment.StartedAt,
            Deployment.EndedAt)
        {
            Approval = Approval,
            Waiting = waiting,
            CancelRequestedBy = Deployment.CancelRequestedBy,
            SupersededBy = Deployment.SupersededBy,
            RestoredFrom = Deployment.RestoredFrom,
            OverriddenFreeze = Deployment.OverriddenFreeze,
            LogPinned = Deployment.Pinned,
        };
    }
}
