using System.ComponentModel;
using Deployer.Core.Access;
using Deployer.Core.Engine;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.Web.Features.Engines;

/// <summary>What to remove.</summary>
internal sealed record PruneJson
{
    [Description("Ids of images to remove, as GET /api/engine/prune gives them; left out: all of kind surplus.")]
    public IReadOnlyList<string?>? Images { get; init; }
}

/// <summary>The API of the engine: <c>/api/engine</c>.</summary>
public static class EngineApi
{
    private const int MostImages = 1000;

    /// <summary>Maps the endpoints.</summary>
    public static void MapEngineApi(this IEndpointRouteBuilder routes)
    {
        var engine = routes.MapGroup("/api/engine").WithTags("Engine");
        engine.MapGet("/", LookAsync)
            .WithName("GetEngine").RequireAccess(AccessRole.Viewer, AccessScope.Everywhere).WithSummary("Look at the engine")
            .WithDescription("What it is, what it runs, and what its data takes on disk.")
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        engine.MapGet("/prune", PreviewAsync)
            .WithName("PreviewPrune").RequireAccess(AccessRole.Admin, AccessScope.Everywhere).WithSummary("See what could be removed")
            .WithDescription(
                "Images that no container uses and no kept restore needs: surplus ones, brought by deployments; nameless ones; and foreign ones, "
                + "which somebody else brought. frees_bytes is what the removal of the image alone frees.")
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        engine.MapPost("/prune", PruneAsync)
            .WithName("Prune").RequireAccess(AccessRole.Admin, AccessScope.Everywhere).WithSummary("Remove images that nothing needs")
            .WithDescription("Only what the preview offers is removed, whatever is asked for; nameless and foreign images only by their ids.")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<Ok<EngineOverview>> LookAsync(EngineGate gate, CancellationToken cancellationToken) =>
        TypedResults.Ok(await gate.LookAsync(cancellationToken));

    private static async Task<Ok<PrunePreview>> PreviewAsync(EngineGate gate, CancellationToken cancellationToken) =>
        TypedResults.Ok(await gate.PreviewAsync(cancellationToken));

    private static async Task<Results<Ok<PruneResult>, ProblemHttpResult>> PruneAsync(
        PruneJson? body, EngineGate gate, CancellationToken cancellationToken)
    {
        if (body?.Images is { } images && (images.Count is 0 or > MostImages || images.Any(string.IsNullOrWhiteSpace)))
        {
            return Problem.Invalid("images", $"'images' holds 1 to {MostImages} ids as GET /api/engine/prune gives them; leave it out for all surplus ones.");
        }

        return TypedResults.Ok(await gate.PruneAsync(body?.Images?.OfType<string>().ToList(), cancellationToken));
    }
}
