using System.ComponentModel;
using Deployer.Core.Access;
using Deployer.Core.Deployments;
using Deployer.Core.Environments;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.Web.Features.Deployments;

/// <summary>An approval.</summary>
internal sealed record ApproveJson
{
    [Description("Why it may start, in your own words; 1 to 1,000 characters.")]
    public string? Reason { get; init; }
}

/// <summary>The API of approvals, which protected environments want: <c>/api/deployments/{id}/approve</c>.</summary>
public static class ApprovalApi
{
    private const int MaxReasonLength = 1000;

    /// <summary>Maps the endpoint.</summary>
    public static void MapApprovalApi(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/deployments/{id}/approve", ApproveAsync)
            .WithTags("Deployments").WithName("ApproveDeployment").RequireAccess(AccessRole.Deployer, AccessScope.Deployment)
            .WithSummary("Approve a deployment that waits for it")
            .WithDescription("For deployers of the environment other than whoever asked for the deployment. The reason is kept.")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);

    private static async Task<Results<Ok<DeploymentView>, ProblemHttpResult>> ApproveAsync(
        string id, ApproveJson body, DeploymentGate deployments, CancellationToken cancellationToken)
    {
        if (body.Reason?.Trim() is not { Length: > 0 and <= MaxReasonLength } reason)
        {
            return Problem.Invalid("reason", $"Say in 1 to {MaxReasonLength} characters why it may start; the reason is kept.");
        }

        if (!DeploymentsApi.TryParseId(id, out var number))
        {
            return Problem.UnknownDeployment(id);
        }

        return await deployments.ApproveAsync(number, reason, cancellationToken) switch
        {
            ApprovalResult.Approved when await deployments.FindAsync(number, cancellationToken) is { } deployment => TypedResults.Ok(deployment),
            ApprovalResult.NotWaiting => Problem.Conflict("not_waiting", $"Deployment {id} does not wait for an approval, or not any more."),
            ApprovalResult.OwnRequest => Problem.Conflict("own_request", "Whoever asked for a deployment cannot approve it. Ask a second person."),
            ApprovalResult.Frozen => Problem.Conflict(
                "environment_frozen", "The environment is frozen now. Wait for the end of the freeze, or have an admin lift it."),
            _ => Problem.UnknownDeployment(id),
        };
    }
}
