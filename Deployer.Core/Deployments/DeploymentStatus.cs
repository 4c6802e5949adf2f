namespace Deployer.Core.Deployments;

/// <summary>Where a deployment is. Final ones never change again.</summary>
public enum DeploymentStatus
{
    /// <summary>Set by whoever asked for the deployment. Followed by running, canceled or superseded.</summary>
    Queued = 0,

    /// <summary>Set by the runner's claim. Followed by succeeded, failed or canceled.</summary>
    Running = 1,

    /// <summary>Final. Set by the runner after the new container was seen running and healthy and serves.</summary>
    Succeeded = 2,

    /// <summary>Final. Set by the runner, or by settling after a crash; <see cref="Deployment.Failure"/> says why.</summary>
    Failed = 3,

    /// <summary>Final. Set by the runner (while running) or by the queue (while queued) when a person cancels.</summary>
    Canceled = 4,

    /// <summary>Final. Set by the queue when a newer deployment of the app replaced this one before it started.</summary>
    Superseded = 5,
}

/// <summary>Questions about a status.</summary>
public static class DeploymentStatusExtensions
{
    /// <summary>Whether the status never changes again.</summary>
    public static bool IsFinal(this DeploymentStatus status) =>
        status is not (DeploymentStatus.Queued or DeploymentStatus.Running);
}
