using Deployer.Core.Engine;

namespace Deployer.Core.Deployments;

/// <summary>Where a container's port is reached from this machine.</summary>
internal static class ContainerAddresses
{
    /// <summary>
    /// Addresses as <c>host:port</c>, the best first: the published port on loopback where there is one, then the
    /// container's own addresses on its bridge networks. Of an engine on another machine the published port on that
    /// machine alone: the same addresses here are those of others.
    /// </summary>
    public static IEnumerable<string> Of(IContainerEngine engine, ContainerDetails container, int port)
    {
        var remote = engine.RemoteHost();
        if (container.Ports.TryGetValue(port, out var published))
        {
            yield return $"{remote ?? "127.0.0.1"}:{published}";
        }

        if (remote is not null)
        {
            yield break;
        }

        foreach (var address in container.Addresses.Values.Where(address => address.Length > 0))
        {
            yield return address.Contains(':', StringComparison.Ordinal) ? $"[{address}]:{port}" : $"{address}:{port}";
        }
    }
}
