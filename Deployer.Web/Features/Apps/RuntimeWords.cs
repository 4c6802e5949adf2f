using Deployer.Core.Deployments;
using Deployer.Core.Engine;

namespace Deployer.Web.Features.Apps;

/// <summary>What an app's container does, in a word and a colour.</summary>
internal static class RuntimeWords
{
    /// <summary>The word.</summary>
    /// <param name="runtime">The app as the engine has it.</param>
    /// <param name="wasDeployed">Whether it was ever deployed with success.</param>
    public static string Word(AppRuntime runtime, bool wasDeployed) => runtime switch
    {
        { ContainerId: null } => wasDeployed ? "Container is gone" : "Not deployed yet",
        { Status: ContainerStatus.Running, Health: ContainerHealth.Unhealthy } => "Running, unhealthy",
        { Status: ContainerStatus.Running, Health: ContainerHealth.Healthy } => "Running, healthy",
        { Status: ContainerStatus.Running, Health: ContainerHealth.Starting } => "Running, health not known yet",
        { Status: ContainerStatus.Running } => "Running",
        { Status: ContainerStatus.Restarting } => "Restarting again and again",
        { Status: ContainerStatus.Paused } => "Paused",
        { StoppedAt: not null } => "Stopped",
        _ => "Exited",
    };

    /// <summary>The colour: <c>good</c>, <c>bad</c> or <c>gone</c>.</summary>
    public static string Tone(AppRuntime runtime) => runtime switch
    {
        { Status: ContainerStatus.Running, Health: not ContainerHealth.Unhealthy } => "good",
        { ContainerId: null, Drifts.Count: 0 } or { StoppedAt: not null, Status: not ContainerStatus.Running } => "gone",
        _ => "bad",
    };
}
