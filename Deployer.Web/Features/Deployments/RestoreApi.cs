using System.ComponentModel;
using Deployer.Core.Access;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Deployer.Web.Features.Deployments;

/// <summary>What the body of a request to restore may hold.</summary>
internal sealed record RestoreJson
{
    [Description("Which secret values to take: old (those of the deployment) or current (those of the app now). Required where they differ.")]
    public SecretChoice? Secrets { get; init; }

    [Description("Why, in your own words; at most 1,000 characters.")]
    public string? Reason { get; init; }

    [Description("Whether to restore in spite of a freeze of the environment; for admins, with a reason, and recorded.")]
    public bool? OverrideFreeze { get; init; }
}

/// <summary>The API to go back, and to see how far a deployment is.</summary>
public static class RestoreApi
{
    private const int MaxReasonLength = 1000;
    private const int MaxKeyLength = 255;
    private const string KeyHeader = "Idempotency-Key";

    /// <summary>Maps the endpoints.</summary>
    public static void MapRestoreApi(this IEndpointRouteBuilder routes)
    {
        var deployment = routes.MapGroup("/api/deployments/{id}").WithTags("Deployments");
        deployment.MapGet("/progress", ProgressAsync)
            .WithName("GetDeploymentProgress").RequireAccess(AccessRole.Viewer, AccessScope.Deployment).WithSummary("See how far a deployment is")
            .WithDescription("Bytes of each layer while it pulls, and each step with the median of the app's last ten successes.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        deployment.MapGet("/restore", CheckAsync)
            .WithName("CheckRestore").RequireAccess(AccessRole.Viewer, AccessScope.Deployment).WithSummary("See what a restore would do")
            .WithDescription("Where the image is, what would change of image and spec, and which secrets have changed since.")
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        deployment.MapPost("/restore", RestoreAsync)
            .WithName("Restore").RequireAccess(AccessRole.Deployer, AccessScope.Deployment).WithSummary("Go back to a deployment")
            .WithDescription("Queues a deployment of the very image, by digest, and the very spec. A repeated Idempotency-Key gives the first one's deployment.")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<Results<Ok<DeploymentProgress>, ProblemHttpResult>> ProgressAsync(
        string id, OperationGate gate, CancellationToken cancellationToken) =>
        DeploymentsApi.TryParseId(id, out var number) && await gate.ProgressAsync(number, cancellationToken) is { } progress
            ? TypedResults.Ok(progress)
            : Problem.UnknownDeployment(id);

    private static async Task<Results<Ok<RestoreCheck>, ProblemHttpResult>> CheckAsync(
        string id, OperationGate gate, CancellationToken cancellationToken) =>
        DeploymentsApi.TryParseId(id, out var number) && await gate.CheckRestoreAsync(number, cancellationToken) is { } check
            ? TypedResults.Ok(check)
            : Problem.UnknownDeployment(id);

    private static async Task<Results<Accepted<DeploymentView>, ProblemHttpResult>> RestoreAsync(
        string id, RestoreJson? body, [FromHeader(Name = KeyHeader)] string? idempotencyKey, OperationGate gate, CancellationToken cancellationToken)
    {
        var errors = Check(body, idempotencyKey);
        if (errors.Count > 0)
        {
            return Problem.Invalid(errors);
        }

        if (!DeploymentsApi.TryParseId(id, out var number) || await gate.CheckRestoreAsync(number, cancellationToken) is not { } check)
        {
            return Problem.UnknownDeployment(id);
        }

        if (check.WhyNot is { } whyNot)
        {
            return Problem.Conflict("not_restorable", whyNot);
        }

        if (body?.Secrets is null && check.Secrets.Count > 0)
        {
            var names = string.Join(", ", check.Secrets.Select(secret => secret.Name));
            return Problem.Invalid("secrets", $"The values of {names} have changed since: send \"old\" for those of the deployment, or \"current\" for those of now.");
        }

        var request = new DeploymentRequest(Image: null, body?.Reason, RequestedBy: null, idempotencyKey)
        {
            OverrideFreeze = body?.OverrideFreeze is true,
        };
        return await gate.RestoreAsync(number, body?.Secrets ?? SecretChoice.Current, request, cancellationToken) switch
        {
            EnqueueResult.Queued queued => Accepted(queued.Deployment),
            EnqueueResult.Replayed replayed => Accepted(replayed.Deployment),
            EnqueueResult.KeyReused reused => Problem.Of(
                StatusCodes.Status422UnprocessableEntity, "idempotency_key_reused",
                $"This {KeyHeader} made deployment {reused.Deployment.Id} from another request; use a new key for a new request."),
            EnqueueResult.Frozen frozen => Problem.Conflict(
                "environment_frozen",
                $"Nothing is deployed to {frozen.Environment} until {Rfc3339.Format(frozen.Until)}: {frozen.Reason} Wait, or as an admin send override_freeze with a reason."),
            EnqueueResult.NotRestorable not => Problem.Conflict("not_restorable", not.WhyNot),
            _ => Problem.UnknownDeployment(id),
        };
    }

    private static Dictionary<string, string[]> Check(RestoreJson? body, string? idempotencyKey)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
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
}
