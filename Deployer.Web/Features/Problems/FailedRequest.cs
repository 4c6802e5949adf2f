using System.Text.Json;
using System.Text.RegularExpressions;
using Deployer.Core.Access;
using Deployer.Core.Data;
using Deployer.Core.Engine;
using Deployer.Core.Logs;
using Deployer.Core.Secrets;
using Deployer.Web.Features.Security;
using Deployer.Web.Startup;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Options;

namespace Deployer.Web.Features.Problems;

/// <summary>Says in words why a request failed which no endpoint answered.</summary>
internal static partial class FailedRequest
{
    /// <summary>How System.Text.Json begins what it says of a value of the wrong kind.</summary>
    private const string WrongKind = "The JSON value could not be converted";

    /// <summary>Whether the caller or something outside Deployer is the cause, so that the server's log need not hold a stack trace.</summary>
    public static bool IsExpected(Exception exception) => exception is BadHttpRequestException or EngineException or AccessDeniedException;

    /// <summary>The problem for an exception that an endpoint raised.</summary>
    public static ProblemHttpResult Explain(HttpContext context, IExceptionHandlerFeature failure) => failure.Error switch
    {
        BadHttpRequestException { InnerException: JsonException json } => ExplainJson(
            json,
            failure.Endpoint?.Metadata.GetMetadata<IAcceptsMetadata>()?.RequestType,
            context.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => TooLarge(),
        BadHttpRequestException { StatusCode: StatusCodes.Status415UnsupportedMediaType } => WrongMediaType(),
        BadHttpRequestException bad when bad.StatusCode == StatusCodes.Status400BadRequest && bad.Message.Contains("parameter", StringComparison.Ordinal) =>
            Problem.Invalid("body", "The request body is missing; send a JSON object with Content-Type: application/json."),
        BadHttpRequestException bad => Problem.Of(bad.StatusCode, "bad_request", bad.Message),
        AccessDeniedException denied => Refusals.Denied($"{denied.Message} Ask an owner to grant it, or use a token that has it."),
        EngineException engine => Problem.Of(
            StatusCodes.Status503ServiceUnavailable, "engine_unavailable", $"{engine.Message} Start it or set Engine:Endpoint, then try again."),
        SecretUnreadableException secret => Problem.Of(StatusCodes.Status503ServiceUnavailable, "secret_unreadable", secret.Message),
        LogStoreException store => Problem.Of(
            StatusCodes.Status503ServiceUnavailable, "log_store_unavailable", $"{store.Message} Check the disk of Data:Directory, then try again."),
        var error when DatabaseFault.Explain(error) is { } fault => Problem.Of(StatusCodes.Status503ServiceUnavailable, "database_unavailable", fault),
        _ => Problem.Of(
            StatusCodes.Status500InternalServerError, "internal",
            $"A fault in Deployer; the server's log holds the details under the request {context.TraceIdentifier}."),
    };

    /// <summary>The problem for a status without a body.</summary>
    public static ProblemHttpResult Explain(HttpContext context)
    {
        var request = context.Request;
        var status = context.Response.StatusCode;
        return status switch
        {
            StatusCodes.Status404NotFound => Problem.Unknown("not_found", $"There is nothing at {request.Path}; /openapi/v1.json describes the API."),
            StatusCodes.Status405MethodNotAllowed => Problem.Of(
                status, "method_not_allowed", $"{request.Method} is not possible at {request.Path}; it takes {context.Response.Headers.Allow}."),
            StatusCodes.Status413PayloadTooLarge => TooLarge(),
            StatusCodes.Status415UnsupportedMediaType => WrongMediaType(),
            _ => Problem.Of(status, "refused", $"{request.Method} {request.Path} was refused with status {status}; /openapi/v1.json describes the API."),
        };
    }

    private static ProblemHttpResult TooLarge() => Problem.Of(
        StatusCodes.Status413PayloadTooLarge, "too_large", $"The request body is too large; at most {Listening.MaxRequestBytes} bytes are taken.");

    private static ProblemHttpResult WrongMediaType() => Problem.Of(
        StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type", "The request body is taken as JSON alone; send it with Content-Type: application/json.");

    private static ProblemHttpResult ExplainJson(JsonException json, Type? body, JsonSerializerOptions options)
    {
        // Path as System.Text.Json gives it: "$.ports[0].container", "$.env['a.b']".
        var path = json.Path is null or "$" ? "" : json.Path.StartsWith("$.", StringComparison.Ordinal) ? json.Path[2..] : json.Path[1..];
        if (UnknownMember().Match(json.Message) is { Success: true } unknown)
        {
            var member = unknown.Groups["member"].Value;
            return Problem.Invalid(
                Under(path, member), $"There is no field '{member}' here; remove it, or see /openapi/v1.json for the fields and their spelling.");
        }

        if (DoubledMember().Match(json.Message) is { Success: true } doubled)
        {
            return Problem.Invalid(Under(path, doubled.Groups["member"].Value), "The field is given twice; leave one out.");
        }

        return json.Message.StartsWith(WrongKind, StringComparison.Ordinal) && body is not null
            ? Problem.Invalid(path.Length == 0 ? "body" : path, $"The value cannot be read; {JsonKind.At(body, json.Path ?? "$", options)} belongs here.")
            : Problem.Invalid(
                path.Length == 0 ? "body" : path,
                $"The request body is not JSON: see line {json.LineNumber + 1 ?? 1}, byte {json.BytePositionInLine + 1 ?? 1}.");
    }

    private static string Under(string path, string member) =>
        path.Length == 0 || path == member || path.EndsWith("." + member, StringComparison.Ordinal) ? (path.Length == 0 ? member : path) : $"{path}.{member}";

    // "The JSON property 'x' could not be mapped to any .NET member contained in type 'T'."
    [GeneratedRegex(@"^The JSON property '(?<member>.*)' could not be mapped to any \.NET member", RegexOptions.ExplicitCapture | RegexOptions.Singleline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex UnknownMember();

    // "Duplicate property 'x' encountered during deserialization of type 'T'."
    [GeneratedRegex("^Duplicate property '(?<member>.*)' encountered", RegexOptions.ExplicitCapture | RegexOptions.Singleline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DoubledMember();
}
