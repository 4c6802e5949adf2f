using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Data;

/// <summary>Makes the database ready. Runs to its end before the host takes work.</summary>
public sealed partial class DatabaseStartup(
    IDbContextFactory<DeployerDb> databases, IOptions<DataOptions> options, ILogger<DatabaseStartup> logger)
{
    /// <summary>Makes the directory, applies the migrations and turns on write-ahead logging.</summary>
    /// <exception cref="InvalidOperationException">The directory cannot be used; the message names the key.</exception>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        var directory = options.Value.Directory;
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException(
                $"Data:Directory is '{directory}', which cannot be made or written: {exception.Message} Set Data:Directory to a directory that Deployer may write.",
                exception);
        }

        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await db.Database.MigrateAsync(cancellationToken);
        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL", cancellationToken);
        LogReady(directory);
    }

    [LoggerMessage(LogLevel.Information, "Database ready in {Directory}")]
    private partial void LogReady(string directory);
}
