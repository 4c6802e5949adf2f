using Deployer.Core.Audit;
using Deployer.Core.Deployments;

namespace Deployer.Core.Access;

/// <summary>
/// Starting, stopping and restarting apps, looking at what runs, and going back to earlier deployments, for whoever acts:
/// what their roles do not allow is refused, and every change is written to the audit log.
/// </summary>
public sealed class OperationGate(
    AppOperations operations, DriftReader drift, Restorer restorer, ProgressReader progress, AccessSubjects subjects,
    ICurrentActor current, AuditLog audit)
{
    /// <summary>Starts an app; for deployers.</summary>
    /// <exception cref="AccessDeniedException">The caller is none.</exception>
    public Task<OperationResult> StartAsync(string app, CancellationToken cancellationToken) =>
        OperateAsync(app, AuditAction.AppStarted, operations.StartAsync, cancellationToken);

    /// <summary>Stops an app; for deployers.</summary>
    /// <exception cref="AccessDeniedException">The caller is none.</exception>
    public Task<OperationResult> StopAsync(string app, CancellationToken cancellationToken) =>
        OperateAsync(app, AuditAction.AppStopped, operations.StopAsync, cancellationToken);

    /// <summary>Restarts an app; for deployers.</summary>
    /// <exception cref="AccessDeniedException">The caller is none.</exception>
    public Task<OperationResult> RestartAsync(string app, CancellationToken cancellationToken) =>
        OperateAsync(app, AuditAction.AppRestarted, operations.RestartAsync, cancellationToken);

    /// <summary>An app as the engine has it; <see langword="null"/> when there is none that the caller may see.</summary>
    public async Task<AppRuntime?> LookAsync(string app, CancellationToken cancellationToken) =>
        await FindAppAsync(await current.GetAsync(cancellationToken), app, cancellationToken) is null
            ? null
            : await drift.FindAsync(app, cancellationToken);

    /// <summary>How far a deployment is; <see langword="null"/> when there is none that the caller may see.</summary>
    public async Task<DeploymentProgress?> ProgressAsync(long deploymentId, CancellationToken cancellationToken) =>
        await FindDeploymentAsync(await current.GetAsync(cancellationToken), deploymentId, cancellationToken) is null
            ? null
            : await progress.FindAsync(deploymentId, cancellationToken);

    /// <summary>What a restore would do; <see langword="null"/> when there is no such deployment that the caller may see.</summary>
    public async Task<RestoreCheck?> CheckRestoreAsync(long deploymentId, CancellationToken cancellationToken) =>
        await FindDeploymentAsync(await current.GetAsync(cancellationToken), deploymentId, cancellationToken) is null
            ? null
            : await restorer.CheckAsync(deploymentId, cancellationToken);

    /// <summary>Queues a deployment that brings an earlier one back; for deployers. To override a freeze takes an admin.</summary>
    /// <exception cref="AccessDeniedException">The caller is none.</exception>
    public async Task<EnqueueResult?> RestoreAsync(
        long deploymentId, SecretChoice choice, DeploymentRequest request, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        if (await FindDeploymentAsync(actor, deploymentId, cancellationToken) is not { } subject)
        {
            return null;
        }

        actor.Demand(request.OverrideFreeze ? AccessRole.Admin : AccessRole.Deployer, subject.Environment, subject.App);
        return await restorer.RestoreAsync(
            deploymentId,
            choice,
            request with
            {
                RequestedBy = actor.Name,
                RequestedById = actor.Id,
                Alongside = (db, deployment) => DeploymentGate.Stage(
                    audit, db, actor, deployment, new AuditFact(AuditAction.DeploymentRestored, AuditSubject.Deployment(deployment.Id))
                    {
                        Environment = subject.Environment,
                        After = new { subject.App, deployment.Number, deployment.Spec.Image, deployment.RestoredFrom, Secrets = choice },
                        Note = request.Reason,
                    }),
            },
            cancellationToken);
    }

    private async Task<OperationResult> OperateAsync(
        string app, string action, Func<string, CancellationToken, Task<OperationResult>> operate, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        if (await FindAppAsync(actor, app, cancellationToken) is not { } subject)
        {
            return OperationResult.AppUnknown;
        }

        actor.Demand(AccessRole.Deployer, subject.Environment, subject.App);
        var result = await operate(app, cancellationToken);
        if (result == OperationResult.Done)
        {
            // It is done, whether or not the caller waited for it.
            await audit.RecordAsync(actor, new AuditFact(action, AuditSubject.App(app)) { Environment = subject.Environment }, CancellationToken.None);
        }

        return result;
    }

    private async Task<AccessSubject?> FindAppAsync(Actor actor, string app, CancellationToken cancellationToken) =>
        await subjects.FindAppAsync(app, cancellationToken) is { } subject && actor.May(AccessRole.Viewer, subject.Environment, subject.App)
            ? subject
            : null;

    private async Task<AccessSubject?> FindDeploymentAsync(Actor actor, long deploymentId, CancellationToken cancellationToken) =>
        await subjects.FindDeploymentAsync(deploymentId, cancellationToken) is { } subject
            && actor.May(AccessRole.Viewer, subject.Environment, subject.App)
            ? subject
            : null;
}
