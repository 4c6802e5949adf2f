using NodaTime;

namespace Deployer.Core.Routing;

/// <summary>A running proxy and what it last said of itself. One row of <c>proxies</c>.</summary>
public sealed class ProxyInstance
{
    /// <summary>Names the running proxy: machine, process and a random part.</summary>
    public required string Id { get; init; }

    /// <summary>Addresses it listens on.</summary>
    public required string Urls { get; init; }

    /// <summary>When it started.</summary>
    public required Instant StartedAt { get; init; }

    /// <summary>When it last reported. One that has been silent for <see cref="ProxyRegister.SilenceLimit"/> is gone.</summary>
    public Instant SeenAt { get; init; }

    /// <summary>Version of the routes by which it serves.</summary>
    public long Version { get; init; }

    /// <summary>Requests that it still has at draining targets: id of the target → number; targets with none are left out.</summary>
    public required IReadOnlyDictionary<long, int> Draining { get; init; }
}
