using System.Diagnostics.CodeAnalysis;

namespace Deployer.Core.Engine;

/// <summary>
/// An image reference by the distribution reference grammar, with domain and path written out as engines do:
/// <c>web:v1</c> is <c>{default domain}/library/web:v1</c>.
/// Source: the grammar in the package documentation of distribution's <c>reference</c>.
/// </summary>
public sealed record ImageReference
{
    /// <summary>Registry that a reference without a domain means, as every engine reads it.</summary>
    public const string DefaultDomain = "docker.io";

    /// <summary>Tag that a reference with neither tag nor digest means.</summary>
    public const string DefaultTag = "latest";

    /// <summary>Path prefix of the default registry's own repositories.</summary>
    internal const string DefaultNamespace = "library/";

    internal ImageReference(string domain, string path, string? tag, string? digest)
    {
        Domain = domain;
        Path = path;
        Tag = tag;
        Digest = digest;
    }

    /// <summary>Registry host, with port where given: <c>localhost:5000</c>, <c>[2001:db8::1]:5000</c>.</summary>
    public string Domain { get; }

    /// <summary>Repository path within the registry: <c>library/web</c>, <c>team/web</c>.</summary>
    public string Path { get; }

    /// <summary>Tag; <see langword="null"/> when none was given.</summary>
    public string? Tag { get; }

    /// <summary>Digest (<c>sha256:…</c>); <see langword="null"/> when none was given.</summary>
    public string? Digest { get; }

    /// <summary>Domain and path, without tag and digest.</summary>
    public string Repository => $"{Domain}/{Path}";

    /// <summary>
    /// The one thing to ask a registry for: <c>repository@digest</c> where a digest is given (it says all), else
    /// <c>repository:tag</c>, with <see cref="DefaultTag"/> where neither is.
    /// </summary>
    public string PullName => Digest is null ? $"{Repository}:{Tag ?? DefaultTag}" : $"{Repository}@{Digest}";

    /// <summary>The shortest form that means the same, as people write it: <c>web:v1</c>.</summary>
    public string ShortName
    {
        get
        {
            var name = Domain != DefaultDomain ? Repository
                : Path.StartsWith(DefaultNamespace, StringComparison.Ordinal) ? Path[DefaultNamespace.Length..]
                : Path;
            return name + Suffix;
        }
    }

    private string Suffix => (Tag is null ? "" : ":" + Tag) + (Digest is null ? "" : "@" + Digest);

    /// <summary>The same with <see cref="DefaultTag"/> when it has neither tag nor digest.</summary>
    public ImageReference WithDefaultTag() =>
        Tag is null && Digest is null ? new ImageReference(Domain, Path, DefaultTag, null) : this;

    /// <summary>The same repository at a digest, without tag.</summary>
    /// <exception cref="FormatException">The digest is not one.</exception>
    public ImageReference WithDigest(string digest) => Parse($"{Repository}@{digest}");

    /// <summary>Reads a reference.</summary>
    /// <exception cref="FormatException">It breaks the grammar; the message shows the bad part and the remedy.</exception>
    public static ImageReference Parse(string text) =>
        TryParse(text, out var reference, out var error) ? reference : throw new FormatException(error.Message);

    /// <summary>Reads a reference; on failure <paramref name="error"/> says what is wrong and where.</summary>
    public static bool TryParse(
        string? text, [NotNullWhen(true)] out ImageReference? reference, [NotNullWhen(false)] out ImageReferenceError? error) =>
        ImageReferenceParser.TryParse(text, out reference, out error);

    /// <summary>Canonical form: <c>domain/path[:tag][@digest]</c>.</summary>
    public override string ToString() => Repository + Suffix;
}

/// <summary>Why a text is no image reference.</summary>
/// <param name="Message">The bad part, where it is, and the remedy, in one or two sentences.</param>
/// <param name="BadPart">The part of the text that breaks the grammar; may be empty.</param>
/// <param name="Position">Where it begins, counted in characters from 0.</param>
public sealed record ImageReferenceError(string Message, string BadPart, int Position);
