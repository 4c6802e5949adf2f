using System.Globalization;
using Deployer.Core.Apps;
using Docker.DotNet.Models;
using NodaTime;
using NodaTime.Text;

namespace Deployer.Core.Engine.Docker;

/// <summary>Translates between our records and the library's.</summary>
internal static class DockerMapping
{
    private const string TcpSuffix = "/tcp";

    /// <summary>The request that creates a container.</summary>
    public static CreateContainerParameters ToRequest(ContainerPlan plan)
    {
        var spec = plan.Spec;
        var bounds = ContainerBounds.Of(spec);
        return new CreateContainerParameters
        {
            Name = plan.Name,
            Image = plan.ImageId,
            Cmd = spec.Command.Count > 0 ? [.. spec.Command] : null!,
            Env = [.. plan.Environment.Select(variable => $"{variable.Key}={variable.Value}")],
            Labels = plan.Labels.ToDictionary(StringComparer.Ordinal),
            User = spec.User ?? "",

            // What is left out here the engine takes from the image.
            Healthcheck = plan.StartInterval is { } interval ? new HealthcheckConfig { StartInterval = interval } : null!,
            StopTimeout = TimeSpan.FromSeconds(spec.StopGraceSeconds),
            ExposedPorts = spec.Ports.Select(port => port.Container).Distinct().ToDictionary(PortKey, _ => default(EmptyStruct), StringComparer.Ordinal),
            HostConfig = new HostConfig
            {
                NetworkMode = plan.Network ?? "default",
                PortBindings = spec.Ports
                    .Where(port => port.Host is not null)
                    .GroupBy(port => port.Container)
                    .ToDictionary(ports => PortKey(ports.Key), IList<PortBinding> (ports) => [.. ports.Select(ToBinding)], StringComparer.Ordinal),
                Mounts = [.. spec.Volumes.Select(volume => new Mount { Type = "volume", Source = volume.Name, Target = volume.Path })],
                RestartPolicy = ToPolicy(spec.Restart),
                Memory = bounds.Memory,
                NanoCPUs = bounds.NanoCpus,
                ReadonlyRootfs = spec.ReadOnlyRoot,
            },
        };
    }

    /// <summary>A container as the engine describes it.</summary>
    public static ContainerDetails ToDetails(ContainerInspectResponse container)
    {
        var state = container.State ?? throw new InvalidOperationException("The engine's answer has no container state.");
        return new ContainerDetails(
            container.ID,
            container.Name.TrimStart('/'),
            container.Image,
            container.Config?.Labels?.ToDictionary(StringComparer.Ordinal) ?? [],
            ToStatus(state.Status),
            state.ExitCode,
            state.OOMKilled,
            state.Error ?? "",
            ToHealth(state.Health?.Status),
            state.Health?.Log is { Count: > 0 } probes ? probes[^1].Output?.Trim() : null,
            (int)(state.Health?.FailingStreak ?? 0),
            container.RestartCount,
            ToInstant(state.StartedAt),
            ToPorts(container.NetworkSettings?.Ports),
            ToAddresses(container.NetworkSettings?.Networks))
        {
            Bounds = container.HostConfig is { } host ? new ContainerBounds(host.Memory, host.NanoCPUs, ToMode(host.RestartPolicy)) : null,
        };
    }

    /// <summary>A container as the engine lists it: its health stands in words only, e.g. <c>Up 5 minutes (unhealthy)</c>.</summary>
    public static ContainerSketch ToSketch(ContainerListResponse container) => new(
        container.ID,
        container.Names is { Count: > 0 } names ? names[0].TrimStart('/') : container.ID,
        container.Labels?.ToDictionary(StringComparer.Ordinal) ?? [],
        ToStatus(container.State),
        container.Status switch
        {
            { } says when says.EndsWith("(unhealthy)", StringComparison.Ordinal) => ContainerHealth.Unhealthy,
            { } says when says.EndsWith("(healthy)", StringComparison.Ordinal) => ContainerHealth.Healthy,
            { } says when says.EndsWith("(health: starting)", StringComparison.Ordinal) => ContainerHealth.Starting,
            _ => ContainerHealth.None,
        });

    /// <summary>An image as the engine describes it.</summary>
    public static ImageDetails ToDetails(ImageInspectResponse image)
    {
        // HEALTHCHECK NONE switches off the check of a base image.
        var healthCheck = image.Config?.Healthcheck?.Test;
        return new ImageDetails(
            image.ID,
            [.. image.RepoDigests ?? []],
            image.Os,
            image.Architecture,
            image.Size,
            healthCheck is { Count: > 0 } && !string.Equals(healthCheck[0], "NONE", StringComparison.Ordinal),
            [.. (image.Config?.ExposedPorts?.Keys ?? []).Select(ToPort).OfType<int>().Order()])
        {
            StartInterval = image.Config?.Healthcheck?.StartInterval is { } interval && interval > TimeSpan.Zero ? interval : null,
        };
    }

    private static string PortKey(int port) => string.Create(CultureInfo.InvariantCulture, $"{port}{TcpSuffix}");

    // "8080/tcp" → 8080; "53/udp" → null
    private static int? ToPort(string key) =>
        key.EndsWith(TcpSuffix, StringComparison.Ordinal)
        && int.TryParse(key.AsSpan()[..^TcpSuffix.Length], NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? port
            : null;

    private static PortBinding ToBinding(PortSpec port) =>
        new() { HostPort = port.Host is > 0 ? port.Host.Value.ToString(CultureInfo.InvariantCulture) : "" };

    /// <summary>The engine's restart policy of that mode.</summary>
    public static RestartPolicy ToPolicy(RestartMode mode) => new()
    {
        Name = mode switch
        {
            RestartMode.No => RestartPolicyKind.No,
            RestartMode.OnFailure => RestartPolicyKind.OnFailure,
            RestartMode.Always => RestartPolicyKind.Always,
            RestartMode.UnlessStopped => RestartPolicyKind.UnlessStopped,
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "Unknown restart mode."),
        },
    };

    private static RestartMode ToMode(RestartPolicy? policy) => policy?.Name switch
    {
        RestartPolicyKind.Always => RestartMode.Always,
        RestartPolicyKind.OnFailure => RestartMode.OnFailure,
        RestartPolicyKind.UnlessStopped => RestartMode.UnlessStopped,
        _ => RestartMode.No,
    };

    // A container is "removing" or "dead" only on its way out.
    private static ContainerStatus ToStatus(string status) => status switch
    {
        "created" => ContainerStatus.Created,
        "running" => ContainerStatus.Running,
        "restarting" => ContainerStatus.Restarting,
        "paused" => ContainerStatus.Paused,
        _ => ContainerStatus.Exited,
    };

    private static ContainerHealth ToHealth(string? health) => health switch
    {
        "starting" => ContainerHealth.Starting,
        "healthy" => ContainerHealth.Healthy,
        "unhealthy" => ContainerHealth.Unhealthy,
        _ => ContainerHealth.None,
    };

    // "2026-01-31T12:00:00.123456789Z"; "0001-01-01T00:00:00Z" when never started
    private static Instant? ToInstant(string? text) =>
        InstantPattern.ExtendedIso.Parse(text ?? "") is { Success: true, Value: var instant } && instant > Instant.FromUnixTimeTicks(0)
            ? instant
            : null;

    private static Dictionary<int, int> ToPorts(IDictionary<string, IList<PortBinding>>? bindings)
    {
        var ports = new Dictionary<int, int>();
        foreach (var (key, hosts) in bindings ?? new Dictionary<string, IList<PortBinding>>(StringComparer.Ordinal))
        {
            // Published once for IPv4 and once for IPv6, as a rule on the same port.
            if (ToPort(key) is { } port
                && hosts is { Count: > 0 }
                && int.TryParse(hosts[0].HostPort, NumberStyles.None, CultureInfo.InvariantCulture, out var host))
            {
                ports[port] = host;
            }
        }

        return ports;
    }

    private static Dictionary<string, string> ToAddresses(IDictionary<string, EndpointSettings>? networks) =>
        (networks ?? new Dictionary<string, EndpointSettings>(StringComparer.Ordinal))
            .Where(network => !string.IsNullOrEmpty(network.Value.IPAddress))
            .ToDictionary(network => network.Key, network => network.Value.IPAddress, StringComparer.Ordinal);
}
