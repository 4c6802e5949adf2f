using System.Net;
using System.Net.Sockets;
using Deployer.Core.Apps;
using Deployer.Core.Engine;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Routing;

/// <summary>Finds where the proxy reaches a container, by trying.</summary>
public sealed class TargetFinder(IContainerEngine engine, IOptions<ProxyOptions> options, TimeProvider time)
{
    // On one machine a connection is made or refused at once; a network that cannot be reached stays silent.
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Whether containers have to publish the ports that the proxy and the HTTP health check ask for, because these do not
    /// reach the containers' networks: the engine is on another machine, or in a virtual machine as on macOS and Windows,
    /// or <c>Proxy:Reach</c> says so.
    /// </summary>
    public bool NeedsPublishedPort => options.Value.Reach switch
    {
        ContainerReach.Network => false,
        ContainerReach.Published => true,
        _ => !OperatingSystem.IsLinux() || engine.RemoteHost() is not null,
    };

    /// <summary>
    /// The container port that requests go to: the first of the spec's ports, else the first that the image exposes;
    /// <see langword="null"/> when neither names one.
    /// </summary>
    public static int? PortOf(AppSpec spec, ImageDetails? image)
    {
        if (spec.Ports.Count > 0)
        {
            return spec.Ports[0].Container;
        }

        return image is { ExposedPorts.Count: > 0 } ? image.ExposedPorts[0] : null;
    }

    /// <summary>Finds the address at which a running container accepts connections.</summary>
    /// <param name="container">The container as the engine just described it.</param>
    /// <param name="containerPort">TCP port inside the container.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="TargetUnreachableException">Nothing answered; the message names what was tried.</exception>
    public async Task<TargetAddress> FindAsync(
        ContainerDetails container, int containerPort, CancellationToken cancellationToken)
    {
        var candidates = await ListCandidatesAsync(container, containerPort, cancellationToken);
        foreach (var candidate in candidates)
        {
            if (await AnswersAsync(candidate, cancellationToken))
            {
                return candidate;
            }
        }

        throw new TargetUnreachableException(containerPort, candidates);
    }

    /// <summary>Where the container can be sought, in the order in which it is tried.</summary>
    internal async Task<IReadOnlyList<TargetAddress>> ListCandidatesAsync(
        ContainerDetails container, int containerPort, CancellationToken cancellationToken)
    {
        var candidates = new List<TargetAddress>();
        var remote = engine.RemoteHost();
        if (options.Value.Reach != ContainerReach.Published && remote is null)
        {
            candidates.AddRange(container.Addresses.Values
                .Where(ip => ip.Length > 0)
                .Select(ip => new TargetAddress(ip, containerPort)));
        }

        if (options.Value.Reach != ContainerReach.Network && container.Ports.TryGetValue(containerPort, out var hostPort))
        {
            var ip = remote is null
                ? IPAddress.Loopback
                : (await Dns.GetHostAddressesAsync(remote, cancellationToken))[0];
            candidates.Add(new TargetAddress(ip.ToString(), hostPort));
        }

        return candidates;
    }

    private async Task<bool> AnswersAsync(TargetAddress address, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(ConnectLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Parse(address.Ip), address.Port, either.Token);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}

/// <summary>The container runs but accepts no connection where the proxy seeks it.</summary>
public sealed class TargetUnreachableException(int containerPort, IReadOnlyList<TargetAddress> tried) : Exception(
    tried.Count == 0
        ? $"The container has neither an address on a network that the proxy reaches nor a published port for {containerPort}."
        : $"The container's port {containerPort} accepts no connection at {string.Join(" or ", tried)}.")
{
    /// <summary>TCP port inside the container.</summary>
    public int ContainerPort { get; } = containerPort;

    /// <summary>Where it was sought.</summary>
    public IReadOnlyList<TargetAddress> Tried { get; } = tried;
}
