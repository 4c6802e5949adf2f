using Deployer.Core.Apps;
using NodaTime;

namespace Deployer.Core.Deployments;

/// <summary>One attempt to make an app run a spec. One row of <c>deployments</c>; the row is the queue.</summary>
public sealed class Deployment
{
    /// <summary>Database key and the id in the API.</summary>
    public long Id { get; init; }

    /// <summary>The app.</summary>
    public long AppId { get; init; }

    /// <summary>Counts from 1 within the app (#1, #2 …).</summary>
    public int Number { get; init; }

    /// <summary>Where the deployment is. Changed only by conditional updates.</summary>
    public DeploymentStatus Status { get; init; }

    /// <summary>The spec as it was when the deployment was asked for; never changes.</summary>
    public required AppSpec Spec { get; init; }

    /// <summary>Digest the image resolved to (<c>sha256:…</c>); <see langword="null"/> until pulled.</summary>
    public string? Digest { get; init; }

    /// <summary>Id of the container which this deployment created; <see langword="null"/> until created.</summary>
    public string? ContainerId { get; init; }

    /// <summary>Id of the image in the engine (<c>sha256:…</c> of its configuration); <see langword="null"/> until pulled.</summary>
    public string? ImageId { get; init; }

    /// <summary>Published ports of the container, as the engine gave them; empty until started.</summary>
    public IReadOnlyList<PublishedPort> Ports { get; init; } = [];

    /// <summary>Deployment that was the app's current one when this one began; <see langword="null"/> where none was.</summary>
    public long? PreviousDeploymentId { get; init; }

    /// <summary>
    /// Container that served the app when the deployment began, which serves again unless the deployment succeeds;
    /// <see langword="null"/> where none did.
    /// </summary>
    public string? PreviousContainerId { get; init; }

    /// <summary>
    /// When the container that served before was told to stop; <see langword="null"/> before. It serves again only once it
    /// was started after that: one that still runs is on its way out.
    /// </summary>
    public Instant? PreviousStoppedAt { get; init; }

    /// <summary>When the new container took over; from then on the deployment is finished, not undone, after a crash.</summary>
    public Instant? SwitchedAt { get; init; }

    /// <summary>
    /// Whether it ended while its containers could not all be put right, because the engine did not answer: the runner
    /// does that as soon as it does.
    /// </summary>
    public bool UndoPending { get; init; }

    /// <summary>Why the deployment failed; <see langword="null"/> unless failed.</summary>
    public DeploymentFailure? Failure { get; init; }

    /// <summary>Why it was asked for, in the words of whoever asked.</summary>
    public string? Reason { get; init; }

    /// <summary>Who asked.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>The caller's <c>Idempotency-Key</c>; unique within the app.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>When a person asked to cancel; the runner acts on it.</summary>
    public Instant? CancelRequestedAt { get; init; }

    /// <summary>Who asked to cancel.</summary>
    public string? CancelRequestedBy { get; init; }

    /// <summary>When it left the queue without having begun, canceled or superseded; nobody claims it any more.</summary>
    public Instant? WithdrawnAt { get; init; }

    /// <summary>The newer deployment that took its place in the queue; <see langword="null"/> unless superseded.</summary>
    public long? SupersededBy { get; init; }

    /// <summary>The earlier deployment whose image and spec this one brings back; <see langword="null"/> unless a restore.</summary>
    public long? RestoredFrom { get; init; }

    /// <summary>Why the environment was frozen when this was asked for all the same; <see langword="null"/> where no freeze was overridden.</summary>
    public string? OverriddenFreeze { get; init; }

    /// <summary>
    /// The values of the secret environment variables as they were when the deployment was asked for, encrypted;
    /// <see langword="null"/> where the spec names none.
    /// </summary>
    public string? SealedSecrets { get; init; }

    /// <summary>Which worker holds the claim; <see langword="null"/> unless running.</summary>
    public string? Worker { get; init; }

    /// <summary>Until when the claim holds unless renewed.</summary>
    public Instant? LeaseUntil { get; init; }

    /// <summary>When it was queued.</summary>
    public required Instant CreatedAt { get; init; }

    /// <summary>When the runner claimed it.</summary>
    public Instant? StartedAt { get; init; }

    /// <summary>When it became final.</summary>
    public Instant? EndedAt { get; init; }

    /// <summary>Whether a person wants it kept: retention never removes its log.</summary>
    public bool Pinned { get; init; }

    /// <summary>When retention removed its log; <see langword="null"/> while the log is there.</summary>
    public Instant? LogRemovedAt { get; init; }

    /// <summary>The six steps, in order.</summary>
    public List<DeploymentStep> Steps { get; init; } = [];
}
