namespace Deployer.Core.Apps;

/// <summary>
/// What an app runs: its image and its run configuration. A deployment keeps an immutable copy.
/// Serialised with <see cref="Data.DeployerJson.Options"/> (snake_case) in the database and in the API.
/// </summary>
public sealed record AppSpec
{
    /// <summary>Image reference by the distribution grammar, e.g. <c>registry.example.com/team/web:v1</c>.</summary>
    public required string Image { get; init; }

    /// <summary>Command line that replaces the image's own, one argument an entry; empty keeps the image's.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>Environment variables in the clear; secret ones are named in <see cref="Secrets"/>.</summary>
    public IReadOnlyDictionary<string, string> Env { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Names of the secret environment variables. Their values live encrypted, never here.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];

    /// <summary>Container ports, each with the host port it is published on, if any.</summary>
    public IReadOnlyList<PortSpec> Ports { get; init; } = [];

    /// <summary>Named volumes of the engine, each with its mount point.</summary>
    public IReadOnlyList<VolumeSpec> Volumes { get; init; } = [];

    /// <summary>Further engine networks to join, beside the app's own.</summary>
    public IReadOnlyList<string> Networks { get; init; } = [];

    /// <summary>HTTP probe to use where the image has no HEALTHCHECK of its own; <see langword="null"/> for none.</summary>
    public HealthSpec? Health { get; init; }

    /// <summary>Host names which the proxy routes to this app.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Memory limit in mebibytes; <see langword="null"/> for no limit.</summary>
    public int? MemoryMb { get; init; }

    /// <summary>CPU limit in cores (0.5 is half a core); <see langword="null"/> for no limit.</summary>
    public double? Cpus { get; init; }

    /// <summary>What the engine does when the container exits by itself.</summary>
    public RestartMode Restart { get; init; } = RestartMode.UnlessStopped;

    /// <summary>Seconds between the stop signal and the kill.</summary>
    public int StopGraceSeconds { get; init; } = 10;

    /// <summary>What a new deployment does to one of the app that still waits in the queue.</summary>
    public QueuePolicy WhenQueued { get; init; } = QueuePolicy.Queue;

    /// <summary>Labels put on the container beside Deployer's own.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>User to run as (<c>uid[:gid]</c> or name); <see langword="null"/> keeps the image's.</summary>
    public string? User { get; init; }

    /// <summary>Whether the container's root file system is read-only.</summary>
    public bool ReadOnlyRoot { get; init; }
}

/// <summary>A container port and the host port it is published on.</summary>
/// <param name="Container">TCP port inside the container, 1–65535.</param>
/// <param name="Host">
/// Host port, 1–65535; 0 lets the engine choose a free one; <see langword="null"/> does not publish the port.
/// </param>
public sealed record PortSpec(int Container, int? Host);

/// <summary>A named volume and where it is mounted.</summary>
/// <param name="Name">Volume name in the engine.</param>
/// <param name="Path">Absolute mount point in the container.</param>
public sealed record VolumeSpec(string Name, string Path);

/// <summary>HTTP probe: the app is healthy when <c>GET path</c> answers 2xx or 3xx.</summary>
/// <param name="Path">Absolute path, e.g. <c>/healthz</c>.</param>
/// <param name="Port">Container port to ask.</param>
/// <param name="IntervalSeconds">Seconds between two probes.</param>
/// <param name="TimeoutSeconds">Seconds one probe may take.</param>
/// <param name="Retries">Failed probes in a row that make the container unhealthy.</param>
public sealed record HealthSpec(string Path, int Port, int IntervalSeconds, int TimeoutSeconds, int Retries);

/// <summary>What a new deployment of an app does to one that still waits in the queue.</summary>
public enum QueuePolicy
{
    /// <summary>It waits behind it; both run.</summary>
    Queue,

    /// <summary>It takes its place; the waiting one becomes superseded.</summary>
    Replace,
}

/// <summary>The engine's restart policy for the container.</summary>
public enum RestartMode
{
    /// <summary>Never restarted by the engine.</summary>
    No,

    /// <summary>Restarted on a non-zero exit code.</summary>
    OnFailure,

    /// <summary>Always restarted.</summary>
    Always,

    /// <summary>Restarted unless somebody stopped it.</summary>
    UnlessStopped,
}
