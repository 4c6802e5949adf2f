using System.ComponentModel.DataAnnotations;

namespace Deployer.Core.Access;

/// <summary>Who may come in, and how. Configuration section <c>Auth</c>.</summary>
public sealed class AuthOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Auth";

    /// <summary>
    /// Text of an API token with the owner's rights, made at the first start for automation. Later changes have no
    /// effect. Configuration key <c>Auth:BootstrapToken</c>.
    /// </summary>
    public string? BootstrapToken { get; set; }

    /// <summary>Days for which an unused session stays signed in. Configuration key <c>Auth:SessionDays</c>.</summary>
    [Range(1, 365, ErrorMessage = "Auth:SessionDays must be 1–365.")]
    public int SessionDays { get; set; } = 14;

    /// <summary>Days for which an invitation link works. Configuration key <c>Auth:InvitationDays</c>.</summary>
    [Range(1, 90, ErrorMessage = "Auth:InvitationDays must be 1–90.")]
    public int InvitationDays { get; set; } = 7;
}
