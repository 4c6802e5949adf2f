using System.Text.Json;
using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Core.Secrets;

/// <summary>A secret of an app, without its value, which nobody ever gets to see again.</summary>
/// <param name="Name">Name of the environment variable.</param>
/// <param name="UpdatedAt">When its value was stored; <see langword="null"/> when the app's spec names it but no value is stored.</param>
public sealed record SecretView(string Name, Instant? UpdatedAt);

/// <summary>What came of a change to an app's secrets.</summary>
public enum SecretChange
{
    /// <summary>It is done; it takes effect with the app's next deployment.</summary>
    Saved,

    /// <summary>There is no app of that name.</summary>
    AppUnknown,

    /// <summary>There is no such secret.</summary>
    Unknown,

    /// <summary>The name is no name of an environment variable.</summary>
    NameInvalid,

    /// <summary>The app has an environment variable in the clear of that name.</summary>
    NameInEnv,

    /// <summary>The value is longer than <see cref="SecretBook.MaxValueLength"/> or holds a NUL, which no variable can.</summary>
    ValueInvalid,
}

/// <summary>The secret environment variables of apps: stored encrypted, given to containers alone.</summary>
public sealed class SecretBook(IDbContextFactory<DeployerDb> databases, SecretVault vault, DeploymentFeed feed, TimeProvider time)
{
    /// <summary>Longest value, in UTF-16 characters.</summary>
    public const int MaxValueLength = 64 * 1024;

    private const string ValuePurpose = "app-secret";
    private const string SnapshotPurpose = "deployment-secrets";

    /// <summary>An app's secrets by name, those without a value included; <see langword="null"/> for an unknown app.</summary>
    public async Task<IReadOnlyList<SecretView>?> ListAsync(string appName, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        if (await db.Apps.AsNoTracking().SingleOrDefaultAsync(app => app.Name == appName, cancellationToken) is not { } app)
        {
            return null;
        }

        var stored = await db.Set<AppSecret>().Where(secret => secret.AppId == app.Id)
            .ToDictionaryAsync(secret => secret.Name, secret => secret.UpdatedAt, StringComparer.Ordinal, cancellationToken);
        return
        [
            .. app.Spec.Secrets.Union(stored.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal)
                .Select(name => new SecretView(name, stored.TryGetValue(name, out var at) ? at : null)),
        ];
    }

    /// <summary>Stores a value, and names the secret in the app's spec where it is not yet.</summary>
    public Task<SecretChange> SetAsync(string appName, string name, string value, CancellationToken cancellationToken) =>
        SetAsync(appName, name, value, _ => { }, cancellationToken);

    /// <summary>The same together with what <paramref name="alongside"/> adds to the transaction.</summary>
    internal async Task<SecretChange> SetAsync(
        string appName, string name, string value, Action<DeployerDb> alongside, CancellationToken cancellationToken)
    {
        if (!AppValidation.IsVariableName(name))
        {
            return SecretChange.NameInvalid;
        }

        if (value.Length > MaxValueLength || value.Contains('\0', StringComparison.Ordinal))
        {
            return SecretChange.ValueInvalid;
        }

        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.Apps.AsNoTracking().SingleOrDefaultAsync(app => app.Name == appName, cancellationToken) is not { } app)
        {
            return SecretChange.AppUnknown;
        }

        if (app.Spec.Env.ContainsKey(name))
        {
            return SecretChange.NameInEnv;
        }

        var now = time.Now();
        var sealedValue = vault.Seal(ValuePurpose, value);
        var known = await db.Set<AppSecret>().Where(secret => secret.AppId == app.Id && secret.Name == name)
            .ExecuteUpdateAsync(
                set => set.SetProperty(secret => secret.SealedValue, sealedValue).SetProperty(secret => secret.UpdatedAt, now),
                cancellationToken);
        if (known == 0)
        {
            db.Add(new AppSecret { AppId = app.Id, Name = name, SealedValue = sealedValue, UpdatedAt = now });
            await db.SaveChangesAsync(cancellationToken);
        }

        if (!app.Spec.Secrets.Contains(name, StringComparer.Ordinal))
        {
            await SetSpecAsync(db, app.Id, app.Spec with { Secrets = [.. app.Spec.Secrets, name] }, now, cancellationToken);
        }

        alongside(db);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        feed.PublishApps();
        return SecretChange.Saved;
    }

    /// <summary>Forgets a value, and takes the name out of the app's spec.</summary>
    public Task<SecretChange> RemoveAsync(string appName, string name, CancellationToken cancellationToken) =>
        RemoveAsync(appName, name, _ => { }, cancellationToken);

    /// <summary>The same together with what <paramref name="alongside"/> adds to the transaction.</summary>
    internal async Task<SecretChange> RemoveAsync(string appName, string name, Action<DeployerDb> alongside, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.Apps.AsNoTracking().SingleOrDefaultAsync(app => app.Name == appName, cancellationToken) is not { } app)
        {
            return SecretChange.AppUnknown;
        }

        var removed = await db.Set<AppSecret>().Where(secret => secret.AppId == app.Id && secret.Name == name).ExecuteDeleteAsync(cancellationToken);
        var named = app.Spec.Secrets.Contains(name, StringComparer.Ordinal);
        if (named)
        {
            var without = app.Spec with { Secrets = [.. app.Spec.Secrets.Where(other => other != name)] };
            await SetSpecAsync(db, app.Id, without, time.Now(), cancellationToken);
        }

        if (removed == 0 && !named)
        {
            return SecretChange.Unknown;
        }

        alongside(db);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        feed.PublishApps();
        return SecretChange.Saved;
    }

    /// <summary>
    /// The app's values of those names as they are now, sealed as the snapshot that a deployment keeps. Names without a
    /// value are left out.
    /// </summary>
    internal async Task<string?> TakeSnapshotAsync(
        DeployerDb db, long appId, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        if (names.Count == 0)
        {
            return null;
        }

        var values = (await db.Set<AppSecret>().Where(secret => secret.AppId == appId && names.Contains(secret.Name))
            .Select(secret => new { secret.Name, secret.SealedValue })
            .ToListAsync(cancellationToken))
            .ToDictionary(secret => secret.Name, secret => vault.Open(ValuePurpose, secret.SealedValue), StringComparer.Ordinal);
        return vault.Seal(SnapshotPurpose, JsonSerializer.Serialize(values));
    }

    /// <summary>The values in a deployment's snapshot.</summary>
    /// <exception cref="SecretUnreadableException">They cannot be decrypted.</exception>
    internal IReadOnlyDictionary<string, string> OpenSnapshot(string? snapshot) =>
        snapshot is null
            ? new Dictionary<string, string>(StringComparer.Ordinal)
            : JsonSerializer.Deserialize<Dictionary<string, string>>(vault.Open(SnapshotPurpose, snapshot))!;

    private static Task<int> SetSpecAsync(DeployerDb db, long appId, AppSpec spec, Instant now, CancellationToken cancellationToken) =>
        db.Apps.Where(app => app.Id == appId)
            .ExecuteUpdateAsync(set => set.SetProperty(app => app.Spec, spec).SetProperty(app => app.UpdatedAt, now), cancellationToken);
}
