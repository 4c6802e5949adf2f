using Deployer.Core.Audit;
using Deployer.Core.Logs;

namespace Deployer.Core.Access;

/// <summary>Pinning of logs for whoever acts: for deployers, and written to the audit log where it changed something.</summary>
public sealed class LogPinGate(LogPins pins, AccessSubjects subjects, ICurrentActor current, AuditLog audit)
{
    /// <summary>Pins the log of a deployment, so that retention keeps it, or lets it go again.</summary>
    /// <exception cref="AccessDeniedException">The caller is no deployer.</exception>
    public async Task<PinResult> SetAsync(long deploymentId, bool pinned, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        if (await subjects.FindDeploymentAsync(deploymentId, cancellationToken) is not { } subject
            || !actor.May(AccessRole.Viewer, subject.Environment, subject.App))
        {
            return PinResult.Unknown;
        }

        actor.Demand(AccessRole.Deployer, subject.Environment, subject.App);
        return await pins.SetAsync(
            deploymentId,
            pinned,
            db => audit.Stage(db, actor, new AuditFact(pinned ? AuditAction.LogPinned : AuditAction.LogUnpinned, AuditSubject.Deployment(deploymentId))
            {
                Environment = subject.Environment,
                Note = subject.App,
            }),
            cancellationToken);
    }
}
