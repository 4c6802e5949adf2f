using System.Text.Json.Serialization;
using Deployer.Core.Logs;
using NodaTime.Text;

namespace Deployer.Web.Features.Console;

/// <summary>A line as the pane's module gets it from the circuit: the same shape as a line of the logs API.</summary>
internal sealed record WireLine(
    [property: JsonPropertyName("line")] long Line,
    [property: JsonPropertyName("created_at")] string CreatedAt,
    [property: JsonPropertyName("stream")] string Stream,
    [property: JsonPropertyName("step")] string Step,
    [property: JsonPropertyName("output")] string Output)
{
    private static readonly InstantPattern Nanoseconds =
        InstantPattern.CreateWithInvariantCulture("uuuu'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffff'Z'");

    /// <summary>Makes it from a stored line.</summary>
    public static WireLine Of(LogLine line) => new(
        line.Line, Nanoseconds.Format(line.Time), LineFilter.NameOf(line.Stream), LineFilter.NameOf(line.Step), line.Text);
}
