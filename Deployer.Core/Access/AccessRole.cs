namespace Deployer.Core.Access;

/// <summary>What somebody may do; each role may all that the ones before it may.</summary>
public enum AccessRole
{
    /// <summary>Sees apps, deployments and their logs.</summary>
    Viewer = 1,

    /// <summary>Deploys, cancels and restores.</summary>
    Deployer = 2,

    /// <summary>Adds, changes and removes apps, their webhooks and secrets; environments and registries.</summary>
    Admin = 3,

    /// <summary>Invites people, grants roles, makes tokens, reads the audit log and changes settings.</summary>
    Owner = 4,
}

/// <summary>A role and where it holds.</summary>
/// <param name="Role">The role.</param>
/// <param name="Environment">The environment in which it holds; <see langword="null"/> for every one.</param>
/// <param name="App">The app for which it holds; <see langword="null"/> for every one.</param>
public sealed record AccessGrant(AccessRole Role, string? Environment, string? App)
{
    /// <summary>Whether the grant covers a role on an app of an environment.</summary>
    public bool Covers(AccessRole role, string environment, string? app) =>
        Role >= role
        && (Environment is null || string.Equals(Environment, environment, StringComparison.Ordinal))
        && (App is null || string.Equals(App, app, StringComparison.Ordinal));
}
