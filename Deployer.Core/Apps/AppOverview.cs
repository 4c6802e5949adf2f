using Deployer.Core.Deployments;
using NodaTime;

namespace Deployer.Core.Apps;

/// <summary>What an app's container does, as the engine says it.</summary>
public enum AppState
{
    /// <summary>The engine did not tell, or not yet.</summary>
    Unknown,

    /// <summary>Nothing was ever deployed with success.</summary>
    NotDeployed,

    /// <summary>It runs, and its health check, if it has one, succeeds.</summary>
    Running,

    /// <summary>It runs; its health check has not said yet how it is.</summary>
    Starting,

    /// <summary>It runs; its health check fails.</summary>
    Unhealthy,

    /// <summary>It exited, and the engine brings it back.</summary>
    Restarting,

    /// <summary>Somebody paused it at the engine.</summary>
    Paused,

    /// <summary>It does not run although it is meant to.</summary>
    Down,

    /// <summary>A person stopped it.</summary>
    Stopped,

    /// <summary>Somebody removed it at the engine.</summary>
    Missing,
}

/// <summary>An app in one line: what serves, how it does, and how its deployments went.</summary>
/// <param name="Name">Unique DNS label.</param>
/// <param name="Environment">Environment it runs in.</param>
/// <param name="State">What its container does.</param>
/// <param name="Image">Image of its settings, which the next deployment takes.</param>
/// <param name="Hosts">Host names that the proxy leads to it.</param>
/// <param name="Serving">The deployment whose container serves; <see langword="null"/> before the first success.</param>
/// <param name="Attempts">Its newest deployments, at most <see cref="AppOverviews.MaxAttempts"/>, oldest first.</param>
/// <param name="Waiting">Place in the queue of its first deployment that waits; <see langword="null"/> when none does.</param>
public sealed record AppOverview(
    string Name, string Environment, AppState State, string Image, IReadOnlyList<string> Hosts, Serving? Serving,
    IReadOnlyList<Attempt> Attempts, WaitingView? Waiting)
{
    /// <summary>The newest deployment; <see langword="null"/> before the first.</summary>
    public Attempt? Last => Attempts.Count == 0 ? null : Attempts[^1];
}

/// <summary>What serves.</summary>
/// <param name="DeploymentId">The deployment that brought it.</param>
/// <param name="Number">Its number within the app.</param>
/// <param name="Image">Image that was asked for.</param>
/// <param name="Digest">What that resolved to.</param>
/// <param name="Ports">Its published ports.</param>
public sealed record Serving(long DeploymentId, int Number, string Image, string? Digest, IReadOnlyList<PublishedPort> Ports);

/// <summary>A deployment in the history of its app.</summary>
/// <param name="Id">Id in the API.</param>
/// <param name="Number">Number within the app.</param>
/// <param name="Status">Where it is.</param>
/// <param name="RequestedBy">Who asked for it.</param>
/// <param name="CreatedAt">When it was queued.</param>
/// <param name="StartedAt">When the runner took it.</param>
/// <param name="EndedAt">When it became final.</param>
public sealed record Attempt(
    long Id, int Number, DeploymentStatus Status, string? RequestedBy, Instant CreatedAt, Instant? StartedAt, Instant? EndedAt)
{
    /// <summary>How long it ran; <see langword="null"/> while it does, and where it never began.</summary>
    public Duration? Took => EndedAt - StartedAt;
}
