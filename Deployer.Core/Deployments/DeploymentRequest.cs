using Deployer.Core.Data;
using NodaTime;

namespace Deployer.Core.Deployments;

/// <summary>What somebody who presses Deploy may say.</summary>
/// <param name="Image">Image to deploy instead of the app's own; <see langword="null"/> for the app's.</param>
/// <param name="Reason">Why, in their own words; at most 1,000 characters.</param>
/// <param name="RequestedBy">Who they are.</param>
/// <param name="IdempotencyKey">
/// The caller's <c>Idempotency-Key</c>, at most 255 characters: a second request with the same key for the same app gives
/// the first one's deployment. <see langword="null"/> for none.
/// </param>
public sealed record DeploymentRequest(string? Image, string? Reason, string? RequestedBy, string? IdempotencyKey)
{
    /// <summary>Id of whoever asks; a protected environment wants the approval of somebody else.</summary>
    public string RequestedById { get; init; } = "";

    /// <summary>Whether to deploy in spite of a freeze. The gate lets admins alone ask for it, and records it.</summary>
    public bool OverrideFreeze { get; init; }

    /// <summary>Adds to the transaction that queues the deployment: the entry in the audit log.</summary>
    internal Action<DeployerDb, Deployment>? Alongside { get; init; }
}

/// <summary>What became of a request to deploy.</summary>
public abstract record EnqueueResult
{
    private EnqueueResult()
    {
    }

    /// <summary>A new deployment waits in the queue.</summary>
    public sealed record Queued(DeploymentView Deployment) : EnqueueResult;

    /// <summary>The same request came before; this is the deployment which it made.</summary>
    public sealed record Replayed(DeploymentView Deployment) : EnqueueResult;

    /// <summary>The key was used before, for another request to this app.</summary>
    public sealed record KeyReused(DeploymentView Deployment) : EnqueueResult;

    /// <summary>Nothing is deployed to the app's environment at this time.</summary>
    /// <param name="Environment">The environment.</param>
    /// <param name="Until">When the freeze ends.</param>
    /// <param name="Reason">Why, in the words of whoever set it.</param>
    public sealed record Frozen(string Environment, Instant Until, string Reason) : EnqueueResult;

    /// <summary>There is no app of that name.</summary>
    public sealed record AppUnknown : EnqueueResult;

    /// <summary>The deployment cannot be restored.</summary>
    /// <param name="WhyNot">Why not, in a sentence.</param>
    public sealed record NotRestorable(string WhyNot) : EnqueueResult;

    /// <summary>The image is no image reference; the message shows the bad part.</summary>
    public sealed record ImageInvalid(string Message) : EnqueueResult;
}

/// <summary>What became of a request to cancel.</summary>
public enum CancelResult
{
    /// <summary>There is no such deployment.</summary>
    Unknown,

    /// <summary>It was still queued and is canceled now.</summary>
    Canceled,

    /// <summary>It is running; the runner undoes its work now and then sets it to canceled.</summary>
    Requested,

    /// <summary>It had already ended; nothing changed.</summary>
    AlreadyEnded,
}
