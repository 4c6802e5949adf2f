namespace Deployer.Core.Deployments;

/// <summary>A step found that the deployment cannot go on.</summary>
/// <param name="code">The kind of failure.</param>
/// <param name="cause">One sentence in plain words; holds no secrets.</param>
/// <param name="remedy">What to do about it.</param>
internal sealed class DeploymentFailedException(FailureCode code, string cause, string remedy) : Exception(cause)
{
    public FailureCode Code { get; } = code;

    public string Remedy { get; } = remedy;
}

/// <summary>Another worker holds the deployment now; this one must let go of it without a trace.</summary>
/// <param name="deploymentId">The deployment.</param>
internal sealed class ClaimLostException(long deploymentId)
    : Exception($"The claim on deployment {deploymentId} is lost: its lease ran out and another worker took it, or it has ended.");
