using System.Text.Json;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;

namespace Deployer.Web.Features.Console;

/// <summary>Which lines of a log are shown.</summary>
/// <param name="Stream">Those of this stream alone; <see langword="null"/> for all.</param>
/// <param name="Step">Those of this step alone; <see langword="null"/> for all.</param>
public sealed record LineFilter(LogStream? Stream, StepKind? Step)
{
    /// <summary>All lines.</summary>
    public static LineFilter All { get; } = new(null, null);

    /// <summary>Whether it lets a line through.</summary>
    public bool Matches(LogLine line) => (Stream is null || line.Stream == Stream) && (Step is null || line.Step == Step);

    /// <summary>Reads what stands in an address, e.g. <c>stderr</c> and <c>health_check</c>; what is none of these counts as nothing.</summary>
    public static LineFilter Parse(string? stream, string? step) => new(Find<LogStream>(stream), Find<StepKind>(step));

    /// <summary>The name of a stream or step as it stands in an address.</summary>
    public static string NameOf<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    private static T? Find<T>(string? name)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (NameOf(value) == name)
            {
                return value;
            }
        }

        return null;
    }
}

/// <summary>Lines that a filter lets through.</summary>
/// <param name="Runs">Their numbers as runs: first and last, first and last …, ascending.</param>
/// <param name="CaughtUp">Whether all that is stored now has been looked at.</param>
public sealed record FilteredLines(IReadOnlyList<long> Runs, bool CaughtUp);
