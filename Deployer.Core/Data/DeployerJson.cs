using System.Text.Json;
using System.Text.Json.Serialization;

namespace Deployer.Core.Data;

/// <summary>The one way Deployer writes JSON, in the database and on the wire: snake_case, enums as words, instants by RFC 3339.</summary>
public static class DeployerJson
{
    /// <summary>Shared options; read-only.</summary>
    public static JsonSerializerOptions Options { get; } = Create();

    /// <summary>Applies the same conventions to another set of options.</summary>
    public static void Apply(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.PropertyNameCaseInsensitive = false;
        options.Converters.Add(new Rfc3339JsonConverter());
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false));
    }

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        Apply(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
