using System.ComponentModel;
using Deployer.Core.Access;
using Deployer.Core.Secrets;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.Web.Features.Secrets;

/// <summary>An app's secrets, without values.</summary>
internal sealed record SecretListJson(IReadOnlyList<SecretView> Secrets);

/// <summary>A value to store.</summary>
internal sealed record SecretValueJson
{
    [Description("The value. It is stored encrypted, given to containers alone, and never shown again.")]
    public string? Value { get; init; }
}

/// <summary>The API of secrets: <c>/api/apps/{app}/secrets</c>.</summary>
public static class SecretsApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapSecretsApi(this IEndpointRouteBuilder routes)
    {
        var secrets = routes.MapGroup("/api/apps/{app}/secrets").WithTags("Secrets");
        secrets.MapGet("/", ListAsync)
            .WithName("ListSecrets").RequireAccess(AccessRole.Viewer, AccessScope.App).WithSummary("List an app's secrets by name")
            .ProducesProblem(StatusCodes.Status404NotFound);
        secrets.MapPut("/{name}", SetAsync)
            .WithName("SetSecret").RequireAccess(AccessRole.Admin, AccessScope.App).WithSummary("Store a secret's value")
            .WithDescription("Also names it in the app's settings. It takes effect with the next deployment.")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
        secrets.MapDelete("/{name}", RemoveAsync)
            .WithName("RemoveSecret").RequireAccess(AccessRole.Admin, AccessScope.App).WithSummary("Forget a secret")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Results<Ok<SecretListJson>, ProblemHttpResult>> ListAsync(
        string app, SecretGate gate, CancellationToken cancellationToken) =>
        await gate.ListAsync(app, cancellationToken) is { } found ? TypedResults.Ok(new SecretListJson(found)) : Problem.UnknownApp(app);

    private static async Task<Results<NoContent, ProblemHttpResult>> SetAsync(
        string app, string name, SecretValueJson body, SecretGate gate, CancellationToken cancellationToken) =>
        body.Value is not { } value
            ? Problem.Invalid("value", "The value is missing.")
            : await gate.SetAsync(app, name, value, cancellationToken) switch
            {
                SecretChange.Saved => TypedResults.NoContent(),
                SecretChange.AppUnknown => Problem.UnknownApp(app),
                SecretChange.NameInvalid => Problem.Invalid("name", "A variable's name begins with a letter or _, and goes on with letters, digits, _, . and -, e.g. DATABASE_PASSWORD."),
                SecretChange.NameInEnv => Problem.Conflict("name_in_env", $"The app has {name} in env already, in the clear; remove it there first."),
                _ => Problem.Invalid("value", $"A value has at most {SecretBook.MaxValueLength} characters, and no NUL among them."),
            };

    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(
        string app, string name, SecretGate gate, CancellationToken cancellationToken) =>
        await gate.RemoveAsync(app, name, cancellationToken) switch
        {
            SecretChange.Saved => TypedResults.NoContent(),
            SecretChange.AppUnknown => Problem.UnknownApp(app),
            _ => Problem.Unknown("secret_unknown", $"The app has no secret {name}; GET /api/apps/{app}/secrets lists them."),
        };
}
