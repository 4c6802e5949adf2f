using NodaTime;

namespace Deployer.Core.Deployments;

/// <summary>A named part of a deployment, in the order in which they run.</summary>
public enum StepKind
{
    /// <summary>Snapshot, engine, disk, conflicts and registry access.</summary>
    Prepare = 0,

    /// <summary>The image is pulled, its digest recorded and its platform checked.</summary>
    Pull = 1,

    /// <summary>The new container is created and started.</summary>
    Start = 2,

    /// <summary>The new container proves that it is healthy.</summary>
    HealthCheck = 3,

    /// <summary>The new container takes over from the old.</summary>
    SwitchOver = 4,

    /// <summary>The old container and old images go.</summary>
    CleanUp = 5,
}

/// <summary>Where a step is.</summary>
public enum StepState
{
    /// <summary>Not begun. Set when the deployment is queued.</summary>
    Pending = 0,

    /// <summary>Set by the runner when the step begins.</summary>
    Running = 1,

    /// <summary>Final. Set by the runner when the step ended well.</summary>
    Succeeded = 2,

    /// <summary>Final. Set by the runner, or by settling after a crash, on the step in which the deployment failed.</summary>
    Failed = 3,

    /// <summary>Final. Set on the running step when a person cancels.</summary>
    Canceled = 4,

    /// <summary>Final. Set on steps that never began when the deployment ends early.</summary>
    Skipped = 5,
}

/// <summary>One row of <c>deployment_steps</c>: a step of a deployment with its times.</summary>
public sealed class DeploymentStep
{
    /// <summary>The deployment.</summary>
    public long DeploymentId { get; init; }

    /// <summary>Which step; six per deployment.</summary>
    public StepKind Kind { get; init; }

    /// <summary>Where it is.</summary>
    public StepState State { get; set; }

    /// <summary>When it began.</summary>
    public Instant? StartedAt { get; set; }

    /// <summary>When it ended.</summary>
    public Instant? EndedAt { get; set; }
}
