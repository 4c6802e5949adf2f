using System.Globalization;
using Deployer.Core.Data;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Core.Access;

/// <summary>Finds out who a caller is and what they may do, as the database says it now.</summary>
public sealed class ActorDirectory(IDbContextFactory<DeployerDb> databases, TimeProvider time)
{
    private const string TokenPrefix = "token:";

    private static readonly Duration LastUsedGrain = Duration.FromMinutes(1);

    /// <summary>The person; <see langword="null"/> when there is none or the account is shut.</summary>
    public async Task<Actor?> FindPersonAsync(string personId, string? address, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var person = await db.People.AsNoTracking()
            .Where(person => person.Id == personId && person.DisabledAt == null)
            .Select(person => new
            {
                person.DisplayName,
                Grants = db.Set<PersonGrant>().Where(grant => grant.PersonId == person.Id).ToList(),
            })
            .FirstOrDefaultAsync(cancellationToken);
        return person is null
            ? null
            : new Actor(ActorKind.Person, personId, person.DisplayName, address,
                [.. person.Grants.Select(grant => new AccessGrant(grant.Role, grant.Environment, App: null))]);
    }

    /// <summary>The holder of an API token; <see langword="null"/> when it is unknown, expired or revoked.</summary>
    public async Task<Actor?> FindTokenAsync(string token, string? address, CancellationToken cancellationToken)
    {
        var hash = AccessKey.Hash(token);
        var now = time.Now();
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var found = await db.Set<ApiToken>().AsNoTracking().FirstOrDefaultAsync(
            row => row.Hash == hash && row.RevokedAt == null && (row.ExpiresAt == null || row.ExpiresAt > now), cancellationToken);
        if (found is null)
        {
            return null;
        }

        if (found.LastUsedAt is not { } last || now - last >= LastUsedGrain)
        {
            await db.Set<ApiToken>().Where(row => row.Id == found.Id)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.LastUsedAt, now), cancellationToken);
        }

        return Holder(found, address);
    }

    /// <summary>The holder of a token that was let in before, by the actor's id; <see langword="null"/> when it has expired or was revoked since.</summary>
    public async Task<Actor?> FindTokenAgainAsync(string actorId, string? address, CancellationToken cancellationToken)
    {
        if (!actorId.StartsWith(TokenPrefix, StringComparison.Ordinal)
            || !long.TryParse(actorId.AsSpan(TokenPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
        {
            return null;
        }

        var now = time.Now();
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Set<ApiToken>().AsNoTracking().FirstOrDefaultAsync(
            row => row.Id == id && row.RevokedAt == null && (row.ExpiresAt == null || row.ExpiresAt > now), cancellationToken) is { } found
            ? Holder(found, address)
            : null;
    }

    private static Actor Holder(ApiToken token, string? address) =>
        new(ActorKind.Token, $"{TokenPrefix}{token.Id}", $"token {token.Name}", address, [new AccessGrant(token.Role, token.Environment, token.App)]);
}
