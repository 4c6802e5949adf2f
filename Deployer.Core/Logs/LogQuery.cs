using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Deployer.Core.Deployments;
using NodaTime;

namespace Deployer.Core.Logs;

/// <summary>What to look for in logs.</summary>
/// <param name="Text">Part of a line as it is shown (without colours), or a .NET regular expression.</param>
/// <param name="IsRegex">Whether <paramref name="Text"/> is a regular expression. It is matched line by line.</param>
/// <param name="MatchCase">Whether upper and lower case differ.</param>
public sealed record LogQuery(string Text, bool IsRegex, bool MatchCase)
{
    /// <summary>Longest text or expression, in UTF-16 characters.</summary>
    public const int MaxLength = 1_000;

    /// <summary>Only lines of this stream.</summary>
    public LogStream? Stream { get; init; }

    /// <summary>Only lines of this step.</summary>
    public StepKind? Step { get; init; }

    /// <summary>Only lines of this time or later.</summary>
    public Instant? Since { get; init; }

    /// <summary>Only lines before this time.</summary>
    public Instant? Until { get; init; }

    /// <summary>Checks the query.</summary>
    /// <param name="problem">What is wrong with <see cref="Text"/>, for people.</param>
    public bool IsValid([NotNullWhen(false)] out string? problem)
    {
        problem = Text.Length switch
        {
            0 => "Nothing to look for: give a text or a regular expression.",
            > MaxLength => $"At most {MaxLength} characters can be looked for.",
            _ when !IsRegex && Text.Contains('\n', StringComparison.Ordinal) => "A line ends where a new one begins: look for a part of one line.",
            _ => null,
        };
        if (problem is null && IsRegex)
        {
            try
            {
                _ = LogMatcher.ToRegex(this);
            }
            catch (ArgumentException exception)
            {
                problem = $"Not a regular expression: {exception.Message}";
            }
        }

        return problem is null;
    }
}

/// <summary>Finds a query's text in a line.</summary>
internal abstract class LogMatcher
{
    private static readonly TimeSpan LineTimeout = TimeSpan.FromMilliseconds(250);

    /// <summary>Texts that every matching line holds, in any case.</summary>
    public abstract IReadOnlyList<string> Literals { get; }

    /// <summary>Whether a line took too long by itself and was passed over.</summary>
    public bool PassedOver { get; protected set; }

    /// <summary>What finds a query's text.</summary>
    /// <param name="query">What to look for; valid.</param>
    /// <param name="limit">Asked before each line that can take long.</param>
    public static LogMatcher Create(LogQuery query, LogScanLimit limit) => query.IsRegex ? new OfRegex(query, limit) : new OfText(query);

    /// <summary>Finds the first line with a match, from a position on.</summary>
    /// <param name="lines">Lines, each ended by LF.</param>
    /// <param name="position">
    /// Where to begin: the start of a line. Then a position in the line with the match, or else the start of the first line
    /// that was not looked at: the end, unless the time is up.
    /// </param>
    /// <returns>Whether there is such a line.</returns>
    public abstract bool Find(ReadOnlySpan<char> lines, ref int position);

    /// <summary>The expression, with an engine that cannot explode where the pattern allows it.</summary>
    /// <exception cref="ArgumentException">It is not a regular expression.</exception>
    internal static Regex ToRegex(LogQuery query)
    {
        var regexOptions = RegexOptions.CultureInvariant | (query.MatchCase ? RegexOptions.None : RegexOptions.IgnoreCase);
        try
        {
            return new Regex(query.Text, regexOptions | RegexOptions.NonBacktracking, LineTimeout);
        }
        catch (NotSupportedException)
        {
            // Look-around, back-references and atomic groups need backtracking; the timeout bounds it.
            return new Regex(query.Text, regexOptions, LineTimeout);
        }
    }

    private sealed class OfText(LogQuery query) : LogMatcher
    {
        private readonly SearchValues<string> _text = SearchValues.Create(
            [query.Text], query.MatchCase ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase);

        public override IReadOnlyList<string> Literals { get; } = [query.Text];

        public override bool Find(ReadOnlySpan<char> lines, ref int position)
        {
            var found = lines[position..].IndexOfAny(_text);
            position = found < 0 ? lines.Length : position + found;
            return found >= 0;
        }
    }

    private sealed class OfRegex(LogQuery query, LogScanLimit limit) : LogMatcher
    {
        private readonly Regex _regex = ToRegex(query);

        public override IReadOnlyList<string> Literals { get; } = RegexLiterals.Find(query.Text);

        public override bool Find(ReadOnlySpan<char> lines, ref int position)
        {
            while (position < lines.Length && limit.HasTime())
            {
                var end = position + lines[position..].IndexOf('\n');
                var matches = IsMatch(lines[position..end]);
                limit.Looked();
                if (matches)
                {
                    return true;
                }

                position = end + 1;
            }

            return false;
        }

        // One line on which the expression explodes must not hide those that come after it.
        private bool IsMatch(ReadOnlySpan<char> line)
        {
            try
            {
                return _regex.IsMatch(line);
            }
            catch (RegexMatchTimeoutException)
            {
                PassedOver = true;
                return false;
            }
        }
    }
}

/// <summary>
/// Texts that whatever matches a regular expression must hold, so that the index can narrow the search. Sure of what it
/// says, not complete: an expression with alternatives or inline options gives none. Sample: <c>^error: \d+ of (a|b)
/// files?</c> gives nothing because of <c>|</c>; <c>^error: \d+ of files?</c> gives <c>error: </c>, <c> of file</c>.
/// </summary>
internal static class RegexLiterals
{
    private const string Special = "\\^$.[]()*+?{}|";

    public static IReadOnlyList<string> Find(string pattern)
    {
        if (pattern.Contains('|', StringComparison.Ordinal) || pattern.Contains("(?", StringComparison.Ordinal))
        {
            return [];
        }

        var literals = new List<string>();
        var literal = "";
        for (var index = 0; index < pattern.Length; index++)
        {
            var character = pattern[index];
            switch (character)
            {
                case '\\':
                    // An escape is a class, an anchor or one character; it takes more than two characters only as a number or name.
                    End();
                    index++;
                    while (index + 1 < pattern.Length && (char.IsLetterOrDigit(pattern[index + 1]) || pattern[index + 1] is '{' or '}' or '<' or '>' or '\''))
                    {
                        index++;
                    }

                    break;
                case '[':
                    End();
                    index = Math.Max(index, EndOfClass(pattern, index));
                    break;
                case '(':
                    End();
                    index = EndOfGroup(pattern, index);
                    break;
                case '*' or '?' or '{':
                    literal = literal.Length > 0 ? literal[..^1] : literal;
                    End();
                    while (character == '{' && index < pattern.Length && pattern[index] != '}')
                    {
                        index++;
                    }

                    break;
                case var special when Special.Contains(special, StringComparison.Ordinal):
                    End();
                    break;
                default:
                    literal += character;
                    break;
            }
        }

        End();
        return literals;

        void End()
        {
            if (literal.Length > 0)
            {
                literals.Add(literal);
            }

            literal = "";
        }
    }

    private static int EndOfClass(string pattern, int start)
    {
        var depth = 0;
        for (var index = start; index < pattern.Length; index++)
        {
            switch (pattern[index])
            {
                case '\\':
                    index++;
                    break;
                case '[':
                    depth++;

                    // A bracket that stands first is a member of the class.
                    index += pattern.AsSpan(index + 1) switch { ['^', ']', ..] => 2, [']', ..] => 1, _ => 0 };
                    break;
                case ']' when --depth == 0:
                    return index;
            }
        }

        return pattern.Length;
    }

    private static int EndOfGroup(string pattern, int start)
    {
        var depth = 0;
        for (var index = start; index < pattern.Length; index++)
        {
            switch (pattern[index])
            {
                case '\\':
                    index++;
                    break;
                case '[':
                    index = EndOfClass(pattern, index);
                    break;
                case '(':
                    depth++;
                    break;
                case ')' when --depth == 0:
                    return index;
            }
        }

        return pattern.Length;
    }
}
