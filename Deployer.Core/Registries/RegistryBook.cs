using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Secrets;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Core.Registries;

/// <summary>Credentials for a registry, without the password, which nobody ever gets to see again.</summary>
/// <param name="Host">Host, with port where it has one, as in image references.</param>
/// <param name="UserName">User name.</param>
/// <param name="UpdatedAt">When they were stored.</param>
public sealed record RegistryView(string Host, string UserName, Instant UpdatedAt);

/// <summary>What a test of credentials showed.</summary>
/// <param name="Works">Whether the registry takes them.</param>
/// <param name="Code">What is wrong; <see langword="null"/> when they work.</param>
/// <param name="Says">The outcome in a sentence; holds no password.</param>
public sealed record RegistryTest(bool Works, FailureCode? Code, string Says);

/// <summary>What came of a change to the registries.</summary>
public enum RegistryChange
{
    /// <summary>It is done.</summary>
    Saved,

    /// <summary>There are no credentials for that host.</summary>
    Unknown,

    /// <summary>The host is none: a host name or address, with <c>:port</c> where needed, and nothing else.</summary>
    HostInvalid,

    /// <summary>User name or password is empty, or the user name holds a colon, which basic authentication does not allow.</summary>
    CredentialsInvalid,
}

/// <summary>Credentials for registries: one pair a host, stored encrypted, used by the host of an image.</summary>
public sealed class RegistryBook(IDbContextFactory<DeployerDb> databases, SecretVault vault, IContainerEngine engine, TimeProvider time)
{
    private const string Purpose = "registry-password";

    /// <summary>All registries with credentials, by host.</summary>
    public async Task<IReadOnlyList<RegistryView>> ListAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Set<Registry>().OrderBy(registry => registry.Host)
            .Select(registry => new RegistryView(registry.Host, registry.UserName, registry.UpdatedAt))
            .ToListAsync(cancellationToken);
    }

    /// <summary>Stores credentials, in place of earlier ones for the host.</summary>
    public Task<RegistryChange> SaveAsync(string host, string userName, string password, CancellationToken cancellationToken) =>
        SaveAsync(host, userName, password, _ => { }, cancellationToken);

    /// <summary>The same together with what <paramref name="alongside"/> adds to the transaction.</summary>
    internal async Task<RegistryChange> SaveAsync(
        string host, string userName, string password, Action<DeployerDb> alongside, CancellationToken cancellationToken)
    {
        if (Normalize(host) is not { } known)
        {
            return RegistryChange.HostInvalid;
        }

        if (userName.Length is 0 or > 256 || userName.Contains(':', StringComparison.Ordinal) || password.Length is 0 or > 64 * 1024)
        {
            return RegistryChange.CredentialsInvalid;
        }

        var now = time.Now();
        var sealedPassword = vault.Seal(Purpose, password);
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var changed = await db.Set<Registry>().Where(registry => registry.Host == known)
            .ExecuteUpdateAsync(
                set => set.SetProperty(registry => registry.UserName, userName)
                    .SetProperty(registry => registry.SealedPassword, sealedPassword)
                    .SetProperty(registry => registry.UpdatedAt, now),
                cancellationToken);
        if (changed == 0)
        {
            db.Add(new Registry { Host = known, UserName = userName, SealedPassword = sealedPassword, UpdatedAt = now });
        }

        alongside(db);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return RegistryChange.Saved;
    }

    /// <summary>Forgets the credentials for a host.</summary>
    public Task<RegistryChange> RemoveAsync(string host, CancellationToken cancellationToken) => RemoveAsync(host, _ => { }, cancellationToken);

    /// <summary>The same together with what <paramref name="alongside"/> adds to the transaction.</summary>
    internal async Task<RegistryChange> RemoveAsync(string host, Action<DeployerDb> alongside, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.Set<Registry>().Where(registry => registry.Host == (Normalize(host) ?? host)).ExecuteDeleteAsync(cancellationToken) == 0)
        {
            return RegistryChange.Unknown;
        }

        alongside(db);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return RegistryChange.Saved;
    }

    /// <summary>Asks the registry, through the engine, whether it takes the stored credentials; <see langword="null"/> where there are none.</summary>
    public async Task<RegistryTest?> TestAsync(string host, CancellationToken cancellationToken) =>
        await FindAsync(Normalize(host) ?? host, cancellationToken) is { } credentials
            ? await TestAsync(host, credentials, cancellationToken)
            : null;

    /// <summary>Asks the registry, through the engine, whether it takes credentials that need not be stored.</summary>
    public async Task<RegistryTest> TestAsync(string host, RegistryCredentials credentials, CancellationToken cancellationToken)
    {
        try
        {
            await engine.CheckCredentialsAsync(Normalize(host) ?? host, credentials, cancellationToken);
            return new RegistryTest(true, null, $"{host} takes the credentials of {credentials.UserName}.");
        }
        catch (EngineException exception)
        {
            return new RegistryTest(false, exception.Code, exception.Code switch
            {
                FailureCode.AccessDenied => $"{host} does not take the credentials of {credentials.UserName}.",
                FailureCode.RegistryUnreachable => $"{host} did not answer the engine.",
                FailureCode.EngineUnreachable => exception.Message,
                _ => $"{host} could not be asked: {exception.Message.Replace(credentials.Password, "***", StringComparison.Ordinal)}",
            });
        }
    }

    /// <summary>Credentials for the host of an image; <see langword="null"/> where none are stored.</summary>
    /// <exception cref="SecretUnreadableException">The password cannot be decrypted.</exception>
    internal async Task<RegistryCredentials?> FindAsync(string host, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Set<Registry>().AsNoTracking().SingleOrDefaultAsync(registry => registry.Host == host, cancellationToken) is { } found
            ? new RegistryCredentials(found.UserName, vault.Open(Purpose, found.SealedPassword))
            : null;
    }

    // "Registry.Example.com:5000" is the domain of "registry.example.com:5000/x": the grammar of references knows what a host is.
    private static string? Normalize(string host)
    {
        var name = host.Trim().ToLowerInvariant();
        return ImageReference.TryParse($"{name}/x", out var reference, out _) && reference.Path == "x" && reference.Domain == name
            ? name
            : string.Equals(name, ImageReference.DefaultDomain, StringComparison.Ordinal) ? name : null;
    }
}
