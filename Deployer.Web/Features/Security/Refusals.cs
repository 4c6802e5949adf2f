using Deployer.Core.Access;
using Deployer.Web.Features.Problems;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.Web.Features.Security;

/// <summary>How Deployer says no: problem details to programs, a page to people.</summary>
internal static class Refusals
{
    /// <summary>Page where people sign in.</summary>
    public const string SignInPath = "/account/sign-in";

    /// <summary>Page where the first owner is made.</summary>
    public const string SetupPath = "/account/setup";

    /// <summary>Page that says which role is wanted.</summary>
    public const string DeniedPath = "/account/denied";

    /// <summary>The caller is unknown: 401 with the remedy, or the way to the sign-in page.</summary>
    public static async Task ChallengeAsync(HttpContext context)
    {
        var hasOwner = await context.RequestServices.GetRequiredService<FirstRun>().HasOwnerAsync(context.RequestAborted);
        if (IsForPeople(context.Request))
        {
            var back = Uri.EscapeDataString(context.Request.PathBase + context.Request.Path + context.Request.QueryString);
            context.Response.Redirect(hasOwner ? $"{SignInPath}?return={back}" : SetupPath);
            return;
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        await Problem.Of(
            StatusCodes.Status401Unauthorized,
            "sign_in_required",
            hasOwner
                ? "Send an API token as 'Authorization: Bearer …'; an owner makes one on the page API tokens. The token sent, if any, is unknown, expired or revoked."
                : "Nobody owns this Deployer yet. Open its page on the machine itself, or with the setup code that it printed at the start, or set Auth:BootstrapToken and send it as 'Authorization: Bearer …'.")
            .ExecuteAsync(context);
    }

    /// <summary>The caller's roles do not allow it: 403 with the role that is wanted, or 404 for what the caller may not see.</summary>
    public static Task ForbidAsync(HttpContext context)
    {
        if (IsForPeople(context.Request))
        {
            context.Response.Redirect(DeniedPath);
            return Task.CompletedTask;
        }

        if (context.Items.ContainsKey(AccessHandler.HiddenKey))
        {
            return (context.GetRouteValue("app") is string app ? Problem.UnknownApp(app) : Problem.UnknownDeployment($"{context.GetRouteValue("id")}"))
                .ExecuteAsync(context);
        }

        var wanted = context.GetEndpoint()?.Metadata.GetMetadata<AccessAttribute>();
        return Denied(wanted is null
            ? "Your roles do not allow this. Ask an owner for more."
            : $"This needs the role {Word(wanted.Role)}{Where(wanted.Scope)}. Ask an owner to grant it on the page People, or use a token that has it.")
            .ExecuteAsync(context);
    }

    /// <summary>403 with the remedy.</summary>
    public static ProblemHttpResult Denied(string detail) => Problem.Of(StatusCodes.Status403Forbidden, "access_denied", detail);

    private static bool IsForPeople(HttpRequest request) =>
        HttpMethods.IsGet(request.Method)
        && !request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase)
        && !request.Path.StartsWithSegments("/_blazor", StringComparison.OrdinalIgnoreCase)
        && !request.Headers.ContainsKey("Authorization");

    private static string Word(AccessRole role) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(role.ToString());

    private static string Where(AccessScope scope) => scope switch
    {
        AccessScope.Everywhere => " in every environment",
        AccessScope.App or AccessScope.Deployment => " for this app or its environment",
        AccessScope.Environment => " in this environment",
        _ => "",
    };
}

/// <summary>Lets the scheme answer refusals itself, whatever endpoint was asked for.</summary>
internal sealed class RefusalHandler : IAuthorizationMiddlewareResultHandler
{
    /// <inheritdoc/>
    public Task HandleAsync(
        RequestDelegate next, HttpContext context, AuthorizationPolicy policy, Microsoft.AspNetCore.Authorization.Policy.PolicyAuthorizationResult authorizeResult)
    {
        if (authorizeResult.Challenged)
        {
            return Refusals.ChallengeAsync(context);
        }

        return authorizeResult.Forbidden ? Refusals.ForbidAsync(context) : next(context);
    }
}
