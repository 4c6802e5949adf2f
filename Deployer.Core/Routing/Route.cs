namespace Deployer.Core.Routing;

/// <summary>A host name and the app that answers there. One row of <c>routes</c>.</summary>
public sealed class Route
{
    /// <summary>Host name in lower case, without port and without trailing dot; unique over all apps.</summary>
    public required string Host { get; init; }

    /// <summary>The app.</summary>
    public required long AppId { get; init; }

    /// <summary>
    /// The deployment that put the host into service; <see langword="null"/> while it is only reserved by the app's spec.
    /// </summary>
    public long? DeploymentId { get; set; }

    /// <summary>
    /// The form in which host names are stored and compared (RFC 4343: case does not matter; a trailing dot only says
    /// that the name is complete).
    /// </summary>
    public static string Normalize(string host) => host.Trim().TrimEnd('.').ToLowerInvariant();
}
