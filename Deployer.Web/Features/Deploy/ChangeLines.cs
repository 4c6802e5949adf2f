using System.Text.Json.Nodes;
using Deployer.Core.Deployments;
using Deployer.Web.Features.Deployments;

namespace Deployer.Web.Features.Deploy;

/// <summary>One change in the words of a person.</summary>
/// <param name="What">What changes.</param>
/// <param name="Before">As it is now; <see langword="null"/> where it is not there.</param>
/// <param name="After">As it will be; <see langword="null"/> where it will not be there.</param>
public sealed record ChangeLine(string What, string? Before, string? After);

/// <summary>Tells differences of specs entry by entry, instead of field by field.</summary>
internal static class ChangeLines
{
    /// <summary>The changes, in the order of the fields.</summary>
    public static IReadOnlyList<ChangeLine> Of(IEnumerable<SpecDifference> differences) => [.. differences.SelectMany(Of)];

    private static IEnumerable<ChangeLine> Of(SpecDifference difference)
    {
        var (before, after) = (Parse(difference.Current), Parse(difference.Restored));
        var name = Name(difference.Field);
        if ((before is JsonObject || after is JsonObject) && difference.Field is "env" or "labels")
        {
            return Entries(name, before as JsonObject ?? [], after as JsonObject ?? []);
        }

        if (before is JsonArray || after is JsonArray)
        {
            var was = Items(before);
            var becomes = Items(after);
            return was.Count == 0 && becomes.Count == 0 ? [] : difference.Field is "command"
                ? [new ChangeLine(name, Join(was, " "), Join(becomes, " "))]
                : [.. was.Except(becomes, StringComparer.Ordinal).Select(item => new ChangeLine(name, item, null)),
                   .. becomes.Except(was, StringComparer.Ordinal).Select(item => new ChangeLine(name, null, item))];
        }

        return difference.Field is "image"
            ? [new ChangeLine(name, ShortImage(before), ShortImage(after))]
            : [new ChangeLine(name, Text(before), Text(after))];
    }

    private static string? ShortImage(JsonNode? image) => Text(image) is { } reference ? ImageText.WithShortDigest(reference) : null;

    private static IEnumerable<ChangeLine> Entries(string name, JsonObject before, JsonObject after) =>
        before.Select(pair => pair.Key).Union(after.Select(pair => pair.Key), StringComparer.Ordinal)
            .Where(key => Text(before[key]) != Text(after[key]))
            .Select(key => new ChangeLine($"{name} {key}", Text(before[key]), Text(after[key])));

    private static List<string> Items(JsonNode? node) => node is JsonArray array ? [.. array.Select(item => Text(item) ?? "")] : [];

    private static string? Join(List<string> items, string between) => items.Count == 0 ? null : string.Join(between, items);

    // {"container":8080,"host":0} → container 8080, host 0
    private static string? Text(JsonNode? node) => node switch
    {
        null => null,
        JsonObject fields => string.Join(", ", fields.Where(field => field.Value is not null).Select(field => $"{field.Key.Replace('_', ' ')} {Text(field.Value)}")),
        JsonArray items => string.Join(", ", items.Select(Text)),
        _ => node.ToString(),
    };

    private static JsonNode? Parse(string? json) => json is null ? null : JsonNode.Parse(json);

    private static string Name(string field) => field switch
    {
        "env" => "Variable",
        "labels" => "Label",
        "secrets" => "Secret",
        "ports" => "Port",
        "volumes" => "Volume",
        "networks" => "Network",
        "hosts" => "Host name",
        "health" => "Health check",
        "memory_mb" => "Memory (MiB)",
        "cpus" => "CPUs",
        "when_queued" => "When queued",
        "stop_grace_seconds" => "Stop grace (s)",
        "read_only_root" => "Read-only root",
        _ => char.ToUpperInvariant(field[0]) + field[1..].Replace('_', ' '),
    };
}
