using System.ComponentModel;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Environments;
using Deployer.Web.Features.Deployments;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;
using NodaTime;

namespace Deployer.Web.Features.Environments;

/// <summary>The environments that the caller may see.</summary>
internal sealed record EnvironmentsJson(IReadOnlyList<EnvironmentView> Environments);

/// <summary>Rules of an environment that are to change; what is left out stays.</summary>
internal sealed record EnvironmentJson
{
    [Description("Whether a deployment waits until a second person approves it.")]
    public bool? Protected { get; init; }

    [Description("Most deployments that run there at the same time, 1 to 256; 0 for no limit.")]
    public int? MaxConcurrent { get; init; }
}

/// <summary>A freeze to set.</summary>
internal sealed record FreezeJson
{
    [Description("First instant of the freeze, RFC 3339; left out, it begins now.")]
    public Instant? StartsAt { get; init; }

    [Description("First instant after the freeze, RFC 3339.")]
    public Instant? EndsAt { get; init; }

    [Description("Why nothing is deployed meanwhile; shown to whoever tries. At most 1,000 characters.")]
    public string? Reason { get; init; }
}

/// <summary>The API of environments, their protection and freezes: <c>/api/environments</c>.</summary>
public static class EnvironmentsApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapEnvironmentsApi(this IEndpointRouteBuilder routes)
    {
        var environments = routes.MapGroup("/api/environments").WithTags("Environments");
        environments.MapGet("/", ListAsync)
            .WithName("ListEnvironments").RequireAccess(AccessRole.Viewer, AccessScope.Anywhere).WithSummary("List the environments")
            .WithDescription("Those with apps or rules that the caller may see, with their rules and the freezes that are not over.");
        environments.MapPut("/{environment}", ChangeAsync)
            .WithName("ChangeEnvironment").RequireAccess(AccessRole.Admin, AccessScope.Environment).WithSummary("Protect an environment, or limit how many deployments run there at a time")
            .WithDescription("In a protected environment a deployment waits until a second person approves it. Those that wait already go on waiting. What is left out stays as it is.")
            .ProducesValidationProblem()
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
        environments.MapPost("/{environment}/freezes", FreezeAsync)
            .WithName("FreezeEnvironment").RequireAccess(AccessRole.Admin, AccessScope.Environment).WithSummary("Freeze an environment for a time")
            .WithDescription("Nothing is deployed there meanwhile; an admin can override a freeze with a reason, which is recorded and shown.")
            .ProducesValidationProblem()
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
        environments.MapDelete("/{environment}/freezes/{freeze}", LiftAsync)
            .WithName("LiftFreeze").RequireAccess(AccessRole.Admin, AccessScope.Environment).WithSummary("Lift a freeze")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Ok<EnvironmentsJson>> ListAsync(EnvironmentBook book, ICurrentActor current, CancellationToken cancellationToken) =>
        TypedResults.Ok(new EnvironmentsJson(await book.ListAsync(await current.GetAsync(cancellationToken), cancellationToken)));

    private static async Task<Results<Ok<EnvironmentView>, ProblemHttpResult>> ChangeAsync(
        string environment, EnvironmentJson body, EnvironmentBook book, ICurrentActor current, CancellationToken cancellationToken)
    {
        if (Check(environment) is { } problem)
        {
            return problem;
        }

        if (body is { Protected: null, MaxConcurrent: null })
        {
            return Problem.Invalid("protected", "Say true or false, or give 'max_concurrent'.");
        }

        if (body.MaxConcurrent is < 0 or > EnvironmentRules.HighestLimit)
        {
            return Problem.Invalid("max_concurrent", $"A limit is 1 to {EnvironmentRules.HighestLimit} deployments at a time; 0 lifts it.");
        }

        var actor = await current.GetAsync(cancellationToken);
        await book.ChangeAsync(
            actor, environment, new EnvironmentChange { Protected = body.Protected, MaxConcurrent = body.MaxConcurrent }, cancellationToken);
        return TypedResults.Ok((await book.ListAsync(actor, cancellationToken)).Single(view => view.Name == environment));
    }

    private static async Task<Results<Created<FreezeView>, ProblemHttpResult>> FreezeAsync(
        string environment, FreezeJson body, EnvironmentBook book, ICurrentActor current, TimeProvider time, CancellationToken cancellationToken)
    {
        if (Check(environment) is { } problem)
        {
            return problem;
        }

        var now = Instant.FromDateTimeOffset(time.GetUtcNow());
        var errors = FreezeCheck.Errors(body.StartsAt ?? now, body.EndsAt, body.Reason, now);
        if (errors.Count > 0)
        {
            return Problem.Invalid(errors);
        }

        var freeze = await book.FreezeAsync(
            await current.GetAsync(cancellationToken), environment, new Interval(body.StartsAt ?? now, body.EndsAt), body.Reason!.Trim(), cancellationToken);
        return TypedResults.Created($"/api/environments/{environment}/freezes/{freeze.Id}", freeze);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> LiftAsync(
        string environment, string freeze, EnvironmentBook book, ICurrentActor current, CancellationToken cancellationToken) =>
        DeploymentsApi.TryParseId(freeze, out var id) && await book.LiftAsync(await current.GetAsync(cancellationToken), environment, id, cancellationToken)
            ? TypedResults.NoContent()
            : Problem.Unknown("freeze_unknown", $"{environment} has no freeze '{freeze}'; GET /api/environments lists them.");

    private static ProblemHttpResult? Check(string environment) => AppValidation.IsLabel(environment)
        ? null
        : Problem.Invalid("environment", "An environment's name has 1 to 63 lower-case letters, digits and hyphens, e.g. production.");
}
