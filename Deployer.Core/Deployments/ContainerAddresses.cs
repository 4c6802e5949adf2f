using Deployer.Core.Engine;

namespace Deployer.Core.Deployments;

/// <summary>Where a container's port is reached from this machine.</summary>
internal static class ContainerAddresses
{
    /// <summary>
    /// Addresses as <c>host:port</c>, the best first: the published port on loopback where there is one, then the
    /// container's own addresses on its bridge networks.
    /// </summary>
    public static IEnumerable<string> Of(ContainerDetails container, int port)
    {
        if (container.Ports.TryGetValue(port, out var published))
        {
            yield return $"127.0.0.1:{published}";
        }

        foreach (var address in container.Addresses.Values.Where(address => address.Length > 0))
        {
            yield return address.Contains(':', StringComparison.Ordinal) ? $"[{address}]:{port}" : $"{address}:{port}";
        }
    }
}
