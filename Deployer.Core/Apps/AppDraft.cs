namespace Deployer.Core.Apps;

/// <summary>
/// An app as somebody wrote it, not yet checked: everything may be missing or wrong. <see cref="AppValidation"/> turns it
/// into an <see cref="AppSpec"/>. What is <see langword="null"/> takes the default of the spec.
/// </summary>
public sealed record AppDraft
{
    /// <summary>Name: a DNS label, e.g. <c>web</c>. Required when an app is added; never changes afterwards.</summary>
    public string? Name { get; init; }

    /// <summary>Image reference, e.g. <c>registry.example.com/team/web:v1</c>. Required.</summary>
    public string? Image { get; init; }

    /// <summary>Environment, a DNS label; default <c>production</c>.</summary>
    public string? Environment { get; init; }

    /// <summary>Command line that replaces the image's own, one argument an entry.</summary>
    public IReadOnlyList<string?>? Command { get; init; }

    /// <summary>Environment variables in the clear.</summary>
    public IReadOnlyDictionary<string, string?>? Env { get; init; }

    /// <summary>Names of the secret environment variables; left out of a change, they stay as they are.</summary>
    public IReadOnlyList<string?>? Secrets { get; init; }

    /// <summary>Ports.</summary>
    public IReadOnlyList<PortDraft?>? Ports { get; init; }

    /// <summary>Volumes.</summary>
    public IReadOnlyList<VolumeDraft?>? Volumes { get; init; }

    /// <summary>Further networks of the engine.</summary>
    public IReadOnlyList<string?>? Networks { get; init; }

    /// <summary>HTTP probe.</summary>
    public HealthDraft? Health { get; init; }

    /// <summary>Host names for the proxy.</summary>
    public IReadOnlyList<string?>? Hosts { get; init; }

    /// <summary>Memory limit in mebibytes.</summary>
    public int? MemoryMb { get; init; }

    /// <summary>CPU limit in cores.</summary>
    public double? Cpus { get; init; }

    /// <summary>Restart policy; default <c>unless_stopped</c>.</summary>
    public RestartMode? Restart { get; init; }

    /// <summary>Seconds between the stop signal and the kill; default 10.</summary>
    public int? StopGraceSeconds { get; init; }

    /// <summary>What a new deployment does to one that still waits in the queue; default <see cref="QueuePolicy.Queue"/>.</summary>
    public QueuePolicy? WhenQueued { get; init; }

    /// <summary>Labels for the container.</summary>
    public IReadOnlyDictionary<string, string?>? Labels { get; init; }

    /// <summary>User to run as.</summary>
    public string? User { get; init; }

    /// <summary>Whether the root file system is read-only; default no.</summary>
    public bool? ReadOnlyRoot { get; init; }

    /// <summary>The draft that would leave an app as it is: where an edit begins.</summary>
    public static AppDraft Of(AppView app) => new()
    {
        Name = app.Name,
        Environment = app.Environment,
        Image = app.Spec.Image,
        Command = app.Spec.Command,
        Env = app.Spec.Env.ToDictionary(pair => pair.Key, string? (pair) => pair.Value, StringComparer.Ordinal),
        Secrets = app.Spec.Secrets,
        Ports = [.. app.Spec.Ports.Select(port => new PortDraft(port.Container, port.Host))],
        Volumes = [.. app.Spec.Volumes.Select(volume => new VolumeDraft(volume.Name, volume.Path))],
        Networks = app.Spec.Networks,
        Health = app.Spec.Health is { } health
            ? new HealthDraft(health.Path, health.Port, health.IntervalSeconds, health.TimeoutSeconds, health.Retries)
            : null,
        Hosts = app.Spec.Hosts,
        MemoryMb = app.Spec.MemoryMb,
        Cpus = app.Spec.Cpus,
        Restart = app.Spec.Restart,
        StopGraceSeconds = app.Spec.StopGraceSeconds,
        WhenQueued = app.Spec.WhenQueued,
        Labels = app.Spec.Labels.ToDictionary(pair => pair.Key, string? (pair) => pair.Value, StringComparer.Ordinal),
        User = app.Spec.User,
        ReadOnlyRoot = app.Spec.ReadOnlyRoot,
    };
}

/// <summary>A port as written.</summary>
/// <param name="Container">TCP port inside the container, 1–65535. Required.</param>
/// <param name="Host">Host port, 1–65535; 0 lets the engine choose; <see langword="null"/> does not publish it.</param>
public sealed record PortDraft(int? Container, int? Host);

/// <summary>A volume as written.</summary>
/// <param name="Name">Volume name in the engine. Required.</param>
/// <param name="Path">Absolute mount point in the container. Required.</param>
public sealed record VolumeDraft(string? Name, string? Path);

/// <summary>An HTTP probe as written.</summary>
/// <param name="Path">Absolute path; default <c>/</c>.</param>
/// <param name="Port">Container port to ask. Required.</param>
/// <param name="IntervalSeconds">Seconds between two probes; default 5.</param>
/// <param name="TimeoutSeconds">Seconds one probe may take; default 5.</param>
/// <param name="Retries">Failed probes in a row that make it unhealthy; default 3.</param>
public sealed record HealthDraft(string? Path, int? Port, int? IntervalSeconds, int? TimeoutSeconds, int? Retries);
