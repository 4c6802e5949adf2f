using System.Text.RegularExpressions;

namespace Deployer.Web.Features.Deployments;

/// <summary>Lines of a log where nobody shows their colours.</summary>
internal static partial class PlainText
{
    [GeneratedRegex("\\x1B\\[[0-9;:]*m", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Colour { get; }

    /// <summary>The text without the sequences that set colours, the only ones that a log keeps.</summary>
    public static string Of(string line) => Colour.Replace(line, "");
}
