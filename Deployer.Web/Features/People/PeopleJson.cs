using System.ComponentModel;
using Deployer.Core.Access;
using NodaTime;

namespace Deployer.Web.Features.People;

/// <summary>A role and where it holds.</summary>
/// <param name="Role">The role.</param>
/// <param name="Environment">The environment; <see langword="null"/> for every one.</param>
internal sealed record RoleJson(AccessRole Role, string? Environment);

/// <summary>A person.</summary>
internal sealed record PersonJson(
    string Id, string Email, string Name, Instant CreatedAt, Instant? DisabledAt, Instant? LastSeenAt, IReadOnlyList<RoleJson> Roles)
{
    /// <summary>As the API shows a person.</summary>
    public static PersonJson Of(PersonView person) => new(
        person.Id, person.Email, person.DisplayName, person.CreatedAt, person.DisabledAt, person.LastSeenAt,
        [.. person.Grants.Select(grant => new RoleJson(grant.Role, grant.Environment))]);
}

/// <summary>Everybody who may sign in.</summary>
internal sealed record PeopleJson(IReadOnlyList<PersonJson> People);

/// <summary>A role to grant.</summary>
internal sealed record GrantJson
{
    [Description("viewer, deployer, admin or owner.")]
    public AccessRole? Role { get; init; }

    [Description("The environment in which it holds; left out, it holds in every one. It replaces the role held there.")]
    public string? Environment { get; init; }
}

/// <summary>Open sessions of a person.</summary>
internal sealed record SessionsJson(IReadOnlyList<SessionView> Sessions);

/// <summary>Who calls.</summary>
/// <param name="Kind">What kind of caller.</param>
/// <param name="Name">Name shown to people and kept in the audit log.</param>
/// <param name="Grants">Roles held, each with where it holds.</param>
internal sealed record CallerJson(ActorKind Kind, string Name, IReadOnlyList<AccessGrant> Grants);

/// <summary>Somebody to invite.</summary>
internal sealed record InviteJson
{
    [Description("E-mail address; the account is made with it.")]
    public string? Email { get; init; }

    [Description("Role that the account receives: viewer, deployer, admin or owner.")]
    public AccessRole? Role { get; init; }

    [Description("The environment in which it holds; left out, it holds in every one.")]
    public string? Environment { get; init; }
}

/// <summary>Invitations that still work.</summary>
internal sealed record InvitationsJson(IReadOnlyList<InvitationView> Invitations);

/// <summary>An invitation just made.</summary>
/// <param name="Invitation">What is kept of it.</param>
/// <param name="Link">The link to send to the person; it is shown this once, and works once.</param>
/// <param name="Mailed">Whether the link went to the person by e-mail; never where no mail server is set.</param>
/// <param name="MailError">Why it could not be sent; then pass it on by hand.</param>
internal sealed record NewInvitationJson(InvitationView Invitation, string Link, bool Mailed, string? MailError);
