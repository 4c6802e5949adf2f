using Deployer.Core.Deployments;

namespace Deployer.Web.Features.Deployments;

/// <summary>The words for statuses, steps and failures on pages.</summary>
internal static class StatusWords
{
    /// <summary>A status in one word.</summary>
    public static string Of(DeploymentStatus status) => status.ToString();

    /// <summary>A status as one sign, for titles of tabs.</summary>
    public static string Mark(DeploymentStatus status) => status switch
    {
        DeploymentStatus.Queued => "◌",
        DeploymentStatus.Running => "▶",
        DeploymentStatus.Succeeded => "✓",
        DeploymentStatus.Failed => "✗",
        _ => "–",
    };

    /// <summary>A step's name.</summary>
    public static string Of(StepKind step) => step switch
    {
        StepKind.HealthCheck => "Health check",
        StepKind.SwitchOver => "Switch over",
        StepKind.CleanUp => "Clean up",
        _ => step.ToString(),
    };

    /// <summary>A step's state in one word.</summary>
    public static string Of(StepState state) => state switch
    {
        StepState.Succeeded => "Done",
        _ => state.ToString(),
    };

    /// <summary>A failure's kind, as the heading of what is told about it.</summary>
    public static string Of(FailureCode code) => code switch
    {
        FailureCode.ImageNotFound => "Image not found",
        FailureCode.AccessDenied => "Access to the image denied",
        FailureCode.RegistryUnreachable => "Registry does not answer",
        FailureCode.RateLimited => "Registry's pull limit reached",
        FailureCode.PlatformMismatch => "Image is for another platform",
        FailureCode.PortInUse => "Port is in use",
        FailureCode.HostInUse => "Host name is in use",
        FailureCode.ContainerExited => "Container exited",
        FailureCode.Unhealthy => "Health check failed",
        FailureCode.EngineUnreachable => "Engine does not answer",
        FailureCode.TimedOut => "No progress for too long",
        FailureCode.Interrupted => "Interrupted",
        FailureCode.DiskFull => "Disk is full",
        _ => "Fault in Deployer",
    };
}
