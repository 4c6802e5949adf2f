using Deployer.Core.Apps;
using Deployer.Core.Deployments;

namespace Deployer.Web.Features.Home;

/// <summary>Which apps a reader of the home page wants to see. An app can be in several.</summary>
internal enum AppGroup
{
    /// <summary>Every app.</summary>
    All,

    /// <summary>A deployment of it waits or runs.</summary>
    Deploying,

    /// <summary>Its container is not as it should be, or its last deployment failed.</summary>
    Trouble,

    /// <summary>Its container runs.</summary>
    Running,

    /// <summary>A person stopped it.</summary>
    Stopped,

    /// <summary>Nothing was ever deployed with success.</summary>
    New,
}

/// <summary>Which groups an app is in, and the words for groups and states.</summary>
internal static class AppGroups
{
    /// <summary>The groups in the order in which they are offered.</summary>
    public static IReadOnlyList<AppGroup> All { get; } = Enum.GetValues<AppGroup>();

    /// <summary>Whether an app is in a group.</summary>
    public static bool Has(this AppGroup group, AppOverview app) => group switch
    {
        AppGroup.Deploying => IsDeploying(app),
        AppGroup.Trouble => IsBad(app.State) || app.Last?.Status == DeploymentStatus.Failed,
        AppGroup.Running => app.State is AppState.Running or AppState.Starting,
        AppGroup.Stopped => app.State == AppState.Stopped,
        AppGroup.New => app.State == AppState.NotDeployed,
        _ => true,
    };

    /// <summary>Whether a deployment of the app waits or runs.</summary>
    public static bool IsDeploying(AppOverview app) => app.Last is { } last && !last.Status.IsFinal();

    /// <summary>Whether a state is one that somebody should look at.</summary>
    public static bool IsBad(AppState state) =>
        state is AppState.Unhealthy or AppState.Restarting or AppState.Down or AppState.Missing;

    /// <summary>A group's name.</summary>
    public static string Name(AppGroup group) => group switch
    {
        AppGroup.Trouble => "Needs attention",
        AppGroup.New => "Not deployed",
        _ => group.ToString(),
    };

    /// <summary>A state in a word or two.</summary>
    public static string Name(AppState state) => state switch
    {
        AppState.NotDeployed => "Not deployed",
        _ => state.ToString(),
    };

    /// <summary>A state in a sentence, for whoever hovers over it.</summary>
    public static string Explain(AppState state) => state switch
    {
        AppState.NotDeployed => "Nothing was deployed with success yet",
        AppState.Running => "The container runs",
        AppState.Starting => "The container runs; its health check has not answered yet",
        AppState.Unhealthy => "The container runs, but its health check fails",
        AppState.Restarting => "The container exited, and the engine brings it back",
        AppState.Paused => "Somebody paused the container at the engine",
        AppState.Down => "The container does not run although it is meant to",
        AppState.Stopped => "A person stopped the app",
        AppState.Missing => "Somebody removed the container at the engine; a deployment makes it anew",
        _ => "The engine does not tell what the container does",
    };
}
