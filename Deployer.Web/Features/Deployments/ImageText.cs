namespace Deployer.Web.Features.Deployments;

/// <summary>Image references and digests, short enough for a table.</summary>
internal static class ImageText
{
    /// <summary><c>sha256:0123456789abcdef…</c> → <c>0123456789ab</c>.</summary>
    public static string ShortDigest(string digest)
    {
        var hex = digest[(digest.IndexOf(':', StringComparison.Ordinal) + 1)..];
        return hex.Length > 12 ? hex[..12] : hex;
    }

    /// <summary>
    /// <c>web:v1@sha256:0123456789abcdef…</c> → <c>web:v1 (0123456789ab)</c>, also where the digest is told apart from the
    /// reference; a reference without one as it is.
    /// </summary>
    public static string WithShortDigest(string image, string? digest = null)
    {
        var parts = image.Split('@', 2);
        return (digest ?? parts.ElementAtOrDefault(1)) is { } known ? $"{parts[0]} ({ShortDigest(known)})" : image;
    }

    /// <summary>The version in a reference: its tag, else its short digest, else <c>latest</c>.</summary>
    public static string Version(string image)
    {
        var name = image.Split('@', 2);
        var slash = name[0].LastIndexOf('/');
        var colon = name[0].LastIndexOf(':');
        return colon > slash ? name[0][(colon + 1)..] : name.Length == 2 ? ShortDigest(name[1]) : "latest";
    }

    /// <summary>The last part of the repository's path: <c>host/team/web:v1</c> → <c>web</c>.</summary>
    public static string Name(string image)
    {
        var name = image.Split('@', 2)[0];
        var last = name[(name.LastIndexOf('/') + 1)..];
        var colon = last.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? last : last[..colon];
    }
}
