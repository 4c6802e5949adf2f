using System.Text.Json;
using System.Text.Json.Nodes;
using Deployer.Core.Data;

namespace Deployer.Core.Deployments;

/// <summary>A value of two deployments.</summary>
/// <param name="Field">Its name as in the API, e.g. <c>image</c>, <c>env.MODE</c>, <c>memory_mb</c>.</param>
/// <param name="One">What the one deployment has, as JSON without quotes; <see langword="null"/> for nothing.</param>
/// <param name="Other">What the other has.</param>
public sealed record ComparedField(string Field, string? One, string? Other)
{
    /// <summary>Whether they differ.</summary>
    public bool Differs => !string.Equals(One, Other, StringComparison.Ordinal);
}

/// <summary>How long a step took in two deployments.</summary>
/// <param name="Step">The step; <see langword="null"/> for the whole, from claim to end.</param>
/// <param name="OneSeconds">In the one; <see langword="null"/> where it did not run to its end.</param>
/// <param name="OtherSeconds">In the other.</param>
public sealed record ComparedDuration(StepKind? Step, double? OneSeconds, double? OtherSeconds);

/// <summary>Two deployments side by side: image, digest, every field of the spec with secrets by name, and durations.</summary>
/// <param name="Fields">The fields, image and digest first.</param>
/// <param name="Durations">The whole, then each step.</param>
public sealed record DeploymentComparison(IReadOnlyList<ComparedField> Fields, IReadOnlyList<ComparedDuration> Durations)
{
    /// <summary>Compares two deployments.</summary>
    public static DeploymentComparison Of(DeploymentView one, DeploymentView other)
    {
        var (left, right) = (Flatten(one), Flatten(other));
        return new DeploymentComparison(
            [.. left.Keys.Union(right.Keys, StringComparer.Ordinal).Select(field => new ComparedField(field, left.GetValueOrDefault(field), right.GetValueOrDefault(field)))],
            [
                new ComparedDuration(null, Took(one.StartedAt, one.EndedAt), Took(other.StartedAt, other.EndedAt)),
                .. Enum.GetValues<StepKind>().Select(kind => new ComparedDuration(kind, Took(one, kind), Took(other, kind))),
            ]);
    }

    // {"image":"web:v1","env":{"MODE":"fast"},"secrets":["TOKEN"],"ports":[{"container":80,"host":null}]} becomes
    // image, digest, env.MODE, secrets, ports. What a spec leaves at nothing is nothing here.
    private static Dictionary<string, string?> Flatten(DeploymentView deployment)
    {
        var fields = new Dictionary<string, string?>(StringComparer.Ordinal) { ["image"] = deployment.Image, ["digest"] = deployment.Digest };
        foreach (var (name, value) in JsonSerializer.SerializeToNode(deployment.Spec, DeployerJson.Options)!.AsObject())
        {
            if (value is JsonObject pairs && name is "env" or "labels" or "health")
            {
                foreach (var (key, inner) in (value as JsonObject)!)
                {
                    fields[$"{name}.{key}"] = Text(inner);
                }
            }
            else if (name != "image")
            {
                fields[name] = Text(value);
            }
        }

        return fields;
    }

    private static string? Text(JsonNode? value) => value switch
    {
        null or JsonArray { Count: 0 } or JsonObject { Count: 0 } => null,
        JsonArray list when list.All(entry => entry is JsonValue) => string.Join(", ", list.Select(Text)),
        JsonArray list => string.Join(", ", list.Select(entry => entry is JsonObject pairs
            ? string.Join(' ', pairs.Select(pair => $"{pair.Key} {Text(pair.Value) ?? "none"}"))
            : Text(entry))),
        JsonValue single when single.TryGetValue<string>(out var text) => text,
        _ => value.ToJsonString(DeployerJson.Options),
    };

    private static double? Took(DeploymentView deployment, StepKind kind) =>
        deployment.Steps.FirstOrDefault(step => step.Kind == kind) is { State: StepState.Succeeded or StepState.Failed or StepState.Canceled } step
            ? Took(step.StartedAt, step.EndedAt)
            : null;

    private static double? Took(NodaTime.Instant? from, NodaTime.Instant? to) => from is { } began && to is { } ended ? (ended - began).TotalSeconds : null;
}
