namespace Deployer.Core.Deployments;

/// <summary>Why a deployment failed. The API gives the names in snake_case.</summary>
public enum FailureCode
{
    /// <summary>The registry does not know the repository, tag or digest.</summary>
    ImageNotFound,

    /// <summary>The registry refused: credentials missing or wrong.</summary>
    AccessDenied,

    /// <summary>The registry did not answer.</summary>
    RegistryUnreachable,

    /// <summary>The registry's pull limit is used up.</summary>
    RateLimited,

    /// <summary>The image is not made for the engine's processor or operating system.</summary>
    PlatformMismatch,

    /// <summary>A host port that the app asks for is taken.</summary>
    PortInUse,

    /// <summary>A host name that the app asks for belongs to another app.</summary>
    HostInUse,

    /// <summary>The new container exited, or could not be started.</summary>
    ContainerExited,

    /// <summary>The new container runs but its health check fails.</summary>
    Unhealthy,

    /// <summary>The engine does not answer.</summary>
    EngineUnreachable,

    /// <summary>A secret which the app's spec names has no value, or one that cannot be decrypted.</summary>
    SecretMissing,

    /// <summary>The deployment would replace the container in which Deployer itself runs.</summary>
    OwnContainer,

    /// <summary>No progress for longer than the limit.</summary>
    TimedOut,

    /// <summary>Deployer stopped or crashed before the deployment could end.</summary>
    Interrupted,

    /// <summary>The engine's or Deployer's disk is full.</summary>
    DiskFull,

    /// <summary>A fault in Deployer itself; the server's log holds the details.</summary>
    Internal,
}

/// <summary>What is known of a failure; holds no secrets.</summary>
/// <param name="Code">The kind of failure.</param>
/// <param name="Cause">One sentence in plain words.</param>
/// <param name="Remedy">What to do about it.</param>
/// <param name="Evidence">What was seen; <see langword="null"/> where there is nothing to show.</param>
public sealed record DeploymentFailure(FailureCode Code, string Cause, string Remedy, FailureEvidence? Evidence);

/// <summary>What was seen of a failed container, taken before it was removed.</summary>
/// <param name="ExitCode">Its exit code, if it had exited.</param>
/// <param name="OutOfMemory">Whether the kernel killed it for want of memory.</param>
/// <param name="HealthOutput">Output of the last health probe, if any.</param>
/// <param name="LastLines">Its last lines of output, oldest first, at most 100.</param>
public sealed record FailureEvidence(long? ExitCode, bool OutOfMemory, string? HealthOutput, IReadOnlyList<string> LastLines);
