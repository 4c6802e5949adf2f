using Deployer.Core.Deployments;
using NodaTime;

namespace Deployer.Core.Apps;

/// <summary>An app as people see it: its settings, its newest deployment and the one that serves.</summary>
/// <param name="Id">Database key; never shown.</param>
/// <param name="Name">Unique DNS label.</param>
/// <param name="Environment">Environment it runs in.</param>
/// <param name="Spec">What the next deployment runs.</param>
/// <param name="CreatedAt">When it was added.</param>
/// <param name="UpdatedAt">When its settings last changed.</param>
/// <param name="LastDeployment">Its newest deployment, whatever became of it; <see langword="null"/> before the first.</param>
/// <param name="CurrentDeployment">The deployment whose container serves; <see langword="null"/> before the first success.</param>
public sealed record AppView(
    long Id, string Name, string Environment, AppSpec Spec, Instant CreatedAt, Instant UpdatedAt,
    DeploymentSummary? LastDeployment, DeploymentSummary? CurrentDeployment);

/// <summary>A deployment in one line.</summary>
/// <param name="Id">Id in the API.</param>
/// <param name="Number">Number within the app.</param>
/// <param name="Status">Where it is.</param>
/// <param name="Image">Image that was asked for.</param>
/// <param name="Digest">Digest it resolved to; <see langword="null"/> until pulled.</param>
/// <param name="CreatedAt">When it was queued.</param>
/// <param name="StartedAt">When the runner took it.</param>
/// <param name="EndedAt">When it became final.</param>
public sealed record DeploymentSummary(
    long Id, int Number, DeploymentStatus Status, string Image, string? Digest,
    Instant CreatedAt, Instant? StartedAt, Instant? EndedAt);
