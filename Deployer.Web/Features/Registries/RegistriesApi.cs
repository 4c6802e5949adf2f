using System.ComponentModel;
using Deployer.Core.Access;
using Deployer.Core.Engine;
using Deployer.Core.Registries;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.Web.Features.Registries;

/// <summary>The registries with credentials, without passwords.</summary>
internal sealed record RegistryListJson(IReadOnlyList<RegistryView> Registries);

/// <summary>Credentials.</summary>
internal sealed record RegistryCredentialsJson
{
    [Description("User name.")]
    public string? UserName { get; init; }

    [Description("Password or token. It is stored encrypted, and never shown again.")]
    public string? Password { get; init; }
}

/// <summary>The API of registries: <c>/api/registries</c>.</summary>
public static class RegistriesApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapRegistriesApi(this IEndpointRouteBuilder routes)
    {
        var registries = routes.MapGroup("/api/registries").WithTags("Registries");
        registries.MapGet("/", ListAsync)
            .WithName("ListRegistries").RequireAccess(AccessRole.Admin, AccessScope.Everywhere).WithSummary("List the registries with credentials");
        registries.MapPut("/{host}", SaveAsync)
            .WithName("SaveRegistry").RequireAccess(AccessRole.Admin, AccessScope.Everywhere).WithSummary("Store credentials for a registry")
            .WithDescription("They are used for images whose reference names this host, with its port.")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
        registries.MapDelete("/{host}", RemoveAsync)
            .WithName("RemoveRegistry").RequireAccess(AccessRole.Admin, AccessScope.Everywhere).WithSummary("Forget a registry's credentials")
            .ProducesProblem(StatusCodes.Status404NotFound);
        registries.MapPost("/{host}/test", TestAsync)
            .WithName("TestRegistry").RequireAccess(AccessRole.Admin, AccessScope.Everywhere).WithSummary("Test credentials")
            .WithDescription("Asks the registry, through the engine, whether it takes those in the body, else the stored ones.")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
    }

    private static async Task<Ok<RegistryListJson>> ListAsync(RegistryGate gate, CancellationToken cancellationToken) =>
        TypedResults.Ok(new RegistryListJson(await gate.ListAsync(cancellationToken)));

    private static async Task<Results<NoContent, ProblemHttpResult>> SaveAsync(
        string host, RegistryCredentialsJson body, RegistryGate gate, CancellationToken cancellationToken) =>
        await gate.SaveAsync(host, body.UserName ?? "", body.Password ?? "", cancellationToken) switch
        {
            RegistryChange.Saved => TypedResults.NoContent(),
            RegistryChange.HostInvalid => Problem.Invalid("host", $"'{host}' is no registry host; write it as image references do, e.g. registry.example.com:5000."),
            _ => Problem.Invalid("user_name", "Both user_name and password are wanted; a user name has no colon."),
        };

    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(
        string host, RegistryGate gate, CancellationToken cancellationToken) =>
        await gate.RemoveAsync(host, cancellationToken) == RegistryChange.Saved ? TypedResults.NoContent() : UnknownRegistry(host);

    private static async Task<Results<Ok<RegistryTest>, ProblemHttpResult>> TestAsync(
        string host, RegistryCredentialsJson? body, RegistryGate gate, CancellationToken cancellationToken)
    {
        if (body is { UserName: null } != body is { Password: null })
        {
            return Problem.Invalid("password", "Send both user_name and password, or neither to test the stored ones.");
        }

        var credentials = body is { UserName: { } userName, Password: { } password } ? new RegistryCredentials(userName, password) : null;
        return await gate.TestAsync(host, credentials, cancellationToken) is { } test ? TypedResults.Ok(test) : UnknownRegistry(host);
    }

    private static ProblemHttpResult UnknownRegistry(string host) =>
        Problem.Unknown("registry_unknown", $"No credentials are stored for '{host}'; GET /api/registries lists them.");
}
