using Deployer.Core.Apps;
using Deployer.Core.Engine;
using NodaTime;

namespace Deployer.Core.Deployments;

/// <summary>A deployment under way: what its steps have found out so far.</summary>
internal sealed class DeploymentRun(
    ClaimedDeployment claimed, ImageReference image, RunSecrets secrets, DeploymentLog log, StallWatch stall)
{
    public Claim Claim => claimed.Claim;

    public long Id => claimed.Deployment.Id;

    public int Number => claimed.Deployment.Number;

    public AppSpec Spec => claimed.Deployment.Spec;

    public long AppId => claimed.App.Id;

    public string AppName => claimed.App.Name;

    public string Environment => claimed.App.Environment;

    /// <summary>Deployment that was the app's current one when this one began.</summary>
    public long? PreviousDeploymentId => claimed.Deployment.PreviousDeploymentId;

    /// <summary>
    /// Container that serves the app unless the deployment succeeds: until Prepare has looked, by the record alone. None
    /// where a person has stopped the app, even if its container takes its time to end.
    /// </summary>
    public string? PreviousContainerId => claimed.Deployment.PreviousContainerId is { } recorded ? Looked ? Previous?.Id : recorded : null;

    /// <summary>Whether <see cref="Previous"/> is known. Set by Prepare.</summary>
    public bool Looked { get; set; }

    public ImageReference Image => image;

    public RunSecrets Secrets => secrets;

    /// <summary>The earlier deployment that this one brings back; <see langword="null"/> unless a restore.</summary>
    public long? RestoredFrom => claimed.Deployment.RestoredFrom;

    public DeploymentLog Log => log;

    public StallWatch Stall => stall;

    /// <summary>Container of the app that runs until the switch. Set by Prepare.</summary>
    public ContainerDetails? Previous { get; set; }

    /// <summary>Whether the old container must stop before the new one starts. Set by Prepare.</summary>
    public bool StopFirst { get; set; }

    /// <summary>When <see cref="Previous"/> was told to stop. Set by Start or by Clean up.</summary>
    public Instant? PreviousStoppedAt { get; set; }

    /// <summary>The image in the engine. Set by Pull.</summary>
    public ImageDetails? Pulled { get; set; }

    /// <summary>Name of the new container. Set by Start.</summary>
    public string? ContainerName { get; set; }

    /// <summary>The new container. Set by Start.</summary>
    public string? ContainerId { get; set; }

    /// <summary>The new container's output on its way into the log. Set by Start, ended by Health check.</summary>
    public OutputFollower? Output { get; set; }

    /// <summary>Whether the new container has taken over. Set by Switch over.</summary>
    public bool Switched { get; set; }

    /// <summary>Name and labels of what this deployment creates.</summary>
    public ContainerNames Names { get; } = new(claimed.App.Name, claimed.Deployment.Number, claimed.Deployment.Id);
}
