using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Data;

/// <summary>Healthy when the database answers.</summary>
public sealed class DatabaseHealth(IDbContextFactory<DeployerDb> databases) : IHealthCheck
{
    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var db = await databases.CreateDbContextAsync(cancellationToken);
            await db.Apps.AnyAsync(cancellationToken);
            return HealthCheckResult.Healthy("The database answers.");
        }
        catch (SqliteException exception)
        {
            return HealthCheckResult.Unhealthy(DatabaseFault.Explain(exception), exception);
        }
    }
}

/// <summary>Healthy while the disk of <c>Data:Directory</c> has room for logs.</summary>
public sealed class DiskHealth(IOptions<DataOptions> data) : IHealthCheck
{
    private const long Mebibyte = 1024 * 1024;
    private const long LeastMebibytes = 100;
    private const long EnoughMebibytes = 1024;

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var free = new DriveInfo(data.Value.Directory).AvailableFreeSpace / Mebibyte;
        var detail = $"{free} MiB are free for Data:Directory.";
        return Task.FromResult(free switch
        {
            < LeastMebibytes => HealthCheckResult.Unhealthy($"{detail} Make room, or logs cannot be kept."),
            < EnoughMebibytes => HealthCheckResult.Degraded($"{detail} Make room soon."),
            _ => HealthCheckResult.Healthy(detail),
        });
    }
}

/// <summary>Says in words why the database did not do what was asked.</summary>
public static class DatabaseFault
{
    /// <summary>What happened and what to do; <see langword="null"/> when the database is not the cause.</summary>
    public static string? Explain(Exception? exception) => exception switch
    {
        null => null,
        SqliteException sqlite => $"The database did not take the request (SQLite {sqlite.SqliteErrorCode}). Look after the disk of Data:Directory, then try again.",
        _ => Explain(exception.InnerException),
    };
}
