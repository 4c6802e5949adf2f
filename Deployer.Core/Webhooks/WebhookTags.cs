using System.IO.Enumeration;

namespace Deployer.Core.Webhooks;

/// <summary>Which tags deploy: patterns separated by commas or blanks, with <c>*</c> for any characters: <c>v*, main</c>.</summary>
internal static class WebhookTags
{
    /// <summary>Longest text of patterns.</summary>
    public const int MaxLength = 256;

    /// <summary>Whether every pattern could match a tag.</summary>
    public static bool IsValid(string patterns) =>
        patterns.Length <= MaxLength && Split(patterns) is { Length: > 0 } all
            && all.All(pattern => pattern.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' or '*'));

    /// <summary>Whether a tag deploys.</summary>
    /// <param name="patterns">The patterns; <see langword="null"/> for the app's own tag alone.</param>
    /// <param name="own">The app's own tag.</param>
    /// <param name="tag">The tag.</param>
    public static bool Matches(string? patterns, string own, string tag) => patterns is null
        ? string.Equals(tag, own, StringComparison.Ordinal)
        : Array.Exists(Split(patterns), pattern => FileSystemName.MatchesSimpleExpression(pattern, tag, ignoreCase: false));

    private static string[] Split(string patterns) =>
        patterns.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
