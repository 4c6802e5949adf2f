using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;

namespace Deployer.Web.Features.Problems;

/// <summary>Says in words what kind of JSON value belongs at a place of a request body.</summary>
internal static partial class JsonKind
{
    /// <summary>The kind of value at a path.</summary>
    /// <param name="body">What the endpoint reads the body into.</param>
    /// <param name="path">Path as System.Text.Json gives it, e.g. <c>$.ports[0].container</c>, <c>$.env['a.b']</c>.</param>
    /// <param name="options">How the body is read.</param>
    public static string At(Type body, string path, JsonSerializerOptions options)
    {
        Type? type = body;
        foreach (Match segment in Segment().Matches(path))
        {
            type = type is null ? null : Inside(options.GetTypeInfo(type), segment.Groups["member"]);
        }

        return type is null ? "something else" : Word(Nullable.GetUnderlyingType(type) ?? type, options);
    }

    private static Type? Inside(JsonTypeInfo info, Group member) => info.Kind switch
    {
        JsonTypeInfoKind.Object => info.Properties.FirstOrDefault(property => property.Name == member.Value)?.PropertyType,
        JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary => info.ElementType,
        _ => null,
    };

    private static string Word(Type type, JsonSerializerOptions options) => type switch
    {
        { IsEnum: true } => $"one of {string.Join(", ", Enum.GetNames(type).Select(JsonNamingPolicy.SnakeCaseLower.ConvertName))}",
        _ when type == typeof(string) => "a text of whole Unicode characters",
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(int) || type == typeof(long) => "a whole number",
        _ when type == typeof(double) => "a number",
        _ when options.GetTypeInfo(type).Kind == JsonTypeInfoKind.Enumerable => "a list",
        _ when options.GetTypeInfo(type).Kind == JsonTypeInfoKind.Dictionary => "an object of texts",
        _ => "an object",
    };

    [GeneratedRegex(@"\.(?<member>[^.\[]+)|\['(?<member>.*?)'\]|\[(?<member>[0-9]+)\]", RegexOptions.ExplicitCapture | RegexOptions.Singleline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Segment();
}
