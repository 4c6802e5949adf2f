using Microsoft.AspNetCore.Identity;
using NodaTime;

namespace Deployer.Core.Access;

/// <summary>Somebody who may sign in. Signs in with the e-mail address, which is also the user name.</summary>
public sealed class Person : IdentityUser
{
    /// <summary>Name shown to others.</summary>
    public required string DisplayName { get; set; }

    /// <summary>When the account was made.</summary>
    public required Instant CreatedAt { get; init; }

    /// <summary>Since when the account is shut; <see langword="null"/> while it is open.</summary>
    public Instant? DisabledAt { get; set; }
}

/// <summary>One row of <c>person_grants</c>: a role that a person holds in one environment or in all.</summary>
public sealed class PersonGrant
{
    /// <summary>Database key.</summary>
    public long Id { get; init; }

    /// <summary>The person.</summary>
    public required string PersonId { get; init; }

    /// <summary>The role.</summary>
    public required AccessRole Role { get; init; }

    /// <summary>The environment; <see langword="null"/> for every one.</summary>
    public string? Environment { get; init; }
}

/// <summary>One row of <c>sessions</c>: a browser in which a person signed in.</summary>
public sealed class Session
{
    /// <summary>Id shown in lists; says nothing about the cookie.</summary>
    public required Guid Id { get; init; }

    /// <summary>SHA-256 of the key that the cookie carries; the key itself is not stored.</summary>
    public required byte[] KeyHash { get; init; }

    /// <summary>The person.</summary>
    public required string PersonId { get; init; }

    /// <summary>The sign-in's claims, encrypted.</summary>
    public required byte[] Ticket { get; set; }

    /// <summary>When the person signed in.</summary>
    public required Instant CreatedAt { get; init; }

    /// <summary>When the session was last used, to about a minute.</summary>
    public required Instant LastSeenAt { get; set; }

    /// <summary>When it ends unless used before.</summary>
    public required Instant ExpiresAt { get; set; }

    /// <summary>Network address of the sign-in.</summary>
    public string? Address { get; init; }

    /// <summary>The browser, in its own words.</summary>
    public string? UserAgent { get; init; }
}

/// <summary>One row of <c>invitations</c>: a link with which one person may make an account.</summary>
public sealed class Invitation
{
    /// <summary>Database key.</summary>
    public long Id { get; init; }

    /// <summary>SHA-256 of the secret in the link.</summary>
    public required byte[] KeyHash { get; init; }

    /// <summary>For whom, as the inviter wrote it: an e-mail address.</summary>
    public required string Email { get; init; }

    /// <summary>Role that the account receives.</summary>
    public required AccessRole Role { get; init; }

    /// <summary>Environment in which it holds; <see langword="null"/> for every one.</summary>
    public string? Environment { get; init; }

    /// <summary>Who invited.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>When.</summary>
    public required Instant CreatedAt { get; init; }

    /// <summary>Until when the link works.</summary>
    public required Instant ExpiresAt { get; init; }

    /// <summary>When it was used; it works once.</summary>
    public Instant? UsedAt { get; set; }
}

/// <summary>One row of <c>api_tokens</c>: a key for automation.</summary>
public sealed class ApiToken
{
    /// <summary>Database key.</summary>
    public long Id { get; init; }

    /// <summary>What it is for, in the words of whoever made it.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the token; the token itself is shown once and not stored.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>Its first characters, so that people can tell tokens apart.</summary>
    public required string Prefix { get; init; }

    /// <summary>Its role.</summary>
    public required AccessRole Role { get; init; }

    /// <summary>The environment in which it holds; <see langword="null"/> for every one.</summary>
    public string? Environment { get; init; }

    /// <summary>The app for which it holds; <see langword="null"/> for every one.</summary>
    public string? App { get; init; }

    /// <summary>Who made it.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>When.</summary>
    public required Instant CreatedAt { get; init; }

    /// <summary>Until when it works; <see langword="null"/> for ever.</summary>
    public Instant? ExpiresAt { get; init; }

    /// <summary>When it was last used, to about a minute.</summary>
    public Instant? LastUsedAt { get; set; }

    /// <summary>When it was revoked.</summary>
    public Instant? RevokedAt { get; set; }
}
