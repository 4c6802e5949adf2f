using Deployer.Core.Apps;
using Deployer.Core.Logs;
using NodaTime;

namespace Deployer.Core.Engine;

/// <summary>What an engine says of itself.</summary>
/// <param name="Version">Engine version, e.g. <c>20.10.24</c>.</param>
/// <param name="ApiVersion">Newest API version it speaks, e.g. <c>1.41</c>.</param>
/// <param name="OperatingSystem">As images name it: <c>linux</c>.</param>
/// <param name="Architecture">As images name it: <c>amd64</c>, <c>arm64</c>.</param>
/// <param name="Containers">Number of containers, running or not.</param>
/// <param name="ContainersRunning">Number of running containers.</param>
/// <param name="Images">Number of images.</param>
/// <param name="DataRoot">Where the engine keeps its data, on its own machine.</param>
public sealed record EngineInfo(
    string Version, string ApiVersion, string OperatingSystem, string Architecture,
    long Containers, long ContainersRunning, long Images, string DataRoot);

/// <summary>Images that no container uses.</summary>
/// <param name="Count">Their number.</param>
/// <param name="Bytes">Their sizes together; layers that they share count for each.</param>
public sealed record UnusedImages(int Count, long Bytes);

/// <summary>User name and password for a registry; <see cref="object.ToString"/> gives the user name alone.</summary>
public sealed record RegistryCredentials(string UserName, string Password)
{
    /// <inheritdoc/>
    public override string ToString() => $"{UserName}:***";
}

/// <summary>Something that happened in a pull.</summary>
/// <param name="Layer">Short id of the layer it is about, or <see langword="null"/>.</param>
/// <param name="Status">The engine's words, e.g. <c>Pull complete</c>.</param>
/// <param name="Current">Bytes done of the layer's current phase, for byte progress; else <see langword="null"/>.</param>
/// <param name="Total">Bytes in all, where the engine knows.</param>
/// <param name="IsMilestone">Whether it belongs into the log; byte progress does not.</param>
public sealed record PullEvent(string? Layer, string Status, long? Current, long? Total, bool IsMilestone)
{
    /// <summary>The line as <c>docker pull</c> prints it.</summary>
    public string ToLine() => Layer is null ? Status : $"{Layer}: {Status}";
}

/// <summary>An image the engine holds.</summary>
/// <param name="Id">Image id (<c>sha256:…</c> of its configuration).</param>
/// <param name="RepoDigests">Names with digest, e.g. <c>host/repo@sha256:…</c>.</param>
/// <param name="OperatingSystem">Platform it was made for.</param>
/// <param name="Architecture">Processor it was made for.</param>
/// <param name="Size">Bytes on disk.</param>
/// <param name="HasHealthCheck">Whether it brings a HEALTHCHECK of its own.</param>
/// <param name="ExposedPorts">TCP ports that it exposes.</param>
public sealed record ImageDetails(
    string Id, IReadOnlyList<string> RepoDigests, string OperatingSystem, string Architecture,
    long Size, bool HasHealthCheck, IReadOnlyList<int> ExposedPorts)
{
    /// <summary>How often its HEALTHCHECK probes while the container starts; <see langword="null"/> where it does not say.</summary>
    public TimeSpan? StartInterval { get; init; }
}

/// <summary>A container to create.</summary>
/// <param name="Name">Name in the engine, unique there.</param>
/// <param name="ImageId">Image to run: id or reference.</param>
/// <param name="Spec">Run configuration.</param>
/// <param name="Environment">All environment variables, secret ones in the clear; never logged.</param>
/// <param name="Labels">All labels.</param>
/// <param name="Network">Network to join; <see langword="null"/> for the engine's default bridge.</param>
public sealed record ContainerPlan(
    string Name, string ImageId, AppSpec Spec, IReadOnlyDictionary<string, string> Environment,
    IReadOnlyDictionary<string, string> Labels, string? Network)
{
    /// <summary>
    /// How often the image's HEALTHCHECK probes while the container starts, on engines that know it (25 and later);
    /// <see langword="null"/> keeps the image's word, or else the engine's, which is 5 seconds.
    /// </summary>
    public TimeSpan? StartInterval { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} from {ImageId}";
}

/// <summary>What an engine says of a container's state.</summary>
public enum ContainerStatus
{
    /// <summary>Created, never started.</summary>
    Created,

    /// <summary>Running.</summary>
    Running,

    /// <summary>Between an exit and the restart by policy.</summary>
    Restarting,

    /// <summary>Paused.</summary>
    Paused,

    /// <summary>Exited, or dead.</summary>
    Exited,
}

/// <summary>What an engine says of a container's health.</summary>
public enum ContainerHealth
{
    /// <summary>It has no health check.</summary>
    None,

    /// <summary>Not yet known.</summary>
    Starting,

    /// <summary>Healthy.</summary>
    Healthy,

    /// <summary>Unhealthy.</summary>
    Unhealthy,
}

/// <summary>A container as the engine describes it.</summary>
/// <param name="Id">Full id.</param>
/// <param name="Name">Name without leading slash.</param>
/// <param name="ImageId">Image id it runs.</param>
/// <param name="Labels">Its labels.</param>
/// <param name="Status">State.</param>
/// <param name="ExitCode">Exit code of the last run.</param>
/// <param name="OutOfMemory">Whether the kernel killed it for want of memory.</param>
/// <param name="Error">The engine's error of the last start, or empty.</param>
/// <param name="Health">Health by its own health check.</param>
/// <param name="HealthOutput">Output of the last probe, or <see langword="null"/>.</param>
/// <param name="FailingStreak">Failed probes in a row.</param>
/// <param name="RestartCount">How often the engine restarted it.</param>
/// <param name="StartedAt">When it was last started; <see langword="null"/> if never.</param>
/// <param name="Ports">Published TCP ports as they are now: container port → host port.</param>
/// <param name="Addresses">Network name → IP address of the container there.</param>
public sealed record ContainerDetails(
    string Id, string Name, string ImageId, IReadOnlyDictionary<string, string> Labels, ContainerStatus Status,
    long ExitCode, bool OutOfMemory, string Error, ContainerHealth Health, string? HealthOutput, int FailingStreak,
    long RestartCount, Instant? StartedAt, IReadOnlyDictionary<int, int> Ports, IReadOnlyDictionary<string, string> Addresses)
{
    /// <summary>What it may use, and what the engine does when it exits; <see langword="null"/> where the engine does not say.</summary>
    public ContainerBounds? Bounds { get; init; }
}

/// <summary>What a container may use, and what the engine does when it exits. All of it can be changed while it runs.</summary>
/// <param name="Memory">Bytes; 0 for no limit.</param>
/// <param name="NanoCpus">Billionths of a core; 0 for no limit.</param>
/// <param name="Restart">Restart policy.</param>
public sealed record ContainerBounds(long Memory, long NanoCpus, RestartMode Restart)
{
    /// <summary>Those that a spec asks for.</summary>
    public static ContainerBounds Of(AppSpec spec) => new(
        (spec.MemoryMb ?? 0) * 1024L * 1024L, (long)Math.Round((spec.Cpus ?? 0) * 1_000_000_000), spec.Restart);
}

/// <summary>A container as a list of all shows it.</summary>
/// <param name="Id">Full id.</param>
/// <param name="Name">Name without leading slash.</param>
/// <param name="Labels">Its labels.</param>
/// <param name="Status">State.</param>
/// <param name="Health">Health by its own health check.</param>
public sealed record ContainerSketch(
    string Id, string Name, IReadOnlyDictionary<string, string> Labels, ContainerStatus Status, ContainerHealth Health);

/// <summary>A piece of a container's output, not split into lines.</summary>
/// <param name="Stream"><see cref="LogStream.Stdout"/> or <see cref="LogStream.Stderr"/>.</param>
/// <param name="Bytes">The bytes as they came; valid until the next piece is asked for.</param>
public readonly record struct OutputChunk(LogStream Stream, ReadOnlyMemory<byte> Bytes);

/// <summary>What an engine's data takes on its disk.</summary>
/// <param name="ImageBytes">All layers of all images, each layer once.</param>
/// <param name="ContainerBytes">What containers have written to their own layers.</param>
/// <param name="VolumeBytes">The volumes.</param>
/// <param name="BuildCacheBytes">The builder's cache.</param>
/// <param name="Images">The images, newest first.</param>
public sealed record DiskUse(long ImageBytes, long ContainerBytes, long VolumeBytes, long BuildCacheBytes, IReadOnlyList<HeldImage> Images);

/// <summary>An image that an engine holds, with what it takes.</summary>
/// <param name="Id">Image id.</param>
/// <param name="Names">Its names with tag; empty for one that lost its name.</param>
/// <param name="CreatedAt">When it was built.</param>
/// <param name="Bytes">Its layers together, shared ones too.</param>
/// <param name="OwnBytes">Its layers that no other image shares: what its removal frees at least.</param>
/// <param name="Containers">How many containers, running or not, are made from it.</param>
public sealed record HeldImage(string Id, IReadOnlyList<string> Names, Instant CreatedAt, long Bytes, long OwnBytes, int Containers);

/// <summary>What a container uses at a moment.</summary>
/// <param name="At">The moment.</param>
/// <param name="Cores">Processors kept busy since the sample before, e.g. 0.5; <see langword="null"/> for the first sample.</param>
/// <param name="MemoryBytes">Memory in use, without the page cache that can be given up.</param>
/// <param name="MemoryLimitBytes">The most it may use: its own limit, or else the machine's memory.</param>
public sealed record ContainerSample(Instant At, double? Cores, long MemoryBytes, long MemoryLimitBytes);
