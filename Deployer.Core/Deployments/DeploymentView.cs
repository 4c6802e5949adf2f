using Deployer.Core.Apps;
using NodaTime;

namespace Deployer.Core.Deployments;

/// <summary>A deployment as pages and API show it; holds no secret.</summary>
/// <param name="Id">Its id.</param>
/// <param name="App">Name of its app.</param>
/// <param name="Number">Its number within the app, from 1.</param>
/// <param name="Status">Where it is.</param>
/// <param name="Image">Image reference that was asked for.</param>
/// <param name="Digest">What the reference resolved to (<c>sha256:…</c>); <see langword="null"/> until pulled.</param>
/// <param name="Spec">The snapshot of the app's spec.</param>
/// <param name="ContainerId">Container that it created; <see langword="null"/> until created.</param>
/// <param name="Ports">Published ports as the engine gave them; empty until started.</param>
/// <param name="Steps">The six steps, in order.</param>
/// <param name="Failure">Why it failed; <see langword="null"/> unless failed.</param>
/// <param name="Reason">Why it was asked for.</param>
/// <param name="RequestedBy">Who asked.</param>
/// <param name="CancelRequestedAt">When a person asked to cancel.</param>
/// <param name="CreatedAt">When it was queued.</param>
/// <param name="StartedAt">When the runner claimed it.</param>
/// <param name="EndedAt">When it became final.</param>
public sealed record DeploymentView(
    long Id, string App, int Number, DeploymentStatus Status, string Image, string? Digest, AppSpec Spec,
    string? ContainerId, IReadOnlyList<PublishedPort> Ports, IReadOnlyList<StepView> Steps, DeploymentFailure? Failure,
    string? Reason, string? RequestedBy, Instant? CancelRequestedAt, Instant CreatedAt, Instant? StartedAt,
    Instant? EndedAt)
{
    /// <summary>The second person's approval; <see langword="null"/> where none is wanted.</summary>
    public ApprovalView? Approval { get; init; }

    /// <summary>Its place in the queue and why it has not begun; <see langword="null"/> unless queued.</summary>
    public WaitingView? Waiting { get; init; }

    /// <summary>Who asked to cancel.</summary>
    public string? CancelRequestedBy { get; init; }

    /// <summary>Id of the newer deployment that took its place in the queue.</summary>
    public long? SupersededBy { get; init; }

    /// <summary>Id of the earlier deployment that it brings back; <see langword="null"/> unless a restore.</summary>
    public long? RestoredFrom { get; init; }

    /// <summary>Why the environment was frozen when this was asked for all the same; <see langword="null"/> where no freeze was overridden.</summary>
    public string? OverriddenFreeze { get; init; }

    /// <summary>Whether its log is pinned: retention keeps it.</summary>
    public bool LogPinned { get; init; }
}

/// <summary>A second person's approval, which a protected environment wants.</summary>
/// <param name="ApprovedAt">When it was given; <see langword="null"/> while the deployment waits for it.</param>
/// <param name="ApprovedBy">Who gave it.</param>
/// <param name="Reason">Why, in their words.</param>
public sealed record ApprovalView(Instant? ApprovedAt, string? ApprovedBy, string? Reason);

/// <summary>A step as pages and API show it.</summary>
/// <param name="Kind">Which one.</param>
/// <param name="State">Where it is.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="EndedAt">When it ended.</param>
public sealed record StepView(StepKind Kind, StepState State, Instant? StartedAt, Instant? EndedAt);

/// <summary>A container port and the host port on which it is reached.</summary>
/// <param name="Container">TCP port inside the container.</param>
/// <param name="Host">TCP port on the engine's machine.</param>
public sealed record PublishedPort(int Container, int Host);

/// <summary>Which deployments to list, newest first.</summary>
/// <param name="App">Of this app alone; <see langword="null"/> for all.</param>
/// <param name="Status">In this status alone; <see langword="null"/> for all.</param>
/// <param name="Before">Older than this id, for the next page; <see langword="null"/> for the first.</param>
/// <param name="Limit">At most so many, 1–500.</param>
public sealed record DeploymentFilter(string? App, DeploymentStatus? Status, long? Before, int Limit)
{
    /// <summary>Of apps of this environment alone; <see langword="null"/> for all.</summary>
    public string? Environment { get; init; }

    /// <summary>Asked for by somebody whose name holds this; <see langword="null"/> for all.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>Queued at this instant or later; <see langword="null"/> for all.</summary>
    public Instant? Since { get; init; }

    /// <summary>Queued before this instant; <see langword="null"/> for all.</summary>
    public Instant? Until { get; init; }
}
