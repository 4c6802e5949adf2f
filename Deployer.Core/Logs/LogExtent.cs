using Deployer.Core.Deployments;
using NodaTime;

namespace Deployer.Core.Logs;

/// <summary>How far a deployment's log reaches.</summary>
/// <param name="Status">The deployment's status, of the same moment as the rest.</param>
/// <param name="Lines">Number of lines, which is also the number of the last line.</param>
/// <param name="LastTime">Time of the last line; <see langword="null"/> when there is none.</param>
public sealed record LogExtent(DeploymentStatus Status, long Lines, Instant? LastTime);
