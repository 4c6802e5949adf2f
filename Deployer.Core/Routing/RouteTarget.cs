using NodaTime;

namespace Deployer.Core.Routing;

/// <summary>What the proxy does with a target.</summary>
public enum RouteTargetState
{
    /// <summary>New requests go there. Set by the switch; at most one per app, enforced in the database.</summary>
    Active = 0,

    /// <summary>
    /// Set when another target took over, or when the app was taken out of service. Gets no new request; those it has
    /// are finished. Followed by removal of the row, or by active again when the switch is taken back.
    /// </summary>
    Draining = 1,
}

/// <summary>A container that serves an app, or still finishes requests of it. One row of <c>route_targets</c>.</summary>
public sealed class RouteTarget
{
    /// <summary>Database key.</summary>
    public long Id { get; init; }

    /// <summary>The app.</summary>
    public required long AppId { get; init; }

    /// <summary>The deployment that made the container.</summary>
    public required long DeploymentId { get; init; }

    /// <summary>Full id of the container.</summary>
    public required string ContainerId { get; init; }

    /// <summary>
    /// IP address at which the proxy reaches the container; <see langword="null"/> while the container does not run.
    /// </summary>
    public string? Address { get; init; }

    /// <summary>TCP port inside the container.</summary>
    public required int ContainerPort { get; init; }

    /// <summary>
    /// TCP port at <see cref="Address"/>: <see cref="ContainerPort"/> on the container's network, else the published one.
    /// </summary>
    public required int Port { get; init; }

    /// <summary>What the proxy does with it.</summary>
    public RouteTargetState State { get; init; }

    /// <summary>Version of the routes at which the row was last changed.</summary>
    public long Version { get; init; }

    /// <summary>When the row was last changed.</summary>
    public Instant ChangedAt { get; init; }
}
