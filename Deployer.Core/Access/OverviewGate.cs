using Deployer.Core.Apps;

namespace Deployer.Core.Access;

/// <summary>What the caller sees of all apps in one line each, and where they may do more than look.</summary>
/// <param name="Apps">The apps that the caller may see, by name.</param>
/// <param name="Actor">The caller.</param>
public sealed record Overview(IReadOnlyList<AppOverview> Apps, Actor Actor)
{
    /// <summary>Whether the caller may deploy an app and bring earlier deployments back.</summary>
    public bool MayDeploy(AppOverview app) => Actor.May(AccessRole.Deployer, app.Environment, app.Name);
}

/// <summary><see cref="AppOverviews"/> for whoever acts: what they may not see is not there.</summary>
public sealed class OverviewGate(AppOverviews overviews, ICurrentActor current)
{
    /// <summary>The apps that the caller may see.</summary>
    public async Task<Overview> ReadAsync(CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        var apps = await overviews.ReadAsync(cancellationToken);
        return new Overview(
            actor.MayEverywhere(AccessRole.Viewer) ? apps : [.. apps.Where(app => actor.May(AccessRole.Viewer, app.Environment, app.Name))],
            actor);
    }
}
