using System.Diagnostics.CodeAnalysis;
using Deployer.Core.Engine;

namespace Deployer.Web.Features.Deploy;

/// <summary>Puts a tag or digest that somebody chose to the repository of an app's image.</summary>
internal static class ImageChoice
{
    /// <summary><c>host/team/web:v1</c> → <c>host/team/web</c>.</summary>
    public static string Repository(string image)
    {
        var name = image.Split('@', 2)[0];
        var colon = name.LastIndexOf(':');
        return colon > name.LastIndexOf('/') ? name[..colon] : name;
    }

    /// <summary>What stands behind the repository: a tag, or <c>sha256:…</c>, or <c>latest</c> where there is neither.</summary>
    public static string Version(string image)
    {
        var at = image.Split('@', 2);
        return at.Length == 2 ? at[1] : image.Length > Repository(image).Length ? image[(Repository(image).Length + 1)..] : ImageReference.DefaultTag;
    }

    /// <summary>The image with another tag or digest; on failure <paramref name="error"/> says what is wrong.</summary>
    public static bool TryChoose(
        string image, string version, [NotNullWhen(true)] out string? chosen, [NotNullWhen(false)] out string? error)
    {
        var text = version.Trim();
        if (text.Length == 0)
        {
            (chosen, error) = (null, "Say which tag or digest to deploy.");
            return false;
        }

        var reference = text.StartsWith("sha256:", StringComparison.Ordinal) ? $"{Repository(image)}@{text}" : $"{Repository(image)}:{text}";
        if (text.IndexOfAny(['/', '@']) >= 0 || !ImageReference.TryParse(reference, out _, out _))
        {
            (chosen, error) = (null, "A tag has letters, digits, '_', '.' and '-', at most 128; a digest is sha256: and 64 hexadecimal digits.");
            return false;
        }

        (chosen, error) = (reference, null);
        return true;
    }
}
