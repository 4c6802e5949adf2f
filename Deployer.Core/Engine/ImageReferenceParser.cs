using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Deployer.Core.Engine;

/// <summary>
/// Reads image references. The grammar, from the package documentation of distribution's <c>reference</c>:
/// <code>
/// reference      := name [ ":" tag ] [ "@" digest ]
/// name           := [ domain "/" ] path-component [ "/" path-component ]*
/// domain         := host [ ":" port ]          host := domain-name | IPv4 | "[" IPv6 "]"
/// path-component := [a-z0-9]+ ( ( "." | "_" | "__" | "-"+ ) [a-z0-9]+ )*
/// tag            := [A-Za-z0-9_] [A-Za-z0-9_.-]{0,127}
/// digest         := algorithm ":" hex
/// </code>
/// Sample: <c>registry.example.com:5000/team/web:v1@sha256:…</c>.
/// What stands before the first slash is a domain when it holds a dot, a colon or an upper-case letter, or is
/// <c>localhost</c>; else it is part of the path in the default registry.
/// A hand-written scanner rather than the regular expression of the source, because it can tell where and why it stopped.
/// </summary>
internal static class ImageReferenceParser
{
    private const int MaxPathLength = 255;
    private const int MaxTagLength = 128;

    /// <summary>An older name of the default registry, which engines still read as the default one.</summary>
    private const string LegacyDefaultDomain = "index.docker.io";

    private static readonly SearchValues<char> LowerAlphanumeric = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789");
    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");
    private static readonly SearchValues<char> IPv6 = SearchValues.Create("0123456789abcdefABCDEF:");

    public static bool TryParse(
        string? text, [NotNullWhen(true)] out ImageReference? reference, [NotNullWhen(false)] out ImageReferenceError? error)
    {
        reference = null;
        error = text is null ? Empty() : Read(text, out reference);
        return error is null;
    }

    private static ImageReferenceError? Read(string text, out ImageReference? reference)
    {
        reference = null;
        if (FindForeign(text) is { } foreign)
        {
            return foreign;
        }

        // A digest holds no '@' and a tag no '/': so the first '@' and, before it, the last ':' after the last '/' part the text.
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var named = at < 0 ? text : text[..at];
        var digest = at < 0 ? null : text[(at + 1)..];
        var lastSlash = named.LastIndexOf('/');
        var colon = named.IndexOf(':', lastSlash + 1);
        var tag = colon < 0 ? null : named[(colon + 1)..];
        var name = colon < 0 ? named : named[..colon];

        var (domain, pathStart) = SplitDomain(name);
        var path = name[pathStart..];
        if (CheckDomain(domain) is { } badDomain)
        {
            return badDomain;
        }

        if (CheckPath(path, pathStart, named) is { } badPath)
        {
            return badPath;
        }

        if (tag is not null && CheckTag(tag, colon + 1) is { } badTag)
        {
            return badTag;
        }

        if (digest is not null && CheckDigest(digest, at + 1) is { } badDigest)
        {
            return badDigest;
        }

        if (domain is null or LegacyDefaultDomain)
        {
            domain = ImageReference.DefaultDomain;
        }

        if (domain == ImageReference.DefaultDomain && !path.Contains('/', StringComparison.Ordinal))
        {
            path = ImageReference.DefaultNamespace + path;
        }

        if (path.Length > MaxPathLength)
        {
            return new ImageReferenceError(
                $"The repository path is {path.Length} characters long; at most {MaxPathLength} are allowed.", path, pathStart);
        }

        reference = new ImageReference(domain, path, tag, digest);
        return null;
    }

    /// <summary>Mistakes that have nothing to do with the grammar and deserve a remedy of their own.</summary>
    private static ImageReferenceError? FindForeign(string text)
    {
        if (text.Length == 0)
        {
            return Empty();
        }

        var scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme > 0)
        {
            return new ImageReferenceError(
                $"The image begins with '{Show(text[..(scheme + 3)])}', but an image reference is no web address; leave that part out.",
                text[..(scheme + 3)], 0);
        }

        for (var index = 0; index < text.Length; index++)
        {
            if (char.IsWhiteSpace(text[index]))
            {
                return Bad(text, index, 1, $"There is a space {Where(index)}, but an image reference has none; remove it.");
            }

            if (text[index] > 126 || char.IsControl(text[index]))
            {
                var length = char.IsSurrogatePair(text, index) ? 2 : 1;
                return Bad(
                    text, index, length,
                    $"'{Show(text.Substring(index, length))}' {Where(index)} cannot be part of an image reference; it takes plain letters, digits and . _ - / : @ alone.");
            }
        }

        return null;
    }

    private static (string? Domain, int PathStart) SplitDomain(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
        {
            return (null, 0);
        }

        var first = name.AsSpan(0, slash);
        var isDomain = first.ContainsAny('.', ':') || first is "localhost" || first.ContainsAnyInRange('A', 'Z');
        return isDomain ? (first.ToString(), slash + 1) : (null, 0);
    }

    private static ImageReferenceError? CheckDomain(string? domain)
    {
        if (domain is null)
        {
            return null;
        }

        var hostEnd = domain.StartsWith('[') ? domain.IndexOf(']', StringComparison.Ordinal) + 1 : domain.IndexOf(':', StringComparison.Ordinal);
        if (domain.StartsWith('['))
        {
            if (hostEnd == 0 || hostEnd == 2 || domain.AsSpan(1, hostEnd - 2).ContainsAnyExcept(IPv6))
            {
                return new ImageReferenceError(
                    $"'{Show(domain)}' {Where(0)} is no registry address: an IPv6 address stands in brackets, e.g. [2001:db8::1]:5000.", domain, 0);
            }
        }
        else
        {
            hostEnd = hostEnd < 0 ? domain.Length : hostEnd;
            var start = 0;
            foreach (var label in domain[..hostEnd].Split('.'))
            {
                if (!IsHostLabel(label))
                {
                    return new ImageReferenceError(
                        $"'{Show(label)}' {Where(start)} cannot be part of the registry's host name '{Show(domain[..hostEnd])}': each part between dots has letters, digits and inner hyphens.",
                        label, start);
                }

                start += label.Length + 1;
            }
        }

        if (hostEnd == domain.Length)
        {
            return null;
        }

        var port = domain[(hostEnd + 1)..];
        return domain[hostEnd] == ':' && port.Length > 0 && port.All(char.IsAsciiDigit)
            ? null
            : new ImageReferenceError(
                $"'{Show(port)}' {Where(hostEnd + 1)} is no port number of the registry '{Show(domain[..hostEnd])}'; write e.g. {Show(domain[..hostEnd])}:5000.",
                port, hostEnd + 1);
    }

    private static bool IsHostLabel(string label) =>
        label.Length > 0 && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');

    private static ImageReferenceError? CheckPath(string path, int start, string named)
    {
        if (path.Length == 0)
        {
            return new ImageReferenceError(
                named.Length == 0 || named[0] == ':'
                    ? "The repository name is missing; write e.g. web:v1."
                    : $"The repository name is missing after '{Show(named)}'; write e.g. {Show(named.TrimEnd('/', ':'))}/web:v1.",
                "", start);
        }

        if (path.Length == 64 && start == 0 && !path.AsSpan().ContainsAnyExcept(LowerHex))
        {
            return new ImageReferenceError(
                "64 hexadecimal digits are an image id, not a repository; write the repository's name, with @sha256:… for a fixed version.",
                path, 0);
        }

        var at = start;
        foreach (var component in path.Split('/'))
        {
            if (CheckComponent(component, at) is { } bad)
            {
                return bad;
            }

            at += component.Length + 1;
        }

        return null;
    }

    private static ImageReferenceError? CheckComponent(string component, int start)
    {
        if (component.Length == 0)
        {
            return new ImageReferenceError(
                $"There is nothing before or after the slash {Where(Math.Max(0, start - 1))}; a repository path has a name on each side of a slash.",
                "", start);
        }

        var index = 0;
        while (true)
        {
            var run = component.AsSpan(index).IndexOfAnyExcept(LowerAlphanumeric);
            if (run < 0)
            {
                return null;
            }

            index += run;
            var separator = SeparatorLength(component.AsSpan(index));
            if (separator == 0)
            {
                return char.IsAsciiLetterUpper(component[index])
                    ? Bad(
                        component, index, 1, start,
                        $"'{component[index]}' {Where(start + index)} is upper-case, but a repository name is lower-case; write '{Show(component.ToLowerInvariant())}'.")
                    : Bad(
                        component, index, 1, start,
                        $"'{Show(component.Substring(index, 1))}' {Where(start + index)} cannot be part of a repository name; it has lower-case letters and digits, joined by . _ __ or hyphens.");
            }

            var after = index + separator;
            if (run == 0 || after == component.Length || !LowerAlphanumeric.Contains(component[after]))
            {
                // An upper-case letter or a foreign one after the separator is the worse mistake: say that.
                if (run > 0 && after < component.Length && SeparatorLength(component.AsSpan(after)) == 0)
                {
                    index = after;
                    continue;
                }

                var end = after;
                while (end < component.Length && SeparatorLength(component.AsSpan(end)) > 0)
                {
                    end++;
                }

                var part = component[index..end];
                return new ImageReferenceError(
                    $"'{Show(part)}' {Where(start + index)} must stand between letters or digits: a part of a repository name is joined by one dot, one or two underscores, or hyphens, and neither begins nor ends with them.",
                    part, start + index);
            }

            index = after;
        }
    }

    private static int SeparatorLength(ReadOnlySpan<char> text)
    {
        if (text.StartsWith("__"))
        {
            return 2;
        }

        if (text[0] is '.' or '_')
        {
            return 1;
        }

        var other = text.IndexOfAnyExcept('-');
        return other < 0 ? text.Length : other;
    }

    private static ImageReferenceError? CheckTag(string tag, int start)
    {
        if (tag.Length == 0)
        {
            return new ImageReferenceError(
                $"The tag after the colon {Where(start - 1)} is missing; write e.g. :v1 or leave the colon out.", "", start);
        }

        if (tag.Length > MaxTagLength)
        {
            return new ImageReferenceError(
                $"The tag is {tag.Length} characters long; at most {MaxTagLength} are allowed.", tag, start);
        }

        for (var index = 0; index < tag.Length; index++)
        {
            var c = tag[index];
            if (char.IsAsciiLetterOrDigit(c) || c == '_' || (index > 0 && c is '.' or '-'))
            {
                continue;
            }

            return Bad(
                tag, index, 1, start,
                c is '.' or '-'
                    ? $"The tag '{Show(tag)}' begins with '{c}' {Where(start)}; it begins with a letter, a digit or an underscore."
                    : $"'{Show(c.ToString())}' {Where(start + index)} cannot be part of a tag; it has letters, digits and . _ - alone.");
        }

        return null;
    }

    private static ImageReferenceError? CheckDigest(string digest, int start)
    {
        var colon = digest.IndexOf(':', StringComparison.Ordinal);
        var algorithm = colon < 0 ? digest : digest[..colon];
        int? length = algorithm switch
        {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => null,
        };
        if (colon < 0 || length is null)
        {
            return new ImageReferenceError(
                $"'{Show(digest)}' {Where(start)} is no digest; a digest is sha256: and 64 hexadecimal digits (sha384 and sha512 are understood too).",
                digest, start);
        }

        var hex = digest[(colon + 1)..];
        var bad = hex.AsSpan().IndexOfAnyExcept(LowerHex);
        if (bad >= 0)
        {
            return Bad(
                hex, bad, 1, start + colon + 1,
                $"'{Show(hex.Substring(bad, 1))}' {Where(start + colon + 1 + bad)} cannot be part of a digest; it has the digits 0–9 and a–f in lower case.");
        }

        return hex.Length == length
            ? null
            : new ImageReferenceError(
                $"The digest has {hex.Length} hexadecimal digits {Where(start + colon + 1)}; {algorithm} has {length}.", hex, start + colon + 1);
    }

    private static ImageReferenceError Empty() => new("The image is missing; write a repository with a tag, e.g. web:v1.", "", 0);

    private static ImageReferenceError Bad(string text, int index, int length, string message) => Bad(text, index, length, 0, message);

    private static ImageReferenceError Bad(string text, int index, int length, int start, string message) =>
        new(message, text.Substring(index, length), start + index);

    private static string Where(int position) => $"at character {position + 1}";

    /// <summary>The bad part as it can stand in a sentence: short, and with control characters made visible.</summary>
    private static string Show(string part)
    {
        var shown = string.Concat(part.Select(c => char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString()));
        return shown.Length <= 60 ? shown : shown[..57] + "…";
    }
}
