namespace Deployer.Core.Engine;

/// <summary>Says on which machine an engine is.</summary>
internal static class EngineMachine
{
    /// <summary>
    /// The engine's machine as a host stands in a URL, an IPv6 address in brackets; <see langword="null"/> when it is this
    /// one. Samples: <c>unix:///var/run/docker.sock</c> (here), <c>tcp://10.0.0.5:2376</c>.
    /// </summary>
    public static string? RemoteHost(this IContainerEngine engine) =>
        Uri.TryCreate(engine.Endpoint, UriKind.Absolute, out var uri)
        && uri.Scheme is "tcp" or "http" or "https"
        && !uri.IsLoopback
            ? uri.Host
            : null;
}
