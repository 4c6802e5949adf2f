using Deployer.Core.Apps;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using NodaTime;

namespace Deployer.Core.Access;

/// <summary>An open invitation as owners see it; the key is not in it.</summary>
public sealed record InvitationView(
    long Id, string Email, AccessRole Role, string? Environment, string CreatedBy, Instant CreatedAt, Instant ExpiresAt);

/// <summary>An invitation just made.</summary>
/// <param name="View">What is kept of it.</param>
/// <param name="Key">The secret of its link, to be shown once.</param>
public sealed record NewInvitation(InvitationView View, string Key);

/// <summary>Links with which people make their own accounts. Each works once and for a few days.</summary>
public sealed class Invitations(
    IDbContextFactory<DeployerDb> databases, People people, AuditLog audit, IOptions<AuthOptions> options, TimeProvider time)
{
    private const string NoInvitation = "This invitation is used, withdrawn or too old. Ask for another.";

    /// <summary>What is wrong with an invitation, by field; empty when nothing is.</summary>
    public async Task<IReadOnlyDictionary<string, string[]>> CheckAsync(
        string? email, AccessRole? role, string? environment, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        if (!EmailAddress.IsValid(email))
        {
            errors.Add("email", "Write the e-mail address as name@example.com.");
        }
        else
        {
            var normalized = email.ToUpperInvariant();
            await using var db = await databases.CreateDbContextAsync(cancellationToken);
            if (await db.People.AnyAsync(person => person.NormalizedEmail == normalized, cancellationToken))
            {
                errors.Add("email", "This person has an account. Grant the role to it.");
            }
        }

        if (role is null)
        {
            errors.Add("role", "Choose viewer, deployer, admin or owner.");
        }

        if (environment is not null && !AppValidation.IsLabel(environment))
        {
            errors.Add("environment", $"'{FieldErrors.Show(environment)}' is no environment name. {AppValidation.DnsLabelRule}");
        }
        else if (environment is not null && role == AccessRole.Owner)
        {
            errors.Add("environment", "An owner owns the whole installation. Leave environment out, or choose another role.");
        }

        return errors.ToDictionary();
    }

    /// <summary>Invites somebody.</summary>
    /// <returns>The invitation, or <see langword="null"/> when <paramref name="email"/> is no e-mail address.</returns>
    /// <exception cref="AccessDeniedException">The caller is no owner.</exception>
    public async Task<NewInvitation?> InviteAsync(
        Actor actor, string email, AccessRole role, string? environment, CancellationToken cancellationToken)
    {
        actor.DemandEverywhere(AccessRole.Owner);
        if (!EmailAddress.IsValid(email))
        {
            return null;
        }

        var key = AccessKey.Create("");
        var now = time.Now();
        var invitation = new Invitation
        {
            KeyHash = AccessKey.Hash(key),
            Email = email,
            Role = role,
            Environment = role == AccessRole.Owner ? null : environment,
            CreatedBy = actor.Name,
            CreatedAt = now,
            ExpiresAt = now + Duration.FromDays(options.Value.InvitationDays),
        };
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        db.Add(invitation);
        audit.Stage(db, actor, new AuditFact(AuditAction.PersonInvited, AuditSubject.Person(email))
        {
            Environment = invitation.Environment,
            After = new { role, invitation.ExpiresAt },
        });
        await db.SaveChangesAsync(cancellationToken);
        return new NewInvitation(View(invitation), key);
    }

    /// <summary>Invitations that still work, newest first.</summary>
    /// <exception cref="AccessDeniedException">The caller is no owner.</exception>
    public async Task<IReadOnlyList<InvitationView>> ListAsync(Actor actor, CancellationToken cancellationToken)
    {
        actor.DemandEverywhere(AccessRole.Owner);
        var now = time.Now();
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Set<Invitation>().AsNoTracking()
            .Where(invitation => invitation.UsedAt == null && invitation.ExpiresAt > now)
            .OrderByDescending(invitation => invitation.Id).Select(invitation => View(invitation)).ToListAsync(cancellationToken);
    }

    /// <summary>Withdraws an invitation.</summary>
    /// <returns>Whether there was such an open invitation.</returns>
    /// <exception cref="AccessDeniedException">The caller is no owner.</exception>
    public async Task<bool> WithdrawAsync(Actor actor, long id, CancellationToken cancellationToken)
    {
        actor.DemandEverywhere(AccessRole.Owner);
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var invitation = await db.Set<Invitation>()
            .FirstOrDefaultAsync(invitation => invitation.Id == id && invitation.UsedAt == null, cancellationToken);
        if (invitation is null)
        {
            return false;
        }

        db.Remove(invitation);
        audit.Stage(db, actor, new AuditFact(AuditAction.InvitationWithdrawn, AuditSubject.Person(invitation.Email)));
        await db.SaveChangesAsync(cancellationToken);
        return true;
    }

    /// <summary>The invitation of a link; <see langword="null"/> when it is unknown, used or too old.</summary>
    public async Task<InvitationView?> FindAsync(string key, CancellationToken cancellationToken)
    {
        var hash = AccessKey.Hash(key);
        var now = time.Now();
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Set<Invitation>().AsNoTracking()
            .Where(invitation => invitation.KeyHash == hash && invitation.UsedAt == null && invitation.ExpiresAt > now)
            .Select(invitation => View(invitation)).FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>Makes the account of an invited person, with the invited address. Of two who use one link, one is refused.</summary>
    /// <param name="key">The secret of the link.</param>
    /// <param name="displayName">Name shown to others.</param>
    /// <param name="password">Password; <see langword="null"/> for somebody who signs in through another system.</param>
    /// <param name="address">Network address of the person.</param>
    /// <param name="cancellationToken">Cancels the work.</param>
    public async Task<PersonChange> AcceptAsync(
        string key, string displayName, string? password, string? address, CancellationToken cancellationToken)
    {
        if (await FindAsync(key, cancellationToken) is not { } invitation)
        {
            return PersonChange.Refused(NoInvitation);
        }

        return await AcceptAsync(
            invitation, new NewPerson(invitation.Email, displayName, password), address, (_, _) => Task.FromResult<string?>(null), cancellationToken);
    }

    /// <summary>The newest open invitation of an e-mail address, for somebody whose address another system vouches for.</summary>
    internal async Task<InvitationView?> FindOpenAsync(string email, CancellationToken cancellationToken)
    {
        var now = time.Now();
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var open = await db.Set<Invitation>().AsNoTracking()
            .Where(invitation => invitation.UsedAt == null && invitation.ExpiresAt > now)
            .OrderByDescending(invitation => invitation.Id).Select(invitation => View(invitation)).ToListAsync(cancellationToken);
        return open.Find(invitation => string.Equals(invitation.Email, email, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Makes the account of an invited person together with what <paramref name="complete"/> adds to it, or nothing at all.</summary>
    internal Task<PersonChange> AcceptAsync(
        InvitationView invitation, NewPerson draft, string? address, Func<DeployerDb, Person, Task<string?>> complete, CancellationToken cancellationToken) =>
        people.CreateAsync(draft, address, AuditAction.PersonJoined, async (db, person) =>
        {
            var now = time.Now();
            var used = await db.Set<Invitation>().Where(row => row.Id == invitation.Id && row.UsedAt == null)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.UsedAt, now), cancellationToken);
            if (used == 0)
            {
                return NoInvitation;
            }

            db.Add(new PersonGrant { PersonId = person.Id, Role = invitation.Role, Environment = invitation.Environment });
            return await complete(db, person);
        }, cancellationToken);

    private static InvitationView View(Invitation invitation) => new(
        invitation.Id, invitation.Email, invitation.Role, invitation.Environment,
        invitation.CreatedBy, invitation.CreatedAt, invitation.ExpiresAt);
}
