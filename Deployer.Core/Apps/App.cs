using NodaTime;

namespace Deployer.Core.Apps;

/// <summary>What can be deployed: a name and a spec. One row of <c>apps</c>.</summary>
public sealed class App
{
    /// <summary>Database key; never shown.</summary>
    public long Id { get; init; }

    /// <summary>Unique DNS label (RFC 1123: 1–63 of <c>a-z 0-9 -</c>), used as <c>{app}</c> in addresses.</summary>
    public required string Name { get; init; }

    /// <summary>Name of the environment it runs in.</summary>
    public required string Environment { get; set; }

    /// <summary>What the next deployment runs.</summary>
    public required AppSpec Spec { get; set; }

    /// <summary>The deployment whose container serves now; <see langword="null"/> before the first success.</summary>
    public long? CurrentDeploymentId { get; set; }

    /// <summary>When a person stopped it; <see langword="null"/> while it is meant to run. A deployment makes it run again.</summary>
    public Instant? StoppedAt { get; set; }

    /// <summary>When the app was added.</summary>
    public required Instant CreatedAt { get; init; }

    /// <summary>When name, environment or spec last changed.</summary>
    public required Instant UpdatedAt { get; set; }
}
