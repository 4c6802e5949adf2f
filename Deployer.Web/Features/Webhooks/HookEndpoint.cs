using System.ComponentModel;
using System.Text.Json.Nodes;
using Deployer.Core.Webhooks;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Deployer.Web.Features.Webhooks;

/// <summary>What became of a delivery.</summary>
/// <param name="Result"><c>deployed</c> or <c>ignored</c>.</param>
/// <param name="Outcome">In plain words.</param>
/// <param name="DeploymentId">The deployment it caused, if any.</param>
/// <param name="Repeat">Whether the same delivery came before; it counts once.</param>
internal sealed record HookJson(
    [property: Description("deployed or ignored.")] string Result, string Outcome, long? DeploymentId, bool Repeat);

/// <summary><c>POST /hooks/{app}</c>: where registries and repositories tell of pushed images.</summary>
public static class HookEndpoint
{
    private const string SignatureHeader = "X-Hub-Signature-256";
    private const string KeyHeader = "X-Deployer-Key";

    /// <summary>Maps the endpoint. Whoever calls proves itself by signature or key, not by a token.</summary>
    public static void MapHookEndpoint(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/hooks/{app}", ReceiveAsync)
            .WithName("ReceiveWebhook").WithTags("Webhooks").AllowAnonymous().RequireRateLimiting(RateLimits.Webhooks)
            .WithSummary("Tell of a pushed image")
            .WithDescription(
                $"Takes the JSON of Docker Hub, of GitHub (events package and registry_package) and of CNCF distribution registries. {SignatureHeader} is "
                + $"sha256= and the HMAC-SHA256 of the body under the webhook's secret. Senders that cannot sign show the webhook's key as {KeyHeader} or in the query as key.")
            .WithQuery("key", "The webhook's key, for senders that cannot sign.", "dpk_…")
            .Accepts<JsonObject>("application/json")
            .Produces<HookJson>(StatusCodes.Status202Accepted)
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .ProducesProblem(StatusCodes.Status429TooManyRequests);

    private static async Task<Results<Ok<HookJson>, Accepted<HookJson>, ProblemHttpResult>> ReceiveAsync(
        string app, HttpRequest request, [FromServices] WebhookReceiver receiver, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancellationToken);
        var delivery = new IncomingDelivery(
            app,
            new WebhookProof(Value(request.Headers[SignatureHeader]), Value(request.Headers[KeyHeader]) ?? Value(request.Query["key"])),
            body.GetBuffer().AsMemory(0, (int)body.Length),
            request.HttpContext.Connection.RemoteIpAddress?.ToString());
        return await receiver.ReceiveAsync(delivery, cancellationToken) switch
        {
            WebhookResult.Deployed deployed => TypedResults.Accepted(
                $"/api/deployments/{deployed.DeploymentId}", new HookJson("deployed", deployed.Outcome, deployed.DeploymentId, deployed.IsRepeat)),
            WebhookResult.Ignored ignored => TypedResults.Ok(new HookJson("ignored", ignored.Outcome, null, ignored.IsRepeat)),
            WebhookResult.Unreadable unreadable => Problem.Invalid("body", unreadable.Why),
            WebhookResult.Stale stale => Problem.Of(
                StatusCodes.Status422UnprocessableEntity, "delivery_stale",
                $"The delivery tells of {Core.Data.Rfc3339.Format(stale.At)}, which is over a day ago or yet to come. Press Deploy instead, or set the sender's clock."),
            _ => Problem.Of(
                StatusCodes.Status401Unauthorized, "signature_invalid",
                $"The signature or key is wrong, or the app has no webhook. Send {SignatureHeader}: sha256=… under the secret that was shown when the webhook was made, or make a new one."),
        };
    }

    private static string? Value(Microsoft.Extensions.Primitives.StringValues values) => values.Count == 0 ? null : values.ToString();
}
