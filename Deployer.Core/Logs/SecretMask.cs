using System.Text;

namespace Deployer.Core.Logs;

/// <summary>Puts a mask in place of the secrets of a line. Belongs to one <see cref="LogGate"/>; not for several threads.</summary>
internal sealed class SecretMask(IReadOnlyList<Redactor> redactors)
{
    private readonly List<Range> _secrets = [];

    /// <summary>Where a secret begins that the end of the text breaks off; -1 for nowhere.</summary>
    public int FindUnfinished(string text)
    {
        var first = -1;
        foreach (var redactor in redactors)
        {
            var at = redactor.FindUnfinishedSecret(text);
            first = at >= 0 && (first < 0 || at < first) ? at : first;
        }

        return first;
    }

    /// <summary>Masks secrets in a line without SGR sequences that follows no broken line.</summary>
    public string Apply(ReadOnlySpan<char> text)
    {
        _secrets.Clear();
        Find(text);
        return _secrets.Count == 0 ? text.ToString() : Replace(text, map: null);
    }

    /// <summary>Masks secrets in a line that may have SGR sequences, even inside a secret.</summary>
    /// <param name="text">The line.</param>
    /// <param name="carried">What stood before it in a line that a flush broke; empty for nothing.</param>
    /// <param name="unfinished">Where an unfinished secret begins, in the carried text and the line without its sequences.</param>
    public string Apply(string text, string carried, int unfinished)
    {
        int[]? map = null;
        var plain = text.Contains('\e', StringComparison.Ordinal) ? WithoutStyles(text, out map) : text;
        var searched = carried + plain;
        _secrets.Clear();
        Find(searched);
        if (unfinished >= 0)
        {
            _secrets.Add(unfinished..searched.Length);
        }

        for (var index = _secrets.Count - 1; index >= 0; index--)
        {
            var (start, end) = (_secrets[index].Start.Value - carried.Length, _secrets[index].End.Value - carried.Length);
            if (end <= 0)
            {
                _secrets.RemoveAt(index);
            }
            else
            {
                _secrets[index] = Math.Max(0, start)..end;
            }
        }

        return _secrets.Count == 0 ? text : Replace(text, map);
    }

    private void Find(ReadOnlySpan<char> text)
    {
        foreach (var redactor in redactors)
        {
            redactor.FindSecrets(text, _secrets);
        }
    }

    /// <summary>Puts a mask in place of each range found, overlapping ones as one.</summary>
    private string Replace(ReadOnlySpan<char> text, int[]? map)
    {
        _secrets.Sort(static (left, right) => left.Start.Value.CompareTo(right.Start.Value));
        var result = new StringBuilder(text.Length);
        var copied = 0;
        for (var index = 0; index < _secrets.Count;)
        {
            var (start, end) = (_secrets[index].Start.Value, _secrets[index].End.Value);
            for (index++; index < _secrets.Count && _secrets[index].Start.Value <= end; index++)
            {
                end = Math.Max(end, _secrets[index].End.Value);
            }

            var (from, to) = map is null ? (start, end) : (map[start], map[end - 1] + 1);
            result.Append(text[copied..from]).Append(Redactor.Mask);
            copied = to;
            if (map is not null)
            {
                AppendStyles(text[from..to], result);
            }
        }

        return result.Append(text[copied..]).ToString();
    }

    /// <summary>Keeps what a masked range did to the colours of what follows.</summary>
    private static void AppendStyles(ReadOnlySpan<char> text, StringBuilder result)
    {
        while (text.IndexOf('\e') is var start and >= 0)
        {
            var length = text[start..].IndexOf('m') + 1;
            result.Append(text.Slice(start, length));
            text = text[(start + length)..];
        }
    }

    /// <summary>The text without its SGR sequences, and where each of its characters stood.</summary>
    public static string WithoutStyles(string text, out int[] map)
    {
        var plain = new StringBuilder(text.Length);
        var positions = new List<int>(text.Length);
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] == '\e')
            {
                index = text.IndexOf('m', index);
                continue;
            }

            plain.Append(text[index]);
            positions.Add(index);
        }

        map = [.. positions];
        return plain.ToString();
    }
}
