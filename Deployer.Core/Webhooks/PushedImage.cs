using System.Globalization;
using System.Text.Json;
using Deployer.Core.Data;
using NodaTime;

namespace Deployer.Core.Webhooks;

/// <summary>What a delivery tells of.</summary>
/// <param name="Source">Who sent it, by the form of its body: <c>Docker Hub</c>, <c>GitHub packages</c>, <c>registry</c>.</param>
/// <param name="Pushes">Images that were pushed, oldest first; none for a trial delivery.</param>
internal sealed record WebhookNews(string Source, IReadOnlyList<PushedImage> Pushes);

/// <summary>An image that was pushed to a registry.</summary>
/// <param name="Domain">
/// The registry; <see langword="null"/> where the sender does not know under which name others reach it.
/// </param>
/// <param name="Path">Repository path, e.g. <c>team/web</c>.</param>
/// <param name="Tag">Tag.</param>
/// <param name="At">When, as the sender says; <see langword="null"/> where it does not.</param>
internal sealed record PushedImage(string? Domain, string Path, string Tag, Instant? At);

/// <summary>Reads the bodies that registries and repositories send.</summary>
internal static class PushedImageReader
{
    private const string DockerHub = "Docker Hub";
    private const string GitHub = "GitHub packages";
    private const string Distribution = "registry";

    /// <summary>What a body tells of; <see langword="null"/> when it has none of the known forms.</summary>
    public static WebhookNews? Read(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        if (Object(body, "push_data") is { } push && Object(body, "repository") is { } repository)
        {
            return ReadDockerHub(push, repository);
        }

        if ((Object(body, "registry_package") ?? Object(body, "package")) is { } package)
        {
            return ReadGitHub(package, Text(body, "action"));
        }

        if (body.TryGetProperty("events", out var events) && events.ValueKind == JsonValueKind.Array)
        {
            return new WebhookNews(Distribution, [.. events.EnumerateArray().Select(ReadDistribution).OfType<PushedImage>()]);
        }

        // {"zen":"Keep it logically awesome.","hook_id":1,…}: what GitHub sends when a webhook is made.
        return Text(body, "zen") is not null ? new WebhookNews(GitHub, []) : null;
    }

    // {"push_data":{"pushed_at":1417566161,"tag":"v2"},"repository":{"repo_name":"team/web"}}
    // https://docs.docker.com/docker-hub/repos/manage/webhooks/
    private static WebhookNews ReadDockerHub(JsonElement push, JsonElement repository) =>
        new(DockerHub, Text(repository, "repo_name") is { } path && Text(push, "tag") is { } tag
            ? [new PushedImage(Engine.ImageReference.DefaultDomain, path, tag, UnixTime(push, "pushed_at"))]
            : []);

    // {"action":"published","registry_package":{"name":"web","namespace":"team","package_type":"CONTAINER","updated_at":"…",
    //  "package_version":{"package_url":"ghcr.io/team/web:v2","container_metadata":{"tag":{"name":"v2","digest":"sha256:…"}}}}}
    // https://docs.github.com/en/webhooks/webhook-events-and-payloads#registry_package
    private static WebhookNews ReadGitHub(JsonElement package, string? action)
    {
        var version = Object(package, "package_version");
        var tag = version is { } known && Object(known, "container_metadata") is { } container && Object(container, "tag") is { } tagged
            ? Text(tagged, "name")
            : null;
        var owner = Text(package, "namespace") ?? (Object(package, "owner") is { } person ? Text(person, "login") : null);
        if (action is not ("published" or "updated") || string.IsNullOrEmpty(tag) || Text(package, "name") is not { } name || owner is null)
        {
            return new WebhookNews(GitHub, []);
        }

        // The version's own time: the package's is when its description changed last.
        var at = Rfc3339Time(version, "updated_at") ?? Rfc3339Time(version, "created_at") ?? Rfc3339Time(package, "updated_at");
        return new WebhookNews(GitHub, [new PushedImage("ghcr.io", $"{owner}/{name}".ToLowerInvariant(), tag, at)]);
    }

    // {"id":"…","timestamp":"2026-01-31T08:15:30.1Z","action":"push","target":{"repository":"team/web","tag":"v2"}}
    // https://distribution.github.io/distribution/about/notifications/
    private static PushedImage? ReadDistribution(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object && Text(item, "action") == "push"
            && Object(item, "target") is { } target && Text(target, "repository") is { } path && Text(target, "tag") is { Length: > 0 } tag
            ? new PushedImage(Domain: null, path, tag, Rfc3339Time(item, "timestamp"))
            : null;

    private static JsonElement? Object(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var child) && child.ValueKind == JsonValueKind.Object ? child : null;

    private static string? Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var child) && child.ValueKind == JsonValueKind.String ? TryGetString(child) : null;

    private static string? TryGetString(JsonElement text)
    {
        try
        {
            return text.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair.
            return null;
        }
    }

    private static Instant? UnixTime(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var child) && child.ValueKind == JsonValueKind.Number && child.TryGetInt64(out var seconds)
            && seconds is > 0 and < 9_000_000_000
            ? Instant.FromUnixTimeSeconds(seconds)
            : null;

    private static Instant? Rfc3339Time(JsonElement? parent, string name) =>
        parent is { } known && Text(known, name) is { } text && Rfc3339.TryParse(text, out var instant, out _) ? instant : null;
}
