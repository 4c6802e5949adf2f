using System.ComponentModel;
using Deployer.Core.Access;
using Deployer.Core.Logs;
using Deployer.Web.Features.Deployments;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.Web.Features.Logs;

/// <summary>Whether retention keeps a deployment's log whatever its limits say.</summary>
internal sealed record LogPinJson
{
    [Description("The deployment.")]
    public required long DeploymentId { get; init; }

    [Description("Whether its log is pinned.")]
    public required bool Pinned { get; init; }
}

/// <summary>The API that keeps logs from being removed.</summary>
public static class LogPinApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapLogPinApi(this IEndpointRouteBuilder routes)
    {
        var pin = routes.MapGroup("/api/deployments/{id}/pin").WithTags("Logs");
        pin.MapPut("/", (string id, LogPinGate pins, CancellationToken cancellationToken) => SetAsync(id, pinned: true, pins, cancellationToken))
            .WithName("PinLog").RequireAccess(AccessRole.Deployer, AccessScope.Deployment).WithSummary("Keep a deployment's log")
            .WithDescription("Retention does not remove a pinned log, whatever its limits say. Pinning twice is pinning once.")
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        pin.MapDelete("/", (string id, LogPinGate pins, CancellationToken cancellationToken) => SetAsync(id, pinned: false, pins, cancellationToken))
            .WithName("UnpinLog").RequireAccess(AccessRole.Deployer, AccessScope.Deployment).WithSummary("Let retention remove a deployment's log again")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Results<Ok<LogPinJson>, ProblemHttpResult>> SetAsync(
        string id, bool pinned, LogPinGate pins, CancellationToken cancellationToken)
    {
        var result = DeploymentsApi.TryParseId(id, out var deploymentId)
            ? await pins.SetAsync(deploymentId, pinned, cancellationToken)
            : PinResult.Unknown;
        return result switch
        {
            PinResult.Unknown => Problem.UnknownDeployment(id),
            PinResult.Removed => Problem.Conflict(
                "log_removed", $"Retention has removed the log of deployment {id} already; there is nothing left to keep. Pin a log before its time is up."),
            _ => TypedResults.Ok(new LogPinJson { DeploymentId = deploymentId, Pinned = pinned }),
        };
    }
}
