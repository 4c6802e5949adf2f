using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Data;

/// <summary>Makes the database ready. Runs to its end before the host takes work.</summary>
public sealed partial class DatabaseStartup(
    IDbContextFactory<DeployerDb> databases, IOptions<DataOptions> options, ILogger<DatabaseStartup> logger)
{
    /// <summary>Makes the directory, applies the migrations and turns on write-ahead logging.</summary>
    /// <exception cref="SettingException">The directory or the database in it cannot be used; the message names the key.</exception>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        var directory = options.Value.Directory;
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SettingException(
                $"Data:Directory is '{directory}', which cannot be made: {exception.Message} Set Data:Directory to a directory that Deployer may write.",
                exception);
        }

        try
        {
            await using var db = await databases.CreateDbContextAsync(cancellationToken);
            await RefuseNewerAsync(db, directory, cancellationToken);
            await db.Database.MigrateAsync(cancellationToken);
            await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL", cancellationToken);
        }
        catch (SqliteException exception)
        {
            throw new SettingException(
                $"Data:Directory is '{directory}', but its database {DataOptions.DatabaseFile} cannot be used: {exception.Message} Set Data:Directory to a directory that Deployer may write, or restore the database from a backup.",
                exception);
        }

        LogReady(directory);
    }

    private static async Task RefuseNewerAsync(DeployerDb db, string directory, CancellationToken cancellationToken)
    {
        var unknown = (await db.Database.GetAppliedMigrationsAsync(cancellationToken)).Except(db.Database.GetMigrations(), StringComparer.Ordinal).ToList();
        if (unknown.Count > 0)
        {
            throw new SettingException(
                $"Data:Directory is '{directory}', whose database was written by a newer Deployer (it has the change {unknown[^1]}). Start that version, or set Data:Directory to another directory.",
                inner: null);
        }
    }

    [LoggerMessage(LogLevel.Information, "Database ready in {Directory}")]
    private partial void LogReady(string directory);
}
