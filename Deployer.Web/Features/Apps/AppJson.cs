using System.ComponentModel;
using Deployer.Core.Apps;
using NodaTime;

namespace Deployer.Web.Features.Apps;

/// <summary>The apps.</summary>
/// <param name="Apps">Every app, by name.</param>
internal sealed record AppListJson(IReadOnlyList<AppJson> Apps);

/// <summary>An app, flat as it is written in a request, with what became of it.</summary>
internal sealed record AppJson
{
    [Description("Name: a DNS label, unique, used as {app} in addresses.")]
    public required string Name { get; init; }

    [Description("Image reference by the distribution grammar.")]
    public required string Image { get; init; }

    [Description("Environment it runs in.")]
    public required string Environment { get; init; }

    [Description("Command line that replaces the image's own; empty keeps it.")]
    public required IReadOnlyList<string> Command { get; init; }

    [Description("Environment variables in the clear.")]
    public required IReadOnlyDictionary<string, string> Env { get; init; }

    [Description("Names of the secret environment variables; their values are never given.")]
    public required IReadOnlyList<string> Secrets { get; init; }

    [Description("Container ports; host 0 means any free host port, null means not published.")]
    public required IReadOnlyList<PortSpec> Ports { get; init; }

    [Description("Named volumes of the engine and their mount points.")]
    public required IReadOnlyList<VolumeSpec> Volumes { get; init; }

    [Description("Further engine networks to join.")]
    public required IReadOnlyList<string> Networks { get; init; }

    [Description("HTTP probe for images without a HEALTHCHECK.")]
    public required HealthSpec? Health { get; init; }

    [Description("Host names which the proxy routes to this app.")]
    public required IReadOnlyList<string> Hosts { get; init; }

    [Description("Memory limit in mebibytes; null for none.")]
    public required int? MemoryMb { get; init; }

    [Description("CPU limit in cores; null for none.")]
    public required double? Cpus { get; init; }

    [Description("What the engine does when the container exits by itself.")]
    public required RestartMode Restart { get; init; }

    [Description("What a new deployment does to one that still waits in the queue: wait behind it, or replace it.")]
    public required QueuePolicy WhenQueued { get; init; }

    [Description("Seconds between the stop signal and the kill.")]
    public required int StopGraceSeconds { get; init; }

    [Description("Labels on the container beside Deployer's own.")]
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    [Description("User to run as; null keeps the image's.")]
    public required string? User { get; init; }

    [Description("Whether the container's root file system is read-only.")]
    public required bool ReadOnlyRoot { get; init; }

    [Description("When it was added.")]
    public required Instant CreatedAt { get; init; }

    [Description("When its settings last changed.")]
    public required Instant UpdatedAt { get; init; }

    [Description("Its newest deployment, whatever became of it; null before the first.")]
    public required DeploymentSummary? LastDeployment { get; init; }

    [Description("The deployment whose container serves; null before the first success.")]
    public required DeploymentSummary? CurrentDeployment { get; init; }

    public static AppJson Of(AppView app) => new()
    {
        Name = app.Name,
        Image = app.Spec.Image,
        Environment = app.Environment,
        Command = app.Spec.Command,
        Env = app.Spec.Env,
        Secrets = app.Spec.Secrets,
        Ports = app.Spec.Ports,
        Volumes = app.Spec.Volumes,
        Networks = app.Spec.Networks,
        Health = app.Spec.Health,
        Hosts = app.Spec.Hosts,
        MemoryMb = app.Spec.MemoryMb,
        Cpus = app.Spec.Cpus,
        Restart = app.Spec.Restart,
        WhenQueued = app.Spec.WhenQueued,
        StopGraceSeconds = app.Spec.StopGraceSeconds,
        Labels = app.Spec.Labels,
        User = app.Spec.User,
        ReadOnlyRoot = app.Spec.ReadOnlyRoot,
        CreatedAt = app.CreatedAt,
        UpdatedAt = app.UpdatedAt,
        LastDeployment = app.LastDeployment,
        CurrentDeployment = app.CurrentDeployment,
    };
}
