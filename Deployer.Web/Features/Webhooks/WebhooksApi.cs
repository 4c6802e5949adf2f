using System.ComponentModel;
using Deployer.Core.Access;
using Deployer.Core.Webhooks;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.Web.Features.Webhooks;

/// <summary>How an app's webhook is to be.</summary>
internal sealed record WebhookJson
{
    [Description("Which tags deploy: patterns separated by commas, with * for any characters. Left out: the app's own tag alone.")]
    public string? Tags { get; init; }

    [Description("Whether to make a key, too, for senders that cannot sign (Docker Hub, distribution registries).")]
    public bool? AddressKey { get; init; }
}

/// <summary>A webhook with its secret, which is shown this once.</summary>
internal sealed record NewWebhookJson(string Path, string Secret, string? AddressKey, WebhookView Webhook);

/// <summary>The deliveries of an app, newest first.</summary>
internal sealed record WebhookDeliveryListJson(IReadOnlyList<WebhookDeliveryView> Deliveries);

/// <summary>The API of webhooks: <c>/api/apps/{app}/webhook</c>.</summary>
public static class WebhooksApi
{
    private const int MostDeliveries = 200;

    /// <summary>Maps the endpoints.</summary>
    public static void MapWebhooksApi(this IEndpointRouteBuilder routes)
    {
        var webhook = routes.MapGroup("/api/apps/{app}/webhook").WithTags("Webhooks");
        webhook.MapGet("/", FindAsync)
            .WithName("GetWebhook").RequireAccess(AccessRole.Admin, AccessScope.App).WithSummary("Look at an app's webhook")
            .ProducesProblem(StatusCodes.Status404NotFound);
        webhook.MapPost("/", RenewAsync)
            .WithName("RenewWebhook").RequireAccess(AccessRole.Admin, AccessScope.App).WithSummary("Make an app's webhook, or give it a new secret")
            .WithDescription("The secret is in the answer this once. An earlier secret or key opens nothing any more.")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
        webhook.MapDelete("/", RemoveAsync)
            .WithName("RemoveWebhook").RequireAccess(AccessRole.Admin, AccessScope.App).WithSummary("Remove an app's webhook")
            .ProducesProblem(StatusCodes.Status404NotFound);
        webhook.MapGet("/deliveries", ListAsync)
            .WithName("ListWebhookDeliveries").RequireAccess(AccessRole.Admin, AccessScope.App).WithSummary("List genuine deliveries, newest first")
            .WithQuery("limit", $"At most so many, 1 to {MostDeliveries}; default 50.", "50")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound);
    }

    /// <summary>Where senders reach an app's webhook.</summary>
    internal static string Path(string app) => $"/hooks/{app}";

    private static async Task<Results<Ok<WebhookView>, ProblemHttpResult>> FindAsync(
        string app, WebhookGate gate, CancellationToken cancellationToken) =>
        await gate.FindAsync(app, cancellationToken) is { } webhook ? TypedResults.Ok(webhook) : await NoWebhookAsync(app, gate, cancellationToken);

    private static async Task<Results<Ok<NewWebhookJson>, ProblemHttpResult>> RenewAsync(
        string app, WebhookJson? body, WebhookGate gate, CancellationToken cancellationToken) =>
        await gate.RenewAsync(app, body?.Tags, body?.AddressKey is true, cancellationToken) switch
        {
            WebhookChange.Renewed { Webhook: var made } => TypedResults.Ok(new NewWebhookJson(Path(app), made.Secret, made.AddressKey, made.View)),
            WebhookChange.TagsInvalid => Problem.Invalid("tags", "Tags are patterns of letters, digits, _, ., - and *, separated by commas, 256 characters in all: v*, main."),
            _ => Problem.UnknownApp(app),
        };

    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(string app, WebhookGate gate, CancellationToken cancellationToken) =>
        await gate.RemoveAsync(app, cancellationToken) switch
        {
            true => TypedResults.NoContent(),
            false => NoWebhook(app),
            null => Problem.UnknownApp(app),
        };

    private static async Task<Results<Ok<WebhookDeliveryListJson>, ProblemHttpResult>> ListAsync(
        string app, HttpRequest request, WebhookGate gate, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request, "limit");
        var limit = (int)(query.Number("limit", 1, MostDeliveries) ?? 50);
        if (query.Problem is { } problem)
        {
            return problem;
        }

        return await gate.ListDeliveriesAsync(app, limit, cancellationToken) is { } deliveries
            ? TypedResults.Ok(new WebhookDeliveryListJson(deliveries))
            : Problem.UnknownApp(app);
    }

    private static async Task<ProblemHttpResult> NoWebhookAsync(string app, WebhookGate gate, CancellationToken cancellationToken) =>
        await gate.ListDeliveriesAsync(app, 1, cancellationToken) is null ? Problem.UnknownApp(app) : NoWebhook(app);

    private static ProblemHttpResult NoWebhook(string app) =>
        Problem.Unknown("webhook_unknown", $"The app {app} has no webhook; POST /api/apps/{app}/webhook makes one.");
}
