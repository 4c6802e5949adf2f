using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Core.Notifications;

/// <summary>
/// Puts what is to be told into the outbox, in the transaction of what happened: either both are there or neither.
/// </summary>
internal static class NotificationOutbox
{
    /// <summary>The event of a final status; none for a superseded deployment, of whose successor more will be heard.</summary>
    public static NotificationEvents EventOf(DeploymentStatus status) => status switch
    {
        DeploymentStatus.Succeeded => NotificationEvents.Succeeded,
        DeploymentStatus.Failed => NotificationEvents.Failed,
        DeploymentStatus.Canceled => NotificationEvents.Canceled,
        _ => NotificationEvents.None,
    };

    /// <summary>Adds a delivery for everybody who wants to hear of the event. The caller commits.</summary>
    public static async Task PlanAsync(
        DeployerDb db, long deploymentId, NotificationEvents happened, Instant now, CancellationToken cancellationToken)
    {
        if (happened == NotificationEvents.None)
        {
            return;
        }

        var wanted = await (from deployment in db.Deployments
                            join app in db.Apps on deployment.AppId equals app.Id
                            from target in db.Set<NotificationTarget>()
                            where deployment.Id == deploymentId && (target.Events & happened) != NotificationEvents.None
                                && (target.AppId == null || target.AppId == app.Id)
                                && (target.Environment == null || target.Environment == app.Environment)
                            select target.Id).ToListAsync(cancellationToken);
        if (wanted.Count == 0)
        {
            return;
        }

        db.AddRange(wanted.Select(target => new NotificationDelivery
        {
            TargetId = target,
            DeploymentId = deploymentId,
            Event = happened,
            CreatedAt = now,
            NextAttemptAt = now,
        }));
        await db.SaveChangesAsync(cancellationToken);
    }
}
