using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.Web.Features.Apps;

/// <summary>The API of the apps: <c>/api/apps</c>.</summary>
public static class AppsApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapAppsApi(this IEndpointRouteBuilder routes)
    {
        var apps = routes.MapGroup("/api/apps").WithTags("Apps");
        apps.MapGet("/", ListAsync)
            .WithName("ListApps").RequireAccess(AccessRole.Viewer, AccessScope.Anywhere).WithSummary("List the apps")
            .WithDescription("Every app by name, with its newest deployment and the one that serves.")
            .ProducesProblem(StatusCodes.Status400BadRequest);
        apps.MapPost("/", AddAsync)
            .WithName("AddApp").RequireAccess(AccessRole.Admin, AccessScope.Anywhere).WithSummary("Add an app")
            .WithDescription("Only name and image are required. Nothing runs until it is deployed.")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
        apps.MapGet("/{app}", FindAsync)
            .WithName("GetApp").RequireAccess(AccessRole.Viewer, AccessScope.App).WithSummary("Look at an app")
            .ProducesProblem(StatusCodes.Status404NotFound);
        apps.MapPut("/{app}", ChangeAsync)
            .WithName("ChangeApp").RequireAccess(AccessRole.Admin, AccessScope.App).WithSummary("Replace an app's settings")
            .WithDescription("What is left out takes its default. The settings take effect with the next deployment.")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
        apps.MapDelete("/{app}", RemoveAsync)
            .WithName("RemoveApp").RequireAccess(AccessRole.Admin, AccessScope.App).WithSummary("Remove an app")
            .WithDescription("Stops and removes its containers, and forgets its deployments and logs. Volumes and images stay.")
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<Results<Ok<AppListJson>, ProblemHttpResult>> ListAsync(
        HttpRequest request, AppGate catalog, CancellationToken cancellationToken)
    {
        if (new QueryReader(request).Problem is { } problem)
        {
            return problem;
        }

        return TypedResults.Ok(new AppListJson([.. (await catalog.ListAsync(cancellationToken)).Select(AppJson.Of)]));
    }

    private static async Task<Results<Created<AppJson>, ProblemHttpResult>> AddAsync(
        AppDraft draft, AppGate catalog, CancellationToken cancellationToken) =>
        await catalog.AddAsync(draft, cancellationToken) switch
        {
            AppChange.Saved saved => TypedResults.Created($"/api/apps/{saved.App.Name}", AppJson.Of(saved.App)),
            AppChange.Invalid invalid => Problem.Invalid(invalid.Errors),
            AppChange.NameTaken taken => Problem.Conflict(
                "app_name_taken", $"There is an app '{taken.Name}' already; choose another name, or change that one with PUT /api/apps/{taken.Name}."),
            var other => throw Unexpected(other),
        };

    private static async Task<Results<Ok<AppJson>, ProblemHttpResult>> FindAsync(
        string app, AppGate catalog, CancellationToken cancellationToken) =>
        await catalog.FindAsync(app, cancellationToken) is { } found ? TypedResults.Ok(AppJson.Of(found)) : Problem.UnknownApp(app);

    private static async Task<Results<Ok<AppJson>, ProblemHttpResult>> ChangeAsync(
        string app, AppDraft draft, AppGate catalog, CancellationToken cancellationToken) =>
        await catalog.ChangeAsync(app, draft, cancellationToken) switch
        {
            AppChange.Saved saved => TypedResults.Ok(AppJson.Of(saved.App)),
            AppChange.Invalid invalid => Problem.Invalid(invalid.Errors),
            AppChange.Unknown unknown => Problem.UnknownApp(unknown.Name),
            var other => throw Unexpected(other),
        };

    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(
        string app, AppGate catalog, CancellationToken cancellationToken) =>
        await catalog.RemoveAsync(app, cancellationToken) switch
        {
            AppRemoval.Removed => TypedResults.NoContent(),
            AppRemoval.Unknown unknown => Problem.UnknownApp(unknown.Name),
            AppRemoval.Busy busy => Problem.Conflict(
                "app_busy", $"Deployment {busy.DeploymentId} of the app is not finished, or began meanwhile; wait for it or POST /api/deployments/{busy.DeploymentId}/cancel, and remove the app then."),
            var other => throw Unexpected(other),
        };

    private static InvalidOperationException Unexpected(object outcome) => new($"The catalog gave {outcome.GetType().Name}.");
}
