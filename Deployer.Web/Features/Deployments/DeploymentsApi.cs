using System.ComponentModel;
using System.Globalization;
using Deployer.Core.Access;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Deployer.Web.Features.Deployments;

/// <summary>What the body of a request to deploy may hold.</summary>
internal sealed record DeployJson
{
    [Description("Image to deploy this once instead of the app's own.")]
    public string? Image { get; init; }

    [Description("Why, in your own words; at most 1,000 characters.")]
    public string? Reason { get; init; }

    [Description("Whether to deploy in spite of a freeze of the environment; for admins, with a reason, and recorded.")]
    public bool? OverrideFreeze { get; init; }
}

/// <summary>A page of deployments, newest first.</summary>
/// <param name="Deployments">The deployments.</param>
/// <param name="NextBefore">Pass it as <c>before</c> for the next page; <see langword="null"/> when this is the last.</param>
internal sealed record DeploymentListJson(IReadOnlyList<DeploymentView> Deployments, long? NextBefore);

/// <summary>The API of the deployments.</summary>
public static class DeploymentsApi
{
    private const int DefaultLimit = 50;
    private const int MaxReasonLength = 1000;
    private const int MaxKeyLength = 255;
    private const string KeyHeader = "Idempotency-Key";

    /// <summary>Maps the endpoints.</summary>
    public static void MapDeploymentsApi(this IEndpointRouteBuilder routes)
    {
        var deployments = routes.MapGroup("/api").WithTags("Deployments");
        deployments.MapPost("/apps/{app}/deployments", DeployAsync)
            .WithName("Deploy").RequireAccess(AccessRole.Deployer, AccessScope.App).WithSummary("Deploy an app")
            .WithDescription("Queues a deployment with a snapshot of the app's settings. A repeated Idempotency-Key gives the first one's deployment.")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        deployments.MapGet("/deployments", ListAsync)
            .WithName("ListDeployments").RequireAccess(AccessRole.Viewer, AccessScope.Anywhere).WithSummary("List deployments, newest first")
            .WithQuery("app", "Of this app alone.", "web")
            .WithQuery("status", "In this status alone: queued, running, succeeded, failed, canceled or superseded.", "failed")
            .WithQuery("environment", "Of apps of this environment alone.", "production")
            .WithQuery("by", "Asked for by somebody whose name holds this.", "Ada")
            .WithQuery("since", "Queued at this instant or later.", Rfc3339.Example)
            .WithQuery("until", "Queued before this instant.", Rfc3339.Example)
            .WithQuery("before", "Older than this id: next_before of the page before.", "1000")
            .WithQuery("limit", $"At most so many, 1 to {DeploymentReader.MaxLimit}; default {DefaultLimit}.", "50")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound);
        deployments.MapGet("/deployments/{id}", FindAsync)
            .WithName("GetDeployment").RequireAccess(AccessRole.Viewer, AccessScope.Deployment).WithSummary("Look at a deployment")
            .WithDescription("Status, steps, image, digest, failure, times and who asked.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        deployments.MapPost("/deployments/{id}/cancel", CancelAsync)
            .WithName("CancelDeployment").RequireAccess(AccessRole.Deployer, AccessScope.Deployment).WithSummary("Cancel a deployment")
            .WithDescription("A queued one is canceled at once (200); a running one is asked to stop and becomes canceled shortly (202).")
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
    }

    /// <summary>Reads a deployment's id as it stands in an address.</summary>
    internal static bool TryParseId(string text, out long id) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id);

    private static async Task<Results<Accepted<DeploymentView>, ProblemHttpResult>> DeployAsync(
        string app, DeployJson? body, [FromHeader(Name = KeyHeader)] string? idempotencyKey, DeploymentGate deployments, CancellationToken cancellationToken)
    {
        var errors = Check(body, idempotencyKey);
        if (errors.Count > 0)
        {
            return Problem.Invalid(errors);
        }

        var request = new DeploymentRequest(body?.Image, body?.Reason, RequestedBy: null, idempotencyKey)
        {
            OverrideFreeze = body?.OverrideFreeze is true,
        };
        return await deployments.EnqueueAsync(app, request, cancellationToken) switch
        {
            EnqueueResult.Queued queued => Accepted(queued.Deployment),
            EnqueueResult.Replayed replayed => Accepted(replayed.Deployment),
            EnqueueResult.KeyReused reused => Problem.Of(
                StatusCodes.Status422UnprocessableEntity, "idempotency_key_reused",
                $"This {KeyHeader} made deployment {reused.Deployment.Id} from another request; use a new key for a new request."),
            EnqueueResult.Frozen frozen => Problem.Conflict(
                "environment_frozen",
                $"Nothing is deployed to {frozen.Environment} until {Rfc3339.Format(frozen.Until)}: {frozen.Reason} Wait, or as an admin send override_freeze with a reason."),
            EnqueueResult.AppUnknown => Problem.UnknownApp(app),
            EnqueueResult.ImageInvalid invalid => Problem.Invalid("image", invalid.Message),
            var other => throw new InvalidOperationException($"The queue gave {other.GetType().Name}."),
        };
    }

    private static Dictionary<string, string[]> Check(DeployJson? body, string? idempotencyKey)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (body?.Image is { } image && !ImageReference.TryParse(image.Trim(), out _, out var error))
        {
            errors["image"] = [error.Message];
        }

        if (body?.Reason?.Length > MaxReasonLength)
        {
            errors["reason"] = [$"The reason is {body.Reason.Length} characters long; at most {MaxReasonLength} are kept."];
        }

        if (body?.OverrideFreeze is true && string.IsNullOrWhiteSpace(body.Reason))
        {
            errors["reason"] = ["Say why this cannot wait for the end of the freeze; the reason is recorded."];
        }

        if (idempotencyKey is not null && (idempotencyKey.Length is 0 or > MaxKeyLength || idempotencyKey.Any(c => c is < ' ' or > '~')))
        {
            errors[KeyHeader] = [$"The header {KeyHeader} has 1 to {MaxKeyLength} printable ASCII characters, e.g. a UUID."];
        }

        return errors;
    }

    private static Accepted<DeploymentView> Accepted(DeploymentView deployment) =>
        TypedResults.Accepted($"/api/deployments/{deployment.Id}", deployment);

    private static async Task<Results<Ok<DeploymentListJson>, ProblemHttpResult>> ListAsync(
        HttpRequest request, AppGate catalog, DeploymentGate deployments, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request, "app", "status", "environment", "by", "since", "until", "before", "limit");
        var app = query.Text("app");
        var status = query.Word<DeploymentStatus>("status");
        var before = query.Number("before", 1, long.MaxValue);
        var since = query.Instant("since")?.WithinDatabase();
        var until = query.Instant("until")?.WithinDatabase();
        var limit = (int)(query.Number("limit", 1, DeploymentReader.MaxLimit) ?? DefaultLimit);
        if (query.Problem is { } problem)
        {
            return problem;
        }

        if (app is not null && await catalog.FindAsync(app, cancellationToken) is null)
        {
            return Problem.UnknownApp(app);
        }

        var filter = new DeploymentFilter(app, status, before, limit)
        {
            Environment = query.Text("environment"),
            RequestedBy = query.Text("by"),
            Since = since,
            Until = until,
        };
        var page = await deployments.ListAsync(filter, cancellationToken);
        return TypedResults.Ok(new DeploymentListJson(page, page.Count == limit ? page[^1].Id : null));
    }

    private static async Task<Results<Ok<DeploymentView>, ProblemHttpResult>> FindAsync(
        string id, DeploymentGate deployments, CancellationToken cancellationToken) =>
        TryParseId(id, out var number) && await deployments.FindAsync(number, cancellationToken) is { } found
            ? TypedResults.Ok(found)
            : Problem.UnknownDeployment(id);

    private static async Task<Results<Ok<DeploymentView>, Accepted<DeploymentView>, ProblemHttpResult>> CancelAsync(
        string id, DeploymentGate deployments, CancellationToken cancellationToken)
    {
        if (!TryParseId(id, out var number))
        {
            return Problem.UnknownDeployment(id);
        }

        var result = await deployments.CancelAsync(number, cancellationToken);
        if (await deployments.FindAsync(number, cancellationToken) is not { } deployment)
        {
            return Problem.UnknownDeployment(id);
        }

        return result switch
        {
            CancelResult.Canceled => TypedResults.Ok(deployment),
            CancelResult.Requested => Accepted(deployment),
            CancelResult.AlreadyEnded => Problem.Conflict("deployment_ended", $"Deployment {id} has ended already and cannot be canceled."),
            _ => Problem.UnknownDeployment(id),
        };
    }
}
