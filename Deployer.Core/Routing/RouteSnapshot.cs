namespace Deployer.Core.Routing;

/// <summary>All routes as they were at one version.</summary>
/// <param name="Stamp">What the routes were recognised by.</param>
/// <param name="Hosts">The hosts, each with its app.</param>
/// <param name="Targets">The containers, active and draining.</param>
public sealed record RouteSnapshot(
    RouteStamp Stamp, IReadOnlyList<RoutedHost> Hosts, IReadOnlyList<RoutedTarget> Targets);

/// <summary>
/// Tells whether the routes changed, without reading them. The counts are there because deleting an app deletes its
/// routes by cascade, which does not raise the version.
/// </summary>
/// <param name="Version">Version of the routes.</param>
/// <param name="Hosts">Number of hosts.</param>
/// <param name="Targets">Number of targets.</param>
public sealed record RouteStamp(long Version, int Hosts, int Targets);

/// <summary>A host name and its app.</summary>
/// <param name="Host">Host name in lower case.</param>
/// <param name="AppId">The app.</param>
/// <param name="App">The app's name.</param>
/// <param name="InService">Whether a deployment put the host into service; else it is only reserved.</param>
public sealed record RoutedHost(string Host, long AppId, string App, bool InService);

/// <summary>A container as the proxy needs to know it.</summary>
/// <param name="Id">Id of the target.</param>
/// <param name="AppId">The app.</param>
/// <param name="Address">IP address, or <see langword="null"/> while the container does not run.</param>
/// <param name="Port">TCP port.</param>
/// <param name="State">Active or draining.</param>
public sealed record RoutedTarget(long Id, long AppId, string? Address, int Port, RouteTargetState State);
