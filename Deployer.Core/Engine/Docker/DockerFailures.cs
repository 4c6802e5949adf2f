using System.Net;
using System.Text.Json;
using Deployer.Core.Deployments;
using Docker.DotNet;

namespace Deployer.Core.Engine.Docker;

/// <summary>
/// Tells what kind of failure the engine reports. Its API has no codes for that, and the HTTP status of the same failure
/// differs between engines and image stores (a wrong password is 401 or 500, a missing platform 200 or 404), so the text
/// decides before the status does.
/// </summary>
internal static class DockerFailures
{
    private static readonly string[] RateLimited = ["toomanyrequests", "too many requests", "rate limit"];

    private static readonly string[] DiskFull = ["no space left on device", "disk quota exceeded"];

    private static readonly string[] PlatformMismatch =
    [
        "no matching manifest for",
        "no match for platform",
        "does not match the specified platform",
        "cannot be used on this platform",
    ];

    private static readonly string[] AccessDenied =
    [
        "no basic auth credentials",
        "unauthorized",
        "authentication required",
        "access denied",
        "access to the resource is denied",
        "access forbidden",
        "403 forbidden",
        ": denied", // "Head \"https://…\": denied" and "denied: denied", but not "permission denied"
        "incorrect username or password",
    ];

    private static readonly string[] ImageNotFound =
    [
        "manifest unknown",
        "name unknown",
        "no such image",
        "not found",
    ];

    private static readonly string[] RegistryUnreachable =
    [
        "dial tcp",
        "no such host",
        "connection refused",
        "connection reset",
        "network is unreachable",
        "i/o timeout",
        "tls handshake timeout",
        "deadline exceeded",
        "client.timeout exceeded",
        "request canceled while waiting",
        "server gave http response to https client",
        "x509:",
        "unexpected eof",
        ": eof",
        "unexpected http status: 5",
        "unexpected status from",
    ];

    private static readonly string[] PortInUse = ["port is already allocated", "address already in use", "ports are not available"];

    // The engine's own words when it is stopped while it pulls; a cancel of ours never gets as far as an answer.
    private static readonly string[] BrokenOff = ["context canceled", "operation was canceled"];

    /// <summary>What a failed pull means.</summary>
    /// <param name="status">HTTP status; <see langword="null"/> for an error reported inside the stream.</param>
    /// <param name="text">The engine's message.</param>
    public static FailureCode OfPull(HttpStatusCode? status, string text)
    {
        return text switch
        {
            _ when Mentions(text, RateLimited) => FailureCode.RateLimited,
            _ when Mentions(text, DiskFull) => FailureCode.DiskFull,
            _ when Mentions(text, PlatformMismatch) => FailureCode.PlatformMismatch,
            _ when Mentions(text, AccessDenied) => FailureCode.AccessDenied,
            _ when Mentions(text, RegistryUnreachable) => FailureCode.RegistryUnreachable,
            _ when Mentions(text, ImageNotFound) => FailureCode.ImageNotFound,
            _ when Mentions(text, BrokenOff) => FailureCode.EngineUnreachable,
            _ => status switch
            {
                HttpStatusCode.TooManyRequests => FailureCode.RateLimited,
                HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => FailureCode.AccessDenied,
                HttpStatusCode.NotFound => FailureCode.ImageNotFound,
                _ => FailureCode.Internal,
            },
        };
    }

    /// <summary>What it means that a container could not be created or started.</summary>
    /// <param name="status">HTTP status; it says nothing here: 400, 404, 409 and 500 are all in use.</param>
    /// <param name="text">The engine's message.</param>
    public static FailureCode OfStart(HttpStatusCode? status, string text)
    {
        return text switch
        {
            _ when Mentions(text, PortInUse) => FailureCode.PortInUse,
            _ when Mentions(text, DiskFull) => FailureCode.DiskFull,
            _ when text.Contains("No such image", StringComparison.OrdinalIgnoreCase) => FailureCode.ImageNotFound,
            _ => FailureCode.ContainerExited,
        };
    }

    /// <summary>What any other refused request means.</summary>
    /// <param name="status">HTTP status; callers look at it where it matters.</param>
    /// <param name="text">The engine's message.</param>
    public static FailureCode OfRequest(HttpStatusCode? status, string text) =>
        Mentions(text, DiskFull) ? FailureCode.DiskFull : FailureCode.Internal;

    /// <summary>The message of an error answer, whose body is <c>{"message":"…"}</c>; the whole body where it is not.</summary>
    public static string MessageOf(DockerApiException exception)
    {
        var body = exception.ResponseBody;
        if (string.IsNullOrWhiteSpace(body))
        {
            return $"The engine answered with status {(int)exception.StatusCode}.";
        }

        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("message", out var message)
                && message.ValueKind == JsonValueKind.String
                ? message.GetString()!.Trim()
                : body.Trim();
        }
        catch (JsonException)
        {
            return body.Trim(); // a proxy before the engine answers in words of its own
        }
    }

    private static bool Mentions(string text, string[] phrases) =>
        phrases.Any(phrase => text.Contains(phrase, StringComparison.OrdinalIgnoreCase));
}
