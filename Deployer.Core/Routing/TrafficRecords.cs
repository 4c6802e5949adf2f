namespace Deployer.Core.Routing;

/// <summary>A container to serve from.</summary>
/// <param name="DeploymentId">The deployment that made it.</param>
/// <param name="ContainerId">Its full id.</param>
/// <param name="ContainerPort">TCP port inside the container, as <see cref="TargetFinder.PortOf"/> says.</param>
/// <param name="Address">
/// Where the proxy reaches that port, as <see cref="TargetFinder.FindAsync"/> found; <see langword="null"/> while nothing
/// answers there yet: the app's hosts answer 503 until <see cref="RouteKeeper"/> finds it.
/// </param>
public sealed record NewTarget(long DeploymentId, string ContainerId, int ContainerPort, TargetAddress? Address);

/// <summary>Where a container is reached.</summary>
/// <param name="Ip">IP address.</param>
/// <param name="Port">TCP port.</param>
public sealed record TargetAddress(string Ip, int Port)
{
    /// <inheritdoc/>
    public override string ToString() => Ip.Contains(':', StringComparison.Ordinal) ? $"[{Ip}]:{Port}" : $"{Ip}:{Port}";
}

/// <summary>What a change of an app's traffic came to.</summary>
/// <param name="Active">The target that serves now; <see langword="null"/> when the app was taken out of service.</param>
/// <param name="Draining">The app's other targets: they get no new request and may have old ones.</param>
/// <param name="Proxies">Number of proxies that serve by the change.</param>
/// <param name="Behind">
/// Number of proxies that had not applied the change when the wait ended: they may still send requests to the old target.
/// </param>
public sealed record SwitchResult(RouteTarget? Active, IReadOnlyList<RouteTarget> Draining, int Proxies, int Behind);

/// <summary>What a drain came to.</summary>
/// <param name="InFlight">Requests, counting open connections of WebSockets and event streams, that are still there.</param>
/// <param name="Behind">Number of proxies that did not yet serve by the switch, so that their requests are not known.</param>
public sealed record DrainResult(int InFlight, int Behind)
{
    /// <summary>Whether nothing is left: the container can be stopped without anybody noticing.</summary>
    public bool IsEmpty => InFlight == 0 && Behind == 0;
}

/// <summary>A host name that another app has.</summary>
/// <param name="Host">The host name.</param>
/// <param name="App">The app that has it.</param>
public sealed record HostTaken(string Host, string App);

/// <summary>Hosts of an app could not be routed because another app has them.</summary>
public sealed class HostTakenException(IReadOnlyList<HostTaken> taken)
    : Exception(string.Join(" ", taken.Select(host => $"The host {host.Host} belongs to the app {host.App}.")))
{
    /// <summary>The hosts and who has them.</summary>
    public IReadOnlyList<HostTaken> Taken { get; } = taken;
}
