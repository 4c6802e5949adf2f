using System.ComponentModel;
using Deployer.Core.Access;
using Deployer.Web.Features.Deployments;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;
using NodaTime;

namespace Deployer.Web.Features.Tokens;

/// <summary>Tokens that are not revoked.</summary>
internal sealed record TokensJson(IReadOnlyList<ApiTokenView> Tokens);

/// <summary>A token to make.</summary>
internal sealed record TokenJson
{
    [Description("What it is for, e.g. CI of the shop.")]
    public string? Name { get; init; }

    [Description("Its role: viewer, deployer, admin or owner.")]
    public AccessRole? Role { get; init; }

    [Description("The environment in which it holds; left out, it holds in every one.")]
    public string? Environment { get; init; }

    [Description("The app for which it holds; left out, it holds for every one.")]
    public string? App { get; init; }

    [Description("For how many days it works; left out, without end.")]
    public int? ExpiresInDays { get; init; }
}

/// <summary>A token just made.</summary>
/// <param name="Details">What is kept of it.</param>
/// <param name="Token">The token; it is shown this once.</param>
internal sealed record NewTokenJson(ApiTokenView Details, string Token);

/// <summary>The API of API tokens: <c>/api/tokens</c>.</summary>
public static class TokensApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapTokensApi(this IEndpointRouteBuilder routes)
    {
        var tokens = routes.MapGroup("/api/tokens").WithTags("Tokens").RequireAccess(AccessRole.Owner, AccessScope.Everywhere);
        tokens.MapGet("/", ListAsync).WithName("ListTokens").WithSummary("List the API tokens, newest first")
            .WithDescription("Those that are not revoked, with when each was last used; never the tokens themselves.");
        tokens.MapPost("/", CreateAsync).WithName("CreateToken").WithSummary("Make an API token")
            .WithDescription("Send it as 'Authorization: Bearer …'. It is shown this once; only a hash of it is kept.")
            .ProducesValidationProblem()
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
        tokens.MapDelete("/{token}", RevokeAsync).WithName("RevokeToken").WithSummary("Revoke an API token, at once and for ever")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Ok<TokensJson>> ListAsync(ApiTokens tokens, ICurrentActor current, CancellationToken cancellationToken) =>
        TypedResults.Ok(new TokensJson(await tokens.ListAsync(await current.GetAsync(cancellationToken), cancellationToken)));

    private static async Task<Results<Created<NewTokenJson>, ProblemHttpResult>> CreateAsync(
        TokenJson body, ApiTokens tokens, ICurrentActor current, CancellationToken cancellationToken)
    {
        if (body.Role is not { } role)
        {
            return Problem.Invalid("role", "Say which role: viewer, deployer, admin or owner.");
        }

        var draft = new ApiTokenDraft(
            body.Name ?? "", role, body.Environment, body.App, body.ExpiresInDays is { } days ? Duration.FromDays(days) : null);
        var errors = await tokens.CheckAsync(draft, cancellationToken);
        if (errors.Count > 0)
        {
            return Problem.Invalid(errors);
        }

        var made = await tokens.CreateAsync(await current.GetAsync(cancellationToken), draft, cancellationToken);
        return TypedResults.Created($"/api/tokens/{made.View.Id}", new NewTokenJson(made.View, made.Token));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> RevokeAsync(
        string token, ApiTokens tokens, ICurrentActor current, CancellationToken cancellationToken) =>
        DeploymentsApi.TryParseId(token, out var id) && await tokens.RevokeAsync(await current.GetAsync(cancellationToken), id, cancellationToken)
            ? TypedResults.NoContent()
            : Problem.Unknown("token_unknown", $"There is no token '{token}'; GET /api/tokens lists them by id.");
}
