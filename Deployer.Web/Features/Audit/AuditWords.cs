using System.Text.Encodings.Web;
using System.Text.Json;

namespace Deployer.Web.Features.Audit;

/// <summary>The audit log in words and links for people.</summary>
internal static class AuditWords
{
    // Shown as text, which the page escapes by itself.
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly (string Family, string Words)[] Known =
    [
        ("app", "apps"), ("deployment", "deployments"), ("secret", "secrets"), ("registry", "registries"), ("environment", "environments"),
        ("freeze", "freezes"), ("log", "downloads of logs"), ("person", "people and roles"), ("session", "sign-ins"), ("passkey", "passkeys"),
        ("token", "tokens"), ("webhook", "webhooks"), ("notification", "notifications"), ("comment", "comments"), ("audit", "exports of this log"),
    ];

    /// <summary>Families of actions, for a filter.</summary>
    public static IEnumerable<string> Families => Known.Select(known => known.Family);

    /// <summary>A family in words.</summary>
    public static string Family(string? family) =>
        family is null ? "everything" : Known.FirstOrDefault(known => known.Family == family).Words ?? family;

    /// <summary>Where a subject is shown; <see langword="null"/> where nowhere.</summary>
    public static string? Address(string subject) => subject.Split(':', 2) switch
    {
        ["app", var name] => $"/apps/{Uri.EscapeDataString(name)}",
        ["deployment", var id] => $"/deployments/{Uri.EscapeDataString(id)}",
        _ => null,
    };

    /// <summary>JSON, indented.</summary>
    public static string Pretty(string json) => JsonSerializer.Serialize(JsonSerializer.Deserialize<JsonElement>(json), Indented);
}
