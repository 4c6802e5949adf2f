using System.Globalization;
using Deployer.Core.Access;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Deployer.Web.Features.Security;

/// <summary>Where a role must be held to use an endpoint or a page.</summary>
internal enum AccessScope
{
    /// <summary>For at least one environment or app; what is shown is narrowed to those.</summary>
    Anywhere,

    /// <summary>In every environment.</summary>
    Everywhere,

    /// <summary>For the app that the route value <c>app</c> names.</summary>
    App,

    /// <summary>For the app of the deployment that the route value <c>id</c> names.</summary>
    Deployment,

    /// <summary>In the environment that the route value <c>environment</c> names.</summary>
    Environment,
}

/// <summary>Which role an endpoint or page wants, and where. Metadata of the endpoint, so that a test can list it.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class AccessAttribute(AccessRole role, AccessScope scope) : AuthorizeAttribute(AccessPolicyProvider.Name(role, scope))
{
    /// <summary>The role.</summary>
    public AccessRole Role { get; } = role;

    /// <summary>Where.</summary>
    public AccessScope Scope { get; } = scope;
}

/// <summary>The same as a requirement, for <see cref="AccessHandler"/>.</summary>
internal sealed record AccessRequirement(AccessRole Role, AccessScope Scope) : IAuthorizationRequirement;

/// <summary>Makes the policy of an <see cref="AccessAttribute"/> from its name, which is all that pages in a circuit know.</summary>
internal sealed class AccessPolicyProvider(IOptions<AuthorizationOptions> options) : DefaultAuthorizationPolicyProvider(options)
{
    private const string Prefix = "access";

    /// <summary>The name of a policy, e.g. <c>access:Admin:Everywhere</c>.</summary>
    public static string Name(AccessRole role, AccessScope scope) => $"{Prefix}:{role}:{scope}";

    /// <inheritdoc/>
    public override Task<AuthorizationPolicy?> GetPolicyAsync(string policyName) =>
        policyName.Split(':') is [Prefix, var role, var scope]
            ? Task.FromResult<AuthorizationPolicy?>(Policy(Enum.Parse<AccessRole>(role), Enum.Parse<AccessScope>(scope)))
            : base.GetPolicyAsync(policyName);

    /// <summary>The policy of a role and where it must be held.</summary>
    public static AuthorizationPolicy Policy(AccessRole role, AccessScope scope) =>
        new AuthorizationPolicyBuilder(DeployerAuthentication.Name)
            .RequireAuthenticatedUser().AddRequirements(new AccessRequirement(role, scope)).Build();
}

/// <summary>Puts access rules on endpoints.</summary>
internal static class AccessPolicies
{
    /// <summary>Lets only callers through who hold the role there.</summary>
    public static TBuilder RequireAccess<TBuilder>(this TBuilder builder, AccessRole role, AccessScope scope)
        where TBuilder : IEndpointConventionBuilder =>
        builder.RequireAuthorization(new AccessAttribute(role, scope));
}

/// <summary>Decides by the caller's roles and the app, deployment or environment that the address names.</summary>
internal sealed class AccessHandler(ICurrentActor current, AccessSubjects subjects) : AuthorizationHandler<AccessRequirement>
{
    /// <summary>Key of the request's items under which a refusal notes that the caller may not even see what it asks for.</summary>
    public static readonly object HiddenKey = new();

    /// <inheritdoc/>
    protected override async Task HandleRequirementAsync(AuthorizationHandlerContext context, AccessRequirement requirement)
    {
        var http = context.Resource as HttpContext;
        var actor = await current.GetAsync(http?.RequestAborted ?? CancellationToken.None);
        if (await IsAllowedAsync(actor, requirement, http))
        {
            context.Succeed(requirement);
        }
    }

    private async Task<bool> IsAllowedAsync(Actor actor, AccessRequirement requirement, HttpContext? http)
    {
        // A page inside a circuit has no request of its own: its gates decide about the app that it shows.
        if (http is null)
        {
            return requirement.Scope == AccessScope.Everywhere ? actor.MayEverywhere(requirement.Role) : actor.MayAnywhere(requirement.Role);
        }

        switch (requirement.Scope)
        {
            case AccessScope.Anywhere:
                return actor.MayAnywhere(requirement.Role);
            case AccessScope.Everywhere:
                return actor.MayEverywhere(requirement.Role);
            case AccessScope.Environment:
                return http.GetRouteValue("environment") is string environment && actor.May(requirement.Role, environment, app: null);
            default:
                var subject = await FindSubjectAsync(requirement.Scope, http);
                if (subject is null)
                {
                    // The endpoint says in its own words that there is no such thing.
                    return actor.MayAnywhere(requirement.Role);
                }

                if (actor.Kind != ActorKind.Nobody && !actor.May(AccessRole.Viewer, subject.Environment, subject.App))
                {
                    http.Items[HiddenKey] = true;
                }

                return actor.May(requirement.Role, subject.Environment, subject.App);
        }
    }

    private Task<AccessSubject?> FindSubjectAsync(AccessScope scope, HttpContext http) => scope switch
    {
        AccessScope.App when http.GetRouteValue("app") is string app => subjects.FindAppAsync(app, http.RequestAborted),
        AccessScope.Deployment when long.TryParse(
            http.GetRouteValue("id") as string, NumberStyles.None, CultureInfo.InvariantCulture, out var id) => subjects.FindDeploymentAsync(id, http.RequestAborted),
        _ => Task.FromResult<AccessSubject?>(null),
    };
}
