using System.Text.Json;
using Deployer.Core.Apps;
using Deployer.Core.Data;

namespace Deployer.Web.Features.Apps;

/// <summary>
/// What the app form holds while somebody edits: every field as written, rows that can come and go. Becomes an
/// <see cref="AppDraft"/>; errors come back by the draft's field paths.
/// </summary>
public sealed class AppFormModel
{
    private readonly AppDraft _origin;
    private readonly string _before;

    private AppFormModel(AppDraft origin)
    {
        _origin = origin;
        Name = origin.Name ?? "";
        Image = origin.Image ?? "";
        Environment = origin.Environment ?? AppValidation.DefaultEnvironment;
        Command = string.Join('\n', origin.Command ?? []);
        Hosts = string.Join('\n', origin.Hosts ?? []);
        Env = [.. (origin.Env ?? new Dictionary<string, string?>(StringComparer.Ordinal)).Select(pair => new EnvRow { Name = pair.Key, Value = pair.Value ?? "" })];
        Ports = [.. (origin.Ports ?? []).OfType<PortDraft>().Select(port => new PortRow { Container = port.Container, Publish = port.Host is not null, Host = port.Host is 0 ? null : port.Host })];
        Volumes = [.. (origin.Volumes ?? []).OfType<VolumeDraft>().Select(volume => new VolumeRow { Name = volume.Name ?? "", Path = volume.Path ?? "" })];
        HasProbe = origin.Health is not null;
        ProbePath = origin.Health?.Path ?? "/";
        ProbePort = origin.Health?.Port;
        ProbeInterval = origin.Health?.IntervalSeconds ?? 5;
        ProbeTimeout = origin.Health?.TimeoutSeconds ?? 5;
        ProbeRetries = origin.Health?.Retries ?? 3;
        MemoryMb = origin.MemoryMb;
        Cpus = origin.Cpus;
        Restart = origin.Restart ?? RestartMode.UnlessStopped;
        StopGraceSeconds = origin.StopGraceSeconds ?? 10;
        WhenQueued = origin.WhenQueued ?? QueuePolicy.Queue;
        _before = Written();
    }

    /// <summary>The app's name.</summary>
    public string Name { get; set; }

    /// <summary>Image reference.</summary>
    public string Image { get; set; }

    /// <summary>Environment.</summary>
    public string Environment { get; set; }

    /// <summary>Command, one argument a line.</summary>
    public string Command { get; set; }

    /// <summary>Host names, one a line.</summary>
    public string Hosts { get; set; }

    /// <summary>Environment variables.</summary>
    public List<EnvRow> Env { get; }

    /// <summary>Ports.</summary>
    public List<PortRow> Ports { get; }

    /// <summary>Volumes.</summary>
    public List<VolumeRow> Volumes { get; }

    /// <summary>Whether an HTTP address is asked.</summary>
    public bool HasProbe { get; set; }

    /// <summary>Path to ask.</summary>
    public string ProbePath { get; set; }

    /// <summary>Container port to ask.</summary>
    public int? ProbePort { get; set; }

    /// <summary>Seconds between two probes.</summary>
    public int? ProbeInterval { get; set; }

    /// <summary>Seconds one probe may take.</summary>
    public int? ProbeTimeout { get; set; }

    /// <summary>Failed probes in a row that are too many.</summary>
    public int? ProbeRetries { get; set; }

    /// <summary>Memory limit in mebibytes.</summary>
    public int? MemoryMb { get; set; }

    /// <summary>CPU limit in cores.</summary>
    public double? Cpus { get; set; }

    /// <summary>What happens when the container exits.</summary>
    public RestartMode Restart { get; set; }

    /// <summary>Seconds between the stop signal and the kill.</summary>
    public int? StopGraceSeconds { get; set; }

    /// <summary>What a new deployment does to one that still waits.</summary>
    public QueuePolicy WhenQueued { get; set; }

    /// <summary>Whether anything differs from what the form began with.</summary>
    public bool IsChanged => !string.Equals(Written(), _before, StringComparison.Ordinal);

    /// <summary>An empty form.</summary>
    public static AppFormModel New() => new(new AppDraft());

    /// <summary>The form of an app as it is.</summary>
    public static AppFormModel Of(AppView app) => new(AppDraft.Of(app));

    /// <summary>What is written in the form. Settings that the form does not show stay as they were.</summary>
    public AppDraft ToDraft() => _origin with
    {
        Name = Name,
        Image = Image,
        Environment = Environment,
        Command = Lines(Command),
        Hosts = Lines(Hosts),
        Env = Env.Where(row => !row.IsBlank).DistinctBy(row => row.Name, StringComparer.Ordinal)
            .ToDictionary(row => row.Name, string? (row) => row.Value, StringComparer.Ordinal),
        Ports = [.. Ports.Select(row => new PortDraft(row.Container, row.Publish ? row.Host ?? 0 : null))],
        Volumes = [.. Volumes.Select(row => new VolumeDraft(row.Name, row.Path))],
        Health = HasProbe ? new HealthDraft(ProbePath, ProbePort, ProbeInterval, ProbeTimeout, ProbeRetries) : null,
        MemoryMb = MemoryMb,
        Cpus = Cpus,
        Restart = Restart,
        StopGraceSeconds = StopGraceSeconds,
        WhenQueued = WhenQueued,
    };

    /// <summary>Names of variables that stand in more than one row: the draft can hold only one of them.</summary>
    public IReadOnlyList<string> RepeatedVariables() =>
        [.. Env.Where(row => !row.IsBlank).GroupBy(row => row.Name, StringComparer.Ordinal).Where(group => group.Count() > 1).Select(group => group.Key)];

    private string Written() => JsonSerializer.Serialize(ToDraft(), DeployerJson.Options);

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>An environment variable.</summary>
    public sealed class EnvRow
    {
        /// <summary>Its name.</summary>
        public string Name { get; set; } = "";

        /// <summary>Its value, in the clear.</summary>
        public string Value { get; set; } = "";

        /// <summary>Whether nothing is written in the row.</summary>
        public bool IsBlank => Name.Length == 0 && Value.Length == 0;
    }

    /// <summary>A port.</summary>
    public sealed class PortRow
    {
        /// <summary>Port inside the container.</summary>
        public int? Container { get; set; }

        /// <summary>Whether the port is published on the host.</summary>
        public bool Publish { get; set; } = true;

        /// <summary>Host port; <see langword="null"/> for any free one.</summary>
        public int? Host { get; set; }
    }

    /// <summary>A volume.</summary>
    public sealed class VolumeRow
    {
        /// <summary>Its name in the engine.</summary>
        public string Name { get; set; } = "";

        /// <summary>Mount point in the container.</summary>
        public string Path { get; set; } = "";
    }
}
