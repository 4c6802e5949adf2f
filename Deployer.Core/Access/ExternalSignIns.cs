using System.Data;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Core.Access;

/// <summary>Somebody for whom the organisation's sign-in system vouches, as its signed token says.</summary>
/// <param name="Issuer">The system: the token's <c>iss</c>.</param>
/// <param name="Subject">Who it is there: <c>sub</c>, which never changes and is never given to another (OpenID Connect Core, 2).</param>
/// <param name="Email">E-mail address; it may change, and may pass to another person.</param>
/// <param name="EmailIsVerified">Whether the system says that the person was seen to receive mail there.</param>
/// <param name="Name">Name for others to see.</param>
public sealed record ExternalIdentity(string Issuer, string Subject, string? Email, bool EmailIsVerified, string? Name);

/// <summary>Why somebody who proved who they are elsewhere does not come in here.</summary>
public enum ExternalFault
{
    /// <summary>They come in.</summary>
    None,

    /// <summary>The e-mail address is missing or not known to be theirs.</summary>
    Unverified,

    /// <summary>Nobody here has that e-mail address, and nobody invited it.</summary>
    Unknown,

    /// <summary>The account is shut.</summary>
    Shut,

    /// <summary>The account with that e-mail address belongs to somebody else of the same system.</summary>
    LinkedElsewhere,

    /// <summary>Nobody owns the installation yet.</summary>
    NoOwner,
}

/// <summary>What came of it.</summary>
/// <param name="PersonId">Who comes in; <see langword="null"/> for nobody.</param>
/// <param name="Fault">Why not.</param>
public sealed record ExternalEntry(string? PersonId, ExternalFault Fault);

/// <summary>
/// Finds the account of somebody who signed in at the organisation's sign-in system. The first time the account is found
/// by the verified e-mail address and linked to the subject; from then on the subject alone counts.
/// </summary>
public sealed class ExternalSignIns(
    IServiceScopeFactory scopes, People people, Invitations invitations, FirstRun firstRun, AuditLog audit)
{
    /// <summary>Who comes in.</summary>
    /// <param name="identity">What the system says.</param>
    /// <param name="system">Name of the system, for the link and the audit log.</param>
    /// <param name="admitUnknown">Whether somebody without account and invitation is let in, with no role.</param>
    /// <param name="address">Network address of the person.</param>
    /// <param name="cancellationToken">Cancels the work.</param>
    public async Task<ExternalEntry> FindAsync(
        ExternalIdentity identity, string system, bool admitUnknown, string? address, CancellationToken cancellationToken)
    {
        // Whoever owns this installation decides who comes in; before there is an owner, nobody has decided.
        if (!await firstRun.HasOwnerAsync(cancellationToken))
        {
            return Refused(ExternalFault.NoOwner);
        }

        await using var scope = scopes.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<Person>>();
        var db = scope.ServiceProvider.GetRequiredService<DeployerDb>();
        await using (var transaction = await db.Database.BeginTransactionAsync(IsolationLevel.Serializable, cancellationToken))
        {
            if (await users.FindByLoginAsync(identity.Issuer, identity.Subject) is { } linked)
            {
                return linked.DisabledAt is null ? new ExternalEntry(linked.Id, ExternalFault.None) : Refused(ExternalFault.Shut);
            }

            if (!identity.EmailIsVerified || !EmailAddress.IsValid(identity.Email))
            {
                return Refused(ExternalFault.Unverified);
            }

            if (await users.FindByEmailAsync(identity.Email) is { } person)
            {
                var entry = await LinkAsync(users, db, person, identity, system, address, cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                return entry;
            }
        }

        var change = await JoinAsync(identity, system, admitUnknown, address, cancellationToken);
        return change is { Done: true } ? new ExternalEntry(change.PersonId, ExternalFault.None) : Refused(ExternalFault.Unknown);
    }

    private static ExternalEntry Refused(ExternalFault fault) => new(PersonId: null, fault);

    private async Task<ExternalEntry> LinkAsync(
        UserManager<Person> users, DeployerDb db, Person person, ExternalIdentity identity, string system, string? address, CancellationToken cancellationToken)
    {
        if (person.DisabledAt is not null)
        {
            return Refused(ExternalFault.Shut);
        }

        // The address was somebody else's when the account was linked: it has passed on, the account has not.
        if ((await users.GetLoginsAsync(person)).Any(login => string.Equals(login.LoginProvider, identity.Issuer, StringComparison.Ordinal)))
        {
            return Refused(ExternalFault.LinkedElsewhere);
        }

        var added = await users.AddLoginAsync(person, new UserLoginInfo(identity.Issuer, identity.Subject, system));
        if (!added.Succeeded)
        {
            throw new InvalidOperationException($"The account could not be linked: {string.Join(' ', added.Errors.Select(error => error.Code))}.");
        }

        audit.Stage(db, new Actor(ActorKind.Person, person.Id, person.DisplayName, address, []), Linked(person.Email ?? person.Id, system));
        await db.SaveChangesAsync(cancellationToken);
        return new ExternalEntry(person.Id, ExternalFault.None);
    }

    private async Task<PersonChange?> JoinAsync(
        ExternalIdentity identity, string system, bool admitUnknown, string? address, CancellationToken cancellationToken)
    {
        var draft = new NewPerson(identity.Email!, Name(identity), Password: null);
        Task<string?> Link(DeployerDb db, Person person)
        {
            db.Add(new IdentityUserLogin<string>
            {
                LoginProvider = identity.Issuer,
                ProviderKey = identity.Subject,
                ProviderDisplayName = system,
                UserId = person.Id,
            });
            audit.Stage(db, new Actor(ActorKind.Person, person.Id, person.DisplayName, address, []), Linked(identity.Email!, system));
            return Task.FromResult<string?>(null);
        }

        if (await invitations.FindOpenAsync(identity.Email!, cancellationToken) is { } invitation)
        {
            return await invitations.AcceptAsync(invitation, draft, address, Link, cancellationToken);
        }

        return admitUnknown ? await people.CreateAsync(draft, address, AuditAction.PersonJoined, Link, cancellationToken) : null;
    }

    private static AuditFact Linked(string email, string system) =>
        new(AuditAction.PersonLinked, AuditSubject.Person(email)) { Note = system };

    /// <summary>The name as the system writes it, fit for a line of text.</summary>
    private static string Name(ExternalIdentity identity)
    {
        var name = string.Concat((identity.Name ?? "").Where(character => !char.IsControl(character))).Trim();
        return name.Length == 0 ? identity.Email!.Split('@')[0] : name[..Math.Min(100, name.Length)].Trim();
    }
}
