using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Deployer.Core.Logs;

/// <summary>
/// Finds secrets in text: as they are, and as they look base64-encoded (also inside a longer value, whatever its
/// alignment), base64url-encoded, URL-encoded and as a JSON string. Secrets of fewer than <see cref="ShortestSecret"/>
/// characters are not looked for: they would blacken ordinary words and are guessed sooner than read.
/// </summary>
internal sealed class Redactor
{
    /// <summary>Shortest secret, or line of a secret with several lines, that is looked for; in UTF-16 characters.</summary>
    public const int ShortestSecret = 4;

    /// <summary>What stands in a secret's place.</summary>
    public const string Mask = "***";

    // What is left on the last line of a wrapped value; anything shorter is likely to be an ordinary word.
    private const int ShortestWrapped = 8;

    private const int StartBits = 16;

    // Which four characters some needle begins with, as bits at their hash. One load tells for nearly every position of a
    // text that nothing begins there; SearchValues<string> took six times as long for the hundreds of forms of 50 secrets.
    private readonly ulong[] _starts = new ulong[(1 << StartBits) / 64];
    private readonly Dictionary<ulong, Needle[]> _byStart;
    private readonly int _longest;

    private Redactor(IReadOnlyCollection<Needle> needles)
    {
        _byStart = needles.GroupBy(needle => StartOf(needle.Text)).ToDictionary(
            group => group.Key, group => group.OrderByDescending(needle => needle.Text.Length).ToArray());
        _longest = needles.Count == 0 ? 0 : needles.Max(needle => needle.Text.Length);
        foreach (var start in _byStart.Keys)
        {
            _starts[HashOf(start) >> 6] |= 1UL << (HashOf(start) & 63);
        }
    }

    /// <summary>Looks for nothing.</summary>
    public static Redactor None { get; } = new([]);

    /// <summary>Length of the longest form looked for, in UTF-16 characters.</summary>
    public int Longest => _longest;

    /// <summary>Prepares for a set of secrets. Takes some milliseconds for many; keep the result.</summary>
    public static Redactor Create(IReadOnlyCollection<string> secrets)
    {
        var needles = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var secret in secrets)
        {
            AddForms(secret, needles);
        }

        return needles.Count == 0 ? None : new Redactor([.. needles.Select(needle => new Needle(needle.Key, needle.Value))]);
    }

    /// <summary>Adds the ranges of the text that show a secret; unsorted, and they may overlap.</summary>
    public void FindSecrets(ReadOnlySpan<char> text, List<Range> secrets)
    {
        if (_longest == 0)
        {
            return;
        }

        var starts = _starts;
        for (var position = 0; position <= text.Length - ShortestSecret; position++)
        {
            var start = StartOf(text[position..]);
            var hash = HashOf(start);
            if ((starts[hash >> 6] & (1UL << (hash & 63))) != 0 && _byStart.TryGetValue(start, out var needles))
            {
                Match(text, position, needles, secrets);
            }
        }
    }

    /// <summary>
    /// Where, at the end of the text, something begins that may become a secret with the text that follows; or -1. Fewer
    /// than <see cref="ShortestSecret"/> characters do not count.
    /// </summary>
    public int FindUnfinishedSecret(ReadOnlySpan<char> text)
    {
        for (var position = Math.Max(0, text.Length - _longest + 1); position <= text.Length - ShortestSecret; position++)
        {
            if (_byStart.TryGetValue(StartOf(text[position..]), out var needles))
            {
                foreach (var needle in needles)
                {
                    if (needle.Text.Length > text.Length - position
                        && needle.Text.AsSpan().StartsWith(text[position..], StringComparison.Ordinal))
                    {
                        return position;
                    }
                }
            }
        }

        return -1;
    }

    /// <summary>Adds the longest of the needles that stands at a position.</summary>
    private static void Match(ReadOnlySpan<char> text, int position, Needle[] needles, List<Range> secrets)
    {
        foreach (var needle in needles)
        {
            if (text[position..].StartsWith(needle.Text, StringComparison.Ordinal))
            {
                var end = position + needle.Text.Length;
                secrets.Add(needle.Extends ? Extend(text, position, end) : position..end);
                return;
            }
        }
    }

    private static void AddForms(string secret, Dictionary<string, bool> needles)
    {
        // The gate shows control characters differently and splits lines: what lies between them is what can be seen.
        var trimmed = secret.Trim();
        foreach (var part in SplitAtControls(trimmed))
        {
            Add(part);
        }

        if (trimmed.Length < ShortestSecret)
        {
            return;
        }

        foreach (var form in new[] { secret, trimmed }.Distinct(StringComparer.Ordinal))
        {
            AddBase64(Encoding.UTF8.GetBytes(form), needles);
            var escaped = Uri.EscapeDataString(form);
            AddUrl(escaped);
            AddUrl(escaped.Replace("%20", "+", StringComparison.Ordinal));
            AddUrl(UrlEncoder.Default.Encode(form));
            Add(JsonEncodedText.Encode(form).Value);
            Add(JsonEncodedText.Encode(form, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value);
        }

        void AddUrl(string form)
        {
            Add(form);
            Add(LowerHex(form));
        }

        void Add(string form)
        {
            if (form.Length >= ShortestSecret && !form.Any(char.IsControl))
            {
                needles[form] = false;
            }
        }
    }

    /// <summary>
    /// Base64 (RFC 4648 §4 and §5) of a value: whole, wrapped at 76 and 64 characters as the usual tools do, and the part
    /// that stays the same when one or two bytes, or more, stand before it: only characters that lie wholly in the value
    /// are certain, so those matches are extended by the characters beside them.
    /// </summary>
    private static void AddBase64(byte[] value, Dictionary<string, bool> needles)
    {
        var whole = Convert.ToBase64String(value);
        AddBoth(whole, extends: false);
        AddBoth(whole.TrimEnd('='), extends: true);
        foreach (var width in (ReadOnlySpan<int>)[76, 64])
        {
            for (var start = 0; whole.Length > width && start < whole.Length; start += width)
            {
                var wrapped = whole.Substring(start, Math.Min(width, whole.Length - start));
                if (wrapped.Length >= ShortestWrapped)
                {
                    AddBoth(wrapped, extends: false);
                }
            }
        }

        for (var before = 0; before < 3; before++)
        {
            var padded = new byte[before + value.Length];
            value.CopyTo(padded, before);
            var first = (int)Math.Ceiling(before * 8 / 6.0);
            var end = padded.Length * 8 / 6;
            AddBoth(Convert.ToBase64String(padded)[first..end], extends: true);
        }

        void AddBoth(string form, bool extends)
        {
            if (form.Length >= ShortestSecret)
            {
                needles.TryAdd(form, extends);
                needles.TryAdd(form.Replace('+', '-').Replace('/', '_'), extends);
            }
        }
    }

    private static IEnumerable<string> SplitAtControls(string secret)
    {
        var start = 0;
        for (var index = 0; index <= secret.Length; index++)
        {
            if (index == secret.Length || char.IsControl(secret[index]))
            {
                var part = secret[start..index].Trim();
                if (part.Length > 0)
                {
                    yield return part;
                }

                start = index + 1;
            }
        }
    }

    /// <summary><c>%2F</c> as <c>%2f</c>, and nothing else changed.</summary>
    private static string LowerHex(string escaped) => string.Create(escaped.Length, escaped, (target, source) =>
    {
        for (var index = 0; index < source.Length; index++)
        {
            var afterPercent = (index >= 1 && source[index - 1] == '%') || (index >= 2 && source[index - 2] == '%');
            target[index] = afterPercent ? char.ToLowerInvariant(source[index]) : source[index];
        }
    });

    private static Range Extend(ReadOnlySpan<char> text, int start, int end)
    {
        if (start > 0 && IsBase64(text[start - 1]))
        {
            start--;
        }

        while (end < text.Length && (text[end] == '=' || IsBase64(text[end])))
        {
            var padding = text[end++] == '=';
            if (!padding)
            {
                break;
            }
        }

        return start..end;
    }

    private static bool IsBase64(char character) => char.IsAsciiLetterOrDigit(character) || character is '+' or '/' or '-' or '_';

    private static int HashOf(ulong start) => (int)((start * 0x9E3779B97F4A7C15) >> (64 - StartBits));

    private static ulong StartOf(ReadOnlySpan<char> text) => MemoryMarshal.Read<ulong>(MemoryMarshal.AsBytes(text[..4]));

    /// <param name="Text">What to look for.</param>
    /// <param name="Extends">Whether the characters beside it may hold a few bits of the secret.</param>
    private readonly record struct Needle(string Text, bool Extends);
}
