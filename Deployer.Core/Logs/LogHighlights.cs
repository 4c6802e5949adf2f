using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Deployer.Core.Logs;

/// <summary>Where a query's text stands in a line.</summary>
/// <param name="Start">First character, in UTF-16 units of the plain text.</param>
/// <param name="Length">How many characters; at least one.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct LogHighlight(int Start, int Length);

/// <summary>Finds what to highlight in lines that a search gave.</summary>
public sealed class LogHighlights
{
    private const int Most = 200;

    private readonly LogQuery _query;
    private readonly Regex? _regex;

    /// <param name="query">What was looked for; valid.</param>
    public LogHighlights(LogQuery query)
    {
        _query = query;
        _regex = query.IsRegex ? LogMatcher.ToRegex(query) : null;
    }

    /// <summary>A line's text without its colours.</summary>
    public static string Plain(string text) =>
        text.Contains('\e', StringComparison.Ordinal) ? SecretMask.WithoutStyles(text, out _) : text;

    /// <summary>The first matches in a plain text, ascending, none overlapping another; none where looking takes too long.</summary>
    public IReadOnlyList<LogHighlight> Find(string plain)
    {
        var found = new List<LogHighlight>();
        if (_regex is null)
        {
            var comparison = _query.MatchCase ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
            for (var at = plain.IndexOf(_query.Text, comparison); at >= 0 && found.Count < Most; at = plain.IndexOf(_query.Text, at + _query.Text.Length, comparison))
            {
                found.Add(new LogHighlight(at, _query.Text.Length));
            }

            return found;
        }

        try
        {
            foreach (var match in _regex.EnumerateMatches(plain))
            {
                if (match.Length > 0 && found.Count < Most)
                {
                    found.Add(new LogHighlight(match.Index, match.Length));
                }
            }

            return found;
        }
        catch (RegexMatchTimeoutException)
        {
            return [];
        }
    }
}
