using Deployer.Core.Access;
using Deployer.Core.Deployments;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.Web.Features.Apps;

/// <summary>The API of what runs: <c>/api/apps/{app}/runtime</c>, <c>start</c>, <c>stop</c> and <c>restart</c>.</summary>
public static class OperationsApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapOperationsApi(this IEndpointRouteBuilder routes)
    {
        var app = routes.MapGroup("/api/apps/{app}").WithTags("Apps");
        app.MapGet("/runtime", LookAsync)
            .WithName("GetAppRuntime").RequireAccess(AccessRole.Viewer, AccessScope.App).WithSummary("Look at what runs")
            .WithDescription("The app's container as the engine has it now, and how it differs from what was deployed.")
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        Map(app, "start", "StartApp", "Start an app", "Starts its container again, and leads its hosts there.", gate => gate.StartAsync);
        Map(app, "stop", "StopApp", "Stop an app", "Scales it to zero: its hosts answer 503, requests under way end, and its container stops.", gate => gate.StopAsync);
        Map(app, "restart", "RestartApp", "Restart an app", "Stops and starts its container; its hosts answer 503 meanwhile.", gate => gate.RestartAsync);
    }

    private static void Map(
        RouteGroupBuilder group, string verb, string name, string summary, string description,
        Func<OperationGate, Func<string, CancellationToken, Task<OperationResult>>> operation) =>
        group.MapPost("/" + verb, async Task<Results<NoContent, ProblemHttpResult>> (string app, OperationGate gate, CancellationToken cancellationToken) =>
                await operation(gate)(app, cancellationToken) switch
                {
                    OperationResult.Done => TypedResults.NoContent(),
                    OperationResult.AppUnknown => Problem.UnknownApp(app),
                    OperationResult.NotDeployed => Problem.Conflict("app_not_deployed", $"The app has never run; deploy it with POST /api/apps/{app}/deployments."),
                    OperationResult.ContainerGone => Problem.Conflict("container_gone", $"Somebody else removed the app's container; make it anew with POST /api/apps/{app}/deployments."),
                    _ => Problem.Conflict("app_busy", "A deployment of the app runs; wait for it or cancel it."),
                })
            .WithName(name).RequireAccess(AccessRole.Deployer, AccessScope.App).WithSummary(summary).WithDescription(description)
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static async Task<Results<Ok<AppRuntime>, ProblemHttpResult>> LookAsync(
        string app, OperationGate gate, CancellationToken cancellationToken) =>
        await gate.LookAsync(app, cancellationToken) is { } runtime ? TypedResults.Ok(runtime) : Problem.UnknownApp(app);
}
