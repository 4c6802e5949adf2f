using Deployer.Core.Audit;
using Deployer.Core.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using NodaTime;

namespace Deployer.Core.Access;

/// <summary>A session as its person sees it.</summary>
public sealed record SessionView(Guid Id, Instant CreatedAt, Instant LastSeenAt, Instant ExpiresAt, string? Address, string? UserAgent);

/// <summary>A session that goes on.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Ticket">The claims, encrypted.</param>
public sealed record OpenSession(Guid Id, byte[] Ticket);

/// <summary>A sign-in to be kept.</summary>
/// <param name="PersonId">Who signed in.</param>
/// <param name="Ticket">The claims, encrypted.</param>
/// <param name="Address">Network address.</param>
/// <param name="UserAgent">The browser, in its own words.</param>
public sealed record SessionDraft(string PersonId, byte[] Ticket, string? Address, string? UserAgent)
{
    /// <summary>How the person proved who they are, for the audit log.</summary>
    public string? Method { get; init; }
}

/// <summary>
/// Sessions live in the database and the cookie carries only a random key, so that ending one takes effect with the next
/// request, in every process.
/// </summary>
public sealed class Sessions(
    IDbContextFactory<DeployerDb> databases, AuditLog audit, AccessFeed feed, IOptions<AuthOptions> options, TimeProvider time)
{
    private static readonly Duration LastSeenGrain = Duration.FromMinutes(1);

    /// <summary>Opens a session, and writes down in the same transaction who came.</summary>
    /// <returns>The key for the cookie.</returns>
    public async Task<string> OpenAsync(SessionDraft draft, CancellationToken cancellationToken)
    {
        var key = AccessKey.Create("");
        var now = time.Now();
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await db.Set<Session>().Where(session => session.ExpiresAt <= now).ExecuteDeleteAsync(cancellationToken);
        var person = await db.People.Where(row => row.Id == draft.PersonId)
            .Select(row => new { row.DisplayName, row.Email }).SingleAsync(cancellationToken);
        audit.Stage(db, new Actor(ActorKind.Person, draft.PersonId, person.DisplayName, draft.Address, []),
            new AuditFact(AuditAction.SignedIn, AuditSubject.Person(person.Email ?? draft.PersonId)) { Note = draft.Method });
        db.Add(new Session
        {
            Id = Guid.NewGuid(),
            KeyHash = AccessKey.Hash(key),
            PersonId = draft.PersonId,
            Ticket = draft.Ticket,
            CreatedAt = now,
            LastSeenAt = now,
            ExpiresAt = now + Lifetime,
            Address = draft.Address,
            UserAgent = draft.UserAgent is { Length: > 256 } agent ? agent[..256] : draft.UserAgent,
        });
        await db.SaveChangesAsync(cancellationToken);
        return key;
    }

    /// <summary>The session of a cookie; <see langword="null"/> when it has ended or its person's account is shut.</summary>
    public async Task<OpenSession?> FindAsync(string key, CancellationToken cancellationToken)
    {
        var hash = AccessKey.Hash(key);
        var now = time.Now();
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var session = await db.Set<Session>().AsNoTracking()
            .Where(session => session.KeyHash == hash && session.ExpiresAt > now
                && db.People.Any(person => person.Id == session.PersonId && person.DisabledAt == null))
            .Select(session => new { session.Id, session.Ticket, session.LastSeenAt })
            .FirstOrDefaultAsync(cancellationToken);
        if (session is null)
        {
            return null;
        }

        if (now - session.LastSeenAt >= LastSeenGrain)
        {
            var until = now + Lifetime;
            await db.Set<Session>().Where(row => row.Id == session.Id).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.LastSeenAt, now).SetProperty(row => row.ExpiresAt, until), cancellationToken);
        }

        return new OpenSession(session.Id, session.Ticket);
    }

    /// <summary>Replaces the ticket of a session that goes on.</summary>
    public async Task RenewAsync(string key, byte[] ticket, CancellationToken cancellationToken)
    {
        var hash = AccessKey.Hash(key);
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await db.Set<Session>().Where(session => session.KeyHash == hash)
            .ExecuteUpdateAsync(set => set.SetProperty(session => session.Ticket, ticket), cancellationToken);
    }

    /// <summary>Ends the session of a cookie.</summary>
    public async Task CloseAsync(string key, CancellationToken cancellationToken)
    {
        var hash = AccessKey.Hash(key);
        await using (var db = await databases.CreateDbContextAsync(cancellationToken))
        {
            await db.Set<Session>().Where(session => session.KeyHash == hash).ExecuteDeleteAsync(cancellationToken);
        }

        feed.Publish();
    }

    /// <summary>Open sessions of a person, last used first.</summary>
    /// <exception cref="AccessDeniedException">The caller is neither that person nor an owner.</exception>
    public async Task<IReadOnlyList<SessionView>> ListAsync(Actor actor, string personId, CancellationToken cancellationToken)
    {
        DemandSelfOrOwner(actor, personId);
        var now = time.Now();
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Set<Session>().AsNoTracking()
            .Where(session => session.PersonId == personId && session.ExpiresAt > now)
            .OrderByDescending(session => session.LastSeenAt)
            .Select(session => new SessionView(
                session.Id, session.CreatedAt, session.LastSeenAt, session.ExpiresAt, session.Address, session.UserAgent))
            .ToListAsync(cancellationToken);
    }

    /// <summary>Ends one session of a person.</summary>
    /// <returns>Whether there was such a session.</returns>
    /// <exception cref="AccessDeniedException">The caller is neither that person nor an owner.</exception>
    public Task<bool> EndAsync(Actor actor, string personId, Guid sessionId, CancellationToken cancellationToken) =>
        EndAsync(actor, personId, sessionId, AuditAction.SessionEnded, cancellationToken);

    /// <summary>Ends the session in which the person themselves signs out.</summary>
    /// <returns>Whether it went on until now.</returns>
    public Task<bool> SignOutAsync(Actor actor, Guid sessionId, CancellationToken cancellationToken) =>
        EndAsync(actor, actor.Id, sessionId, AuditAction.SignedOut, cancellationToken);

    /// <summary>Ends every session of a person.</summary>
    /// <exception cref="AccessDeniedException">The caller is neither that person nor an owner.</exception>
    public Task<bool> EndAllAsync(Actor actor, string personId, CancellationToken cancellationToken) =>
        EndAsync(actor, personId, null, AuditAction.SignedOutEverywhere, cancellationToken);

    /// <summary>Whether a session goes on; for pages that stay open. Asking does not prolong it.</summary>
    public async Task<bool> IsOpenAsync(Guid sessionId, CancellationToken cancellationToken)
    {
        var now = time.Now();
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Set<Session>().AnyAsync(
            session => session.Id == sessionId && session.ExpiresAt > now
                && db.People.Any(person => person.Id == session.PersonId && person.DisabledAt == null),
            cancellationToken);
    }

    private Duration Lifetime => Duration.FromDays(options.Value.SessionDays);

    private static void DemandSelfOrOwner(Actor actor, string personId)
    {
        if (actor.Kind != ActorKind.Person || !string.Equals(actor.Id, personId, StringComparison.Ordinal))
        {
            actor.DemandEverywhere(AccessRole.Owner);
        }
    }

    private async Task<bool> EndAsync(Actor actor, string personId, Guid? sessionId, string action, CancellationToken cancellationToken)
    {
        DemandSelfOrOwner(actor, personId);
        int ended;
        await using (var db = await databases.CreateDbContextAsync(cancellationToken))
        {
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            var email = await db.People.Where(person => person.Id == personId).Select(person => person.Email).FirstOrDefaultAsync(cancellationToken);
            ended = await db.Set<Session>()
                .Where(session => session.PersonId == personId && (sessionId == null || session.Id == sessionId))
                .ExecuteDeleteAsync(cancellationToken);
            if (ended > 0)
            {
                audit.Stage(db, actor, new AuditFact(action, AuditSubject.Person(email ?? personId))
                {
                    Note = sessionId is null ? $"{ended} ended" : null,
                });
                await db.SaveChangesAsync(cancellationToken);
            }

            await transaction.CommitAsync(cancellationToken);
        }

        feed.Publish();
        return ended > 0;
    }
}
