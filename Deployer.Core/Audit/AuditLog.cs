using System.Text.Json;
using Deployer.Core.Access;
using Deployer.Core.Data;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Core.Audit;

/// <summary>Something to be written down.</summary>
/// <param name="Action">What was done; one of <see cref="AuditAction"/>.</param>
/// <param name="Subject">To what; see <see cref="AuditSubject"/>.</param>
public sealed record AuditFact(string Action, string Subject)
{
    /// <summary>The environment it concerns, if any.</summary>
    public string? Environment { get; init; }

    /// <summary>State before; written as JSON. Must hold no secret.</summary>
    public object? Before { get; init; }

    /// <summary>State after; written as JSON. Must hold no secret.</summary>
    public object? After { get; init; }

    /// <summary>The reason given, or what else is worth knowing.</summary>
    public string? Note { get; init; }
}

/// <summary>Which entries are wanted; a <see langword="null"/> asks for all.</summary>
/// <param name="Text">Part of the caller's name or address, of the subject, the action or the note; capitals do not matter.</param>
/// <param name="Action">The action, or its beginning up to a dot: <c>app</c>.</param>
/// <param name="Subject">The subject.</param>
/// <param name="Environment">The environment it concerns.</param>
/// <param name="From">First instant.</param>
/// <param name="Until">First instant after.</param>
/// <param name="Before">Entries with smaller ids alone: the next page.</param>
public sealed record AuditQuery(string? Text, string? Action, string? Subject, string? Environment, Instant? From, Instant? Until, long? Before)
{
    /// <summary>Every entry.</summary>
    public static AuditQuery Everything { get; } = new(null, null, null, null, null, null, null);
}

/// <summary>Who did what to what, from where, when. Entries are added and never changed.</summary>
public sealed class AuditLog(IDbContextFactory<DeployerDb> databases, TimeProvider time)
{
    private const int ExportSlice = 500;

    /// <summary>Adds an entry to a context, to be saved in the transaction of the change that it tells of.</summary>
    public void Stage(DeployerDb db, Actor actor, AuditFact fact) => db.Set<AuditEntry>().Add(new AuditEntry
    {
        At = time.Now(),
        ActorKind = actor.Kind,
        ActorId = actor.Id,
        ActorName = actor.Name,
        Address = actor.Address,
        Action = fact.Action,
        Subject = fact.Subject,
        Environment = fact.Environment,
        Before = ToJson(fact.Before),
        After = ToJson(fact.After),
        Note = fact.Note is { Length: > 2000 } note ? note[..2000] : fact.Note,
    });

    /// <summary>Writes an entry by itself, for what changes no row: an access, a refused sign-in, a finished verb.</summary>
    public async Task RecordAsync(Actor actor, AuditFact fact, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        Stage(db, actor, fact);
        await db.SaveChangesAsync(cancellationToken);
    }

    /// <summary>The newest entries that fit, newest first.</summary>
    public async Task<IReadOnlyList<AuditEntry>> SearchAsync(AuditQuery query, int limit, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await Select(db, query).OrderByDescending(entry => entry.Id).Take(limit).ToListAsync(cancellationToken);
    }

    /// <summary>Every entry that fits, oldest first, read in slices so that an export of any size costs little memory.</summary>
    public async IAsyncEnumerable<AuditEntry> ExportAsync(
        AuditQuery query, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = 0L;
        while (true)
        {
            List<AuditEntry> slice;
            await using (var db = await databases.CreateDbContextAsync(cancellationToken))
            {
                slice = await Select(db, query).Where(entry => entry.Id > last)
                    .OrderBy(entry => entry.Id).Take(ExportSlice).ToListAsync(cancellationToken);
            }

            foreach (var entry in slice)
            {
                yield return entry;
                last = entry.Id;
            }

            if (slice.Count < ExportSlice)
            {
                yield break;
            }
        }
    }

    private static IQueryable<AuditEntry> Select(DeployerDb db, AuditQuery query)
    {
        var entries = db.Set<AuditEntry>().AsNoTracking();
        if (query.Text is { Length: > 0 } text)
        {
            // LIKE does not tell capitals from small letters; what it takes for wildcards is meant as it is written.
            var like = $"%{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal)}%";
            entries = entries.Where(entry => EF.Functions.Like(entry.ActorName, like, "\\") || EF.Functions.Like(entry.Subject, like, "\\")
                || EF.Functions.Like(entry.Action, like, "\\") || EF.Functions.Like(entry.Note!, like, "\\") || EF.Functions.Like(entry.Address!, like, "\\"));
        }

        if (query.Action is { Length: > 0 } action)
        {
            var family = action + ".";
            entries = entries.Where(entry => entry.Action == action || entry.Action.StartsWith(family));
        }

        if (query.Subject is { Length: > 0 } subject)
        {
            entries = entries.Where(entry => entry.Subject == subject);
        }

        if (query.Environment is { Length: > 0 } environment)
        {
            entries = entries.Where(entry => entry.Environment == environment);
        }

        if (query.From is { } from)
        {
            entries = entries.Where(entry => entry.At >= from);
        }

        if (query.Until is { } until)
        {
            entries = entries.Where(entry => entry.At < until);
        }

        return query.Before is { } before ? entries.Where(entry => entry.Id < before) : entries;
    }

    private static string? ToJson(object? state) =>
        state is null ? null : JsonSerializer.Serialize(state, state.GetType(), DeployerJson.Options);
}
