using Deployer.Core.Deployments;

namespace Deployer.Web.Components.Layout;

/// <summary>Moods of tabs.</summary>
internal static class TabMoods
{
    /// <summary>The mood of a deployment's tab.</summary>
    public static TabMood Of(DeploymentStatus? status) => status switch
    {
        DeploymentStatus.Queued or DeploymentStatus.Running => TabMood.Busy,
        DeploymentStatus.Succeeded => TabMood.Good,
        DeploymentStatus.Failed => TabMood.Bad,
        _ => TabMood.Calm,
    };
}
