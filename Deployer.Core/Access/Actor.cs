namespace Deployer.Core.Access;

/// <summary>What kind of caller acts.</summary>
public enum ActorKind
{
    /// <summary>Nobody who is known.</summary>
    Nobody = 0,

    /// <summary>A person who signed in.</summary>
    Person = 1,

    /// <summary>The holder of an API token.</summary>
    Token = 2,

    /// <summary>Whoever sits at the machine of an installation that has no owner yet.</summary>
    FirstRun = 3,

    /// <summary>A registry or repository that called an app's webhook with a valid signature.</summary>
    Webhook = 4,

    /// <summary>Deployer itself.</summary>
    Deployer = 5,
}

/// <summary>Who acts, from where, and what they may do. Made by <see cref="ActorDirectory"/> for each request.</summary>
/// <param name="Kind">The kind of caller.</param>
/// <param name="Id">The person's or token's id; stable, never shown to others.</param>
/// <param name="Name">Name shown to people and kept in the audit log.</param>
/// <param name="Address">Network address the request came from; <see langword="null"/> for Deployer itself.</param>
/// <param name="Grants">Roles held, each with where it holds.</param>
public sealed record Actor(ActorKind Kind, string Id, string Name, string? Address, IReadOnlyList<AccessGrant> Grants)
{
    /// <summary>Somebody unknown, who may nothing.</summary>
    public static Actor Nobody { get; } = new(ActorKind.Nobody, "", "nobody", null, []);

    /// <summary>Deployer itself, for what it does unasked.</summary>
    public static Actor Deployer { get; } =
        new(ActorKind.Deployer, "deployer", "Deployer", null, [new AccessGrant(AccessRole.Owner, null, null)]);

    /// <summary>Whether a role is held on an app of an environment; <paramref name="app"/> is null for the environment itself.</summary>
    public bool May(AccessRole role, string environment, string? app) =>
        Grants.Any(grant => grant.Covers(role, environment, app));

    /// <summary>Whether a role is held in every environment and for every app.</summary>
    public bool MayEverywhere(AccessRole role) =>
        Grants.Any(grant => grant.Role >= role && grant.Environment is null && grant.App is null);

    /// <summary>Whether a role is held for at least one environment or app.</summary>
    public bool MayAnywhere(AccessRole role) => Grants.Any(grant => grant.Role >= role);

    /// <summary>Refuses unless a role is held on an app of an environment.</summary>
    /// <exception cref="AccessDeniedException">It is not; the message names the role and the environment.</exception>
    public void Demand(AccessRole role, string environment, string? app)
    {
        if (!May(role, environment, app))
        {
            throw new AccessDeniedException(role, environment);
        }
    }

    /// <summary>Refuses unless a role is held everywhere.</summary>
    /// <exception cref="AccessDeniedException">It is not; the message names the role.</exception>
    public void DemandEverywhere(AccessRole role)
    {
        if (!MayEverywhere(role))
        {
            throw new AccessDeniedException(role, environment: null);
        }
    }
}

/// <summary>Somebody asked for what their roles do not allow.</summary>
public sealed class AccessDeniedException(AccessRole role, string? environment) : Exception(environment is null
    ? $"This needs the role {RoleName(role)} in every environment."
    : $"This needs the role {RoleName(role)} in the environment {environment}.")
{
    /// <summary>The role that is needed.</summary>
    public AccessRole Role { get; } = role;

    /// <summary>Where it is needed; <see langword="null"/> for everywhere.</summary>
    public string? Environment { get; } = environment;

    private static string RoleName(AccessRole role) => role switch
    {
        AccessRole.Viewer => "viewer",
        AccessRole.Deployer => "deployer",
        AccessRole.Admin => "admin",
        _ => "owner",
    };
}

/// <summary>Says who acts now: the caller of the request or the person behind the page.</summary>
public interface ICurrentActor
{
    /// <summary>Who acts; <see cref="Actor.Nobody"/> when nobody is signed in.</summary>
    ValueTask<Actor> GetAsync(CancellationToken cancellationToken);
}
