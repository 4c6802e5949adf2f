using Deployer.Core.Access;

namespace Deployer.Web.Features.People;

/// <summary>Roles in words for people.</summary>
internal static class RoleWords
{
    /// <summary>The roles, the least first.</summary>
    public static IReadOnlyList<AccessRole> All { get; } = Enum.GetValues<AccessRole>();

    /// <summary>Its name.</summary>
    public static string Name(AccessRole role) => role switch
    {
        AccessRole.Viewer => "Viewer",
        AccessRole.Deployer => "Deployer",
        AccessRole.Admin => "Admin",
        _ => "Owner",
    };

    /// <summary>What it may do.</summary>
    public static string Meaning(AccessRole role) => role switch
    {
        AccessRole.Viewer => "sees apps, deployments and logs",
        AccessRole.Deployer => "also deploys, cancels, approves and restores",
        AccessRole.Admin => "also changes apps, secrets, environments and registries",
        _ => "also invites people, makes tokens and reads the audit log",
    };

    /// <summary>Where it holds.</summary>
    public static string Where(string? environment) => environment ?? "every environment";

    /// <summary>A role and where it holds.</summary>
    public static string Of(AccessGrant grant) =>
        $"{Name(grant.Role)} in {Where(grant.Environment)}{(grant.App is { } app ? $", {app} alone" : "")}";
}
