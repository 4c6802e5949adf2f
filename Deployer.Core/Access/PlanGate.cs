using Deployer.Core.Deployments;

namespace Deployer.Core.Access;

/// <summary>What the caller may do about an app's environment.</summary>
/// <param name="MayDeploy">Deploy and restore.</param>
/// <param name="MayOverride">Do so in spite of a freeze.</param>
public sealed record DeployRights(bool MayDeploy, bool MayOverride);

/// <summary>What a deployment would do, for whoever could ask for it: what they may not see is not there.</summary>
public sealed class PlanGate(DeployPlanner planner, DeploymentReader reader, AccessSubjects subjects, ICurrentActor current)
{
    /// <summary>What a deployment would do; <see langword="null"/> when there is no such app that the caller may see.</summary>
    public async Task<DeployPlan?> PlanAsync(string app, CancellationToken cancellationToken) =>
        await FindAsync(app, cancellationToken) is null ? null : await planner.PlanAsync(app, cancellationToken);

    /// <summary>The rules of the app's environment; <see langword="null"/> when there is no such app that the caller may see.</summary>
    public async Task<EnvironmentTerms?> FindTermsAsync(string app, CancellationToken cancellationToken) =>
        await FindAsync(app, cancellationToken) is null ? null : await planner.FindTermsAsync(app, cancellationToken);

    /// <summary>Tags that could be deployed, for deployers; <see langword="null"/> when there is no such app that the caller may see.</summary>
    /// <exception cref="AccessDeniedException">The caller is none.</exception>
    public async Task<TagOffer?> ListTagsAsync(string app, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        if (await subjects.FindAppAsync(app, cancellationToken) is not { } subject || !actor.May(AccessRole.Viewer, subject.Environment, subject.App))
        {
            return null;
        }

        actor.Demand(AccessRole.Deployer, subject.Environment, subject.App);
        return await planner.ListTagsAsync(app, cancellationToken);
    }

    /// <summary>
    /// Deployments of the app that could come back, newest first; <see langword="null"/> when there is no such app that
    /// the caller may see.
    /// </summary>
    public async Task<IReadOnlyList<DeploymentView>?> ListRestorableAsync(string app, int limit, CancellationToken cancellationToken) =>
        await FindAsync(app, cancellationToken) is null
            ? null
            : [.. (await reader.ListAsync(new DeploymentFilter(app, DeploymentStatus.Succeeded, Before: null, limit), cancellationToken))
                .Where(deployment => deployment.Digest is not null)];

    /// <summary>What the caller may do; <see langword="null"/> when there is no such app that they may see.</summary>
    public async Task<DeployRights?> FindAsync(string app, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        return await subjects.FindAppAsync(app, cancellationToken) is { } subject && actor.May(AccessRole.Viewer, subject.Environment, subject.App)
            ? new DeployRights(
                actor.May(AccessRole.Deployer, subject.Environment, subject.App), actor.May(AccessRole.Admin, subject.Environment, subject.App))
            : null;
    }
}
