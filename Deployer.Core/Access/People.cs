using System.Data;
using Deployer.Core.Apps;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Deployer.Core.Access;

/// <summary>A person as owners see them.</summary>
/// <param name="Id">Their id.</param>
/// <param name="Email">E-mail address, with which they sign in.</param>
/// <param name="DisplayName">Name shown to others.</param>
/// <param name="CreatedAt">When the account was made.</param>
/// <param name="DisabledAt">Since when it is shut; <see langword="null"/> while it is open.</param>
/// <param name="LastSeenAt">When they last used one of their open sessions, to about a minute; <see langword="null"/> without one.</param>
/// <param name="Grants">Roles held, each with where it holds.</param>
public sealed record PersonView(
    string Id, string Email, string DisplayName, Instant CreatedAt, Instant? DisabledAt, Instant? LastSeenAt, IReadOnlyList<AccessGrant> Grants);

/// <summary>An account to be made.</summary>
/// <param name="Email">E-mail address, with which the person signs in.</param>
/// <param name="DisplayName">Name shown to others.</param>
/// <param name="Password">Password; <see langword="null"/> for somebody who signs in through another system.</param>
public sealed record NewPerson(string Email, string DisplayName, string? Password);

/// <summary>Why a change to people was not made.</summary>
public enum PersonFault
{
    /// <summary>It was made.</summary>
    None,

    /// <summary>Something given is wrong.</summary>
    Invalid,

    /// <summary>There is no such person.</summary>
    Unknown,

    /// <summary>Nobody would own the installation any more.</summary>
    LastOwner,
}

/// <summary>What came of a change to people.</summary>
/// <param name="PersonId">The person; <see langword="null"/> when nothing was changed.</param>
/// <param name="Errors">What is wrong, each with its remedy; empty when all went well.</param>
public sealed record PersonChange(string? PersonId, IReadOnlyList<string> Errors)
{
    /// <summary>Whether the change was made.</summary>
    public bool Done => Errors.Count == 0;

    /// <summary>Why not.</summary>
    public PersonFault Fault { get; private init; }

    internal static PersonChange Unknown { get; } =
        new(null, ["There is no such person; reload the page."]) { Fault = PersonFault.Unknown };

    internal static PersonChange LastOwner { get; } =
        new(null, ["This is the last owner. Make somebody else an owner first."]) { Fault = PersonFault.LastOwner };

    internal static PersonChange Refused(params string[] errors) => new(null, errors) { Fault = PersonFault.Invalid };
}

/// <summary>The people who may sign in and the roles they hold. For owners, save for making the first of them.</summary>
public sealed class People(
    IServiceScopeFactory scopes, IDbContextFactory<DeployerDb> databases, AuditLog audit, AccessFeed feed, TimeProvider time)
{
    /// <summary>
    /// Makes the first owner. The caller has made sure that whoever asks sits at the machine or knows the setup code.
    /// Of two who ask at once, one is refused.
    /// </summary>
    public Task<PersonChange> CreateOwnerAsync(NewPerson draft, string? address, CancellationToken cancellationToken) =>
        CreateAsync(draft, address, AuditAction.OwnerCreated, async (db, person) =>
        {
            if (await Owners(db).AnyAsync(cancellationToken))
            {
                return "This installation has an owner. Ask them for an invitation.";
            }

            db.Add(new PersonGrant { PersonId = person.Id, Role = AccessRole.Owner });
            return null;
        }, cancellationToken);

    /// <summary>Everybody, by name.</summary>
    /// <exception cref="AccessDeniedException">The caller is no owner.</exception>
    public Task<IReadOnlyList<PersonView>> ListAsync(Actor actor, CancellationToken cancellationToken) =>
        ReadAsync(actor, personId: null, cancellationToken);

    /// <summary>One person; <see langword="null"/> when there is none of that id.</summary>
    /// <exception cref="AccessDeniedException">The caller is no owner.</exception>
    public async Task<PersonView?> FindAsync(Actor actor, string personId, CancellationToken cancellationToken) =>
        (await ReadAsync(actor, personId, cancellationToken)).SingleOrDefault();

    private async Task<IReadOnlyList<PersonView>> ReadAsync(Actor actor, string? personId, CancellationToken cancellationToken)
    {
        actor.DemandEverywhere(AccessRole.Owner);
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var people = await db.People.AsNoTracking().Where(person => personId == null || person.Id == personId).OrderBy(person => person.DisplayName)
            .Select(person => new
            {
                person.Id,
                person.Email,
                person.DisplayName,
                person.CreatedAt,
                person.DisabledAt,
                LastSeenAt = db.Set<Session>().Where(session => session.PersonId == person.Id).Max(session => (Instant?)session.LastSeenAt),
                Grants = db.Set<PersonGrant>().Where(grant => grant.PersonId == person.Id)
                    .Select(grant => new AccessGrant(grant.Role, grant.Environment, null)).ToList(),
            })
            .ToListAsync(cancellationToken);
        return [.. people.Select(person => new PersonView(
            person.Id, person.Email ?? "", person.DisplayName, person.CreatedAt, person.DisabledAt, person.LastSeenAt, person.Grants))];
    }

    /// <summary>Grants a role in one environment or in all, in place of the one held there; <see langword="null"/> takes it.</summary>
    /// <exception cref="AccessDeniedException">The caller is no owner.</exception>
    public async Task<PersonChange> GrantAsync(
        Actor actor, string personId, string? environment, AccessRole? role, CancellationToken cancellationToken)
    {
        actor.DemandEverywhere(AccessRole.Owner);
        if (role is AccessRole.Owner && environment is not null)
        {
            return PersonChange.Refused("An owner owns the whole installation. Choose every environment, or another role.");
        }

        if (environment is not null && !AppValidation.IsLabel(environment))
        {
            return PersonChange.Refused($"'{FieldErrors.Show(environment)}' is no environment name. {AppValidation.DnsLabelRule}");
        }

        await using (var db = await databases.CreateDbContextAsync(cancellationToken))
        {
            await using var transaction = await db.Database.BeginTransactionAsync(IsolationLevel.Serializable, cancellationToken);
            var email = await db.People.Where(person => person.Id == personId).Select(person => person.Email).FirstOrDefaultAsync(cancellationToken);
            if (email is null)
            {
                return PersonChange.Unknown;
            }

            var held = await db.Set<PersonGrant>()
                .FirstOrDefaultAsync(grant => grant.PersonId == personId && grant.Environment == environment, cancellationToken);
            if (held is { Role: AccessRole.Owner } && role != AccessRole.Owner && !await OtherOwnersAsync(db, personId, cancellationToken))
            {
                return PersonChange.LastOwner;
            }

            if (held is not null)
            {
                db.Remove(held);
                await db.SaveChangesAsync(cancellationToken);
            }

            if (role is { } granted)
            {
                db.Add(new PersonGrant { PersonId = personId, Role = granted, Environment = environment });
            }

            audit.Stage(db, actor, new AuditFact(AuditAction.RoleChanged, AuditSubject.Person(email))
            {
                Environment = environment,
                Before = held is null ? null : new { role = held.Role },
                After = role is null ? null : new { role },
            });
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        feed.Publish();
        return new PersonChange(personId, []);
    }

    /// <summary>Shuts an account and ends its sessions.</summary>
    /// <exception cref="AccessDeniedException">The caller is no owner.</exception>
    public Task<PersonChange> DisableAsync(Actor actor, string personId, CancellationToken cancellationToken) =>
        SetDisabledAsync(actor, personId, time.Now(), AuditAction.PersonDisabled, cancellationToken);

    /// <summary>Opens a shut account again.</summary>
    /// <exception cref="AccessDeniedException">The caller is no owner.</exception>
    public Task<PersonChange> EnableAsync(Actor actor, string personId, CancellationToken cancellationToken) =>
        SetDisabledAsync(actor, personId, disabledAt: null, AuditAction.PersonEnabled, cancellationToken);

    /// <summary>Removes an account with its roles, sessions and passkeys. What the person did stays in the audit log under the name.</summary>
    /// <exception cref="AccessDeniedException">The caller is no owner.</exception>
    public async Task<PersonChange> RemoveAsync(Actor actor, string personId, CancellationToken cancellationToken)
    {
        actor.DemandEverywhere(AccessRole.Owner);
        await using (var db = await databases.CreateDbContextAsync(cancellationToken))
        {
            await using var transaction = await db.Database.BeginTransactionAsync(IsolationLevel.Serializable, cancellationToken);
            var person = await db.People.Where(person => person.Id == personId)
                .Select(person => new { person.Email, person.DisplayName }).FirstOrDefaultAsync(cancellationToken);
            if (person is null)
            {
                return PersonChange.Unknown;
            }

            if (!await OtherOwnersAsync(db, personId, cancellationToken))
            {
                return PersonChange.LastOwner;
            }

            var grants = await db.Set<PersonGrant>().Where(grant => grant.PersonId == personId)
                .Select(grant => new { grant.Role, grant.Environment }).ToListAsync(cancellationToken);
            audit.Stage(db, actor, new AuditFact(AuditAction.PersonRemoved, AuditSubject.Person(person.Email ?? personId))
            {
                Before = new { Name = person.DisplayName, Roles = grants },
            });
            await db.SaveChangesAsync(cancellationToken);
            await db.People.Where(person => person.Id == personId).ExecuteDeleteAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        feed.Publish();
        return new PersonChange(personId, []);
    }

    /// <summary>
    /// Makes an account together with what <paramref name="complete"/> adds to it, or nothing at all. A text from
    /// <paramref name="complete"/> refuses.
    /// </summary>
    internal async Task<PersonChange> CreateAsync(
        NewPerson draft, string? address, string action, Func<DeployerDb, Person, Task<string?>> complete, CancellationToken cancellationToken)
    {
        var errors = Validate(draft);
        if (errors.Length > 0)
        {
            return PersonChange.Refused(errors);
        }

        await using var scope = scopes.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<Person>>();
        var db = scope.ServiceProvider.GetRequiredService<DeployerDb>();
        var email = draft.Email.Trim();
        var person = new Person
        {
            UserName = email,
            Email = email,
            DisplayName = draft.DisplayName.Trim(),
            CreatedAt = time.Now(),
        };

        // Serializable is SQLite's BEGIN IMMEDIATE: of two first owners the second waits, and then finds the first.
        await using var transaction = await db.Database.BeginTransactionAsync(IsolationLevel.Serializable, cancellationToken);
        var result = draft.Password is null ? await users.CreateAsync(person) : await users.CreateAsync(person, draft.Password);
        if (!result.Succeeded)
        {
            return PersonChange.Refused([.. result.Errors.Select(error => error.Description).Distinct(StringComparer.Ordinal)]);
        }

        if (await complete(db, person) is { } refusal)
        {
            return PersonChange.Refused(refusal);
        }

        audit.Stage(db, new Actor(ActorKind.Person, person.Id, person.DisplayName, address, []),
            new AuditFact(action, AuditSubject.Person(email)));
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        feed.Publish();
        return new PersonChange(person.Id, []);
    }

    private static string[] Validate(NewPerson draft)
    {
        var errors = new List<string>();
        if (!EmailAddress.IsValid(draft.Email))
        {
            errors.Add("E-mail address: write it as name@example.com.");
        }

        if (string.IsNullOrWhiteSpace(draft.DisplayName) || draft.DisplayName.Trim().Length > 100 || draft.DisplayName.Any(char.IsControl))
        {
            errors.Add("Name: write 1–100 characters.");
        }

        return [.. errors];
    }

    private static IQueryable<PersonGrant> Owners(DeployerDb db) => db.Set<PersonGrant>().Where(
        grant => grant.Role == AccessRole.Owner && grant.Environment == null
            && db.People.Any(person => person.Id == grant.PersonId && person.DisabledAt == null));

    private static Task<bool> OtherOwnersAsync(DeployerDb db, string personId, CancellationToken cancellationToken) =>
        Owners(db).AnyAsync(grant => grant.PersonId != personId, cancellationToken);

    private async Task<PersonChange> SetDisabledAsync(
        Actor actor, string personId, Instant? disabledAt, string action, CancellationToken cancellationToken)
    {
        actor.DemandEverywhere(AccessRole.Owner);
        await using (var db = await databases.CreateDbContextAsync(cancellationToken))
        {
            await using var transaction = await db.Database.BeginTransactionAsync(IsolationLevel.Serializable, cancellationToken);
            var email = await db.People.Where(person => person.Id == personId).Select(person => person.Email).FirstOrDefaultAsync(cancellationToken);
            if (email is null)
            {
                return PersonChange.Unknown;
            }

            if (disabledAt is not null && !await OtherOwnersAsync(db, personId, cancellationToken))
            {
                return PersonChange.LastOwner;
            }

            await db.People.Where(person => person.Id == personId)
                .ExecuteUpdateAsync(set => set.SetProperty(person => person.DisabledAt, disabledAt), cancellationToken);
            if (disabledAt is not null)
            {
                await db.Set<Session>().Where(session => session.PersonId == personId).ExecuteDeleteAsync(cancellationToken);
            }

            audit.Stage(db, actor, new AuditFact(action, AuditSubject.Person(email)));
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        feed.Publish();
        return new PersonChange(personId, []);
    }
}
