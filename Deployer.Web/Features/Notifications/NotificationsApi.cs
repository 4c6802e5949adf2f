using System.ComponentModel;
using System.Text.Json;
using Deployer.Core.Access;
using Deployer.Core.Notifications;
using Deployer.Web.Features.Deployments;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.Web.Features.Notifications;

/// <summary>A target to add.</summary>
internal sealed record NotificationTargetJson
{
    [Description("What it is called, e.g. team chat.")]
    public string? Name { get; init; }

    [Description("webhook (signed JSON), slack, discord or email.")]
    public NotificationKind? Kind { get; init; }

    [Description("Web address, or e-mail address. Web addresses of chats are keys: stored encrypted, shown as far as the host.")]
    public string? Address { get; init; }

    [Description("The app it is about. Left out: every one.")]
    public string? App { get; init; }

    [Description("The environment it is about. Left out: every one.")]
    public string? Environment { get; init; }

    [Description("Of what to tell: succeeded, failed, canceled, approval_wanted.")]
    public IReadOnlyList<string?>? Events { get; init; }
}

/// <summary>A target just added; the signing secret of a webhook is in it this once.</summary>
internal sealed record NewNotificationTargetJson(NotificationTargetView Target, string? Secret);

/// <summary>The targets that the caller looks after.</summary>
internal sealed record NotificationTargetListJson(IReadOnlyList<NotificationTargetView> Targets);

/// <summary>The last deliveries, newest first.</summary>
internal sealed record NotificationDeliveryListJson(IReadOnlyList<NotificationDeliveryView> Deliveries);

/// <summary>The API of notifications: <c>/api/notifications</c>.</summary>
public static class NotificationsApi
{
    private const int MostDeliveries = 200;

    /// <summary>Maps the endpoints.</summary>
    public static void MapNotificationsApi(this IEndpointRouteBuilder routes)
    {
        var targets = routes.MapGroup("/api/notifications").WithTags("Notifications");
        targets.MapGet("/", ListAsync)
            .WithName("ListNotificationTargets").RequireAccess(AccessRole.Admin, AccessScope.Anywhere).WithSummary("List who hears of what");
        targets.MapPost("/", AddAsync)
            .WithName("AddNotificationTarget").RequireAccess(AccessRole.Admin, AccessScope.Anywhere).WithSummary("Have somebody told")
            .WithDescription("Signed JSON carries X-Deployer-Delivery (the same at each attempt), X-Deployer-Timestamp and X-Deployer-Signature-256: sha256= and the HMAC-SHA256 of time, dot and body.")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
        targets.MapDelete("/{id}", RemoveAsync)
            .WithName("RemoveNotificationTarget").RequireAccess(AccessRole.Admin, AccessScope.Anywhere).WithSummary("Tell somebody no more")
            .ProducesProblem(StatusCodes.Status404NotFound);
        targets.MapPost("/{id}/test", TryAsync)
            .WithName("TryNotificationTarget").RequireAccess(AccessRole.Admin, AccessScope.Anywhere).WithSummary("Send a trial notification at once")
            .ProducesProblem(StatusCodes.Status404NotFound);
        targets.MapGet("/deliveries", ListDeliveriesAsync)
            .WithName("ListNotificationDeliveries").RequireAccess(AccessRole.Admin, AccessScope.Anywhere).WithSummary("List deliveries, newest first")
            .WithQuery("limit", $"At most so many, 1 to {MostDeliveries}; default 50.", "50")
            .ProducesValidationProblem();
    }

    private static async Task<Ok<NotificationTargetListJson>> ListAsync(NotificationGate gate, CancellationToken cancellationToken) =>
        TypedResults.Ok(new NotificationTargetListJson(await gate.ListAsync(cancellationToken)));

    private static async Task<Results<Created<NewNotificationTargetJson>, ProblemHttpResult>> AddAsync(
        NotificationTargetJson body, NotificationGate gate, CancellationToken cancellationToken)
    {
        if (ReadEvents(body.Events) is not { } events)
        {
            return Problem.Invalid("events", "Events are a list of succeeded, failed, canceled and approval_wanted.");
        }

        var draft = new NotificationTargetDraft(body.Name, body.Kind, body.Address, Blank(body.App), Blank(body.Environment), events);
        return await gate.AddAsync(draft, cancellationToken) switch
        {
            NotificationTargetChange.Added added => TypedResults.Created(
                $"/api/notifications/{added.Target.Id}", new NewNotificationTargetJson(added.Target, added.Secret)),
            NotificationTargetChange.Invalid invalid => Problem.Invalid(invalid.Errors),
            _ => Problem.UnknownApp(body.App ?? ""),
        };
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(string id, NotificationGate gate, CancellationToken cancellationToken) =>
        DeploymentsApi.TryParseId(id, out var number) && await gate.RemoveAsync(number, cancellationToken) ? TypedResults.NoContent() : Unknown(id);

    private static async Task<Results<Ok<NotificationTrial>, ProblemHttpResult>> TryAsync(string id, NotificationGate gate, CancellationToken cancellationToken) =>
        DeploymentsApi.TryParseId(id, out var number) && await gate.TryAsync(number, cancellationToken) is { } trial ? TypedResults.Ok(trial) : Unknown(id);

    private static async Task<Results<Ok<NotificationDeliveryListJson>, ProblemHttpResult>> ListDeliveriesAsync(
        HttpRequest request, NotificationGate gate, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request, "limit");
        var limit = (int)(query.Number("limit", 1, MostDeliveries) ?? 50);
        return query.Problem is { } problem
            ? problem
            : TypedResults.Ok(new NotificationDeliveryListJson(await gate.ListDeliveriesAsync(limit, cancellationToken)));
    }

    private static NotificationEvents? ReadEvents(IReadOnlyList<string?>? words)
    {
        var known = Enum.GetValues<NotificationEvents>().Where(one => one != NotificationEvents.None)
            .ToDictionary(one => JsonNamingPolicy.SnakeCaseLower.ConvertName(one.ToString()), StringComparer.Ordinal);
        var events = NotificationEvents.None;
        foreach (var word in words ?? [])
        {
            if (word is null || !known.TryGetValue(word, out var one))
            {
                return null;
            }

            events |= one;
        }

        return events;
    }

    private static string? Blank(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static ProblemHttpResult Unknown(string id) =>
        Problem.Unknown("notification_target_unknown", $"There is no notification target '{id}' that you look after; GET /api/notifications lists them.");
}
