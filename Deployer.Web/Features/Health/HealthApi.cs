using System.Text.Json;
using Deployer.Core.Access;
using Deployer.Core.Data;
using Deployer.Core.Engine;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Deployer.Web.Features.Health;

/// <summary>
/// <c>/health/live</c>: the process answers. <c>/health/ready</c>: it can do its work, i.e. database, engine and disk are
/// well; 503 with the reason and the remedy when not.
/// </summary>
public static class HealthApi
{
    /// <summary>Registers the checks.</summary>
    public static void AddHealth(this WebApplicationBuilder builder) =>
        builder.Services.AddHealthChecks()
            .AddCheck<DatabaseHealth>("database")
            .AddCheck<EngineHealth>("engine")
            .AddCheck<DiskHealth>("disk");

    /// <summary>Maps the endpoints.</summary>
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = WriteAsync }).AllowAnonymous();
        routes.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = WriteAsync }).AllowAnonymous();
    }

    private static Task WriteAsync(HttpContext context, HealthReport report) =>
        context.Response.WriteAsJsonAsync(
            new HealthJson(
                Word(report.Status),
                report.Entries.ToDictionary(
                    entry => entry.Key, entry => new CheckJson(Word(entry.Value.Status), IsKnown(context) ? entry.Value.Description : null), StringComparer.Ordinal)),
            DeployerJson.Options,
            context.RequestAborted);

    /// <summary>Load balancers may ask without a token; versions and addresses are for those who may see the apps.</summary>
    private static bool IsKnown(HttpContext context) => context.Features.Get<Actor>()?.MayAnywhere(AccessRole.Viewer) is true;

    private static string Word(HealthStatus status) => JsonNamingPolicy.SnakeCaseLower.ConvertName(status.ToString());

    private sealed record HealthJson(string Status, IReadOnlyDictionary<string, CheckJson> Checks);

    private sealed record CheckJson(string Status, string? Detail);
}

/// <summary>The database answers.</summary>
internal sealed class DatabaseHealth(IDbContextFactory<DeployerDb> databases) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var db = await databases.CreateDbContextAsync(cancellationToken);
            await db.Apps.AnyAsync(cancellationToken);
            return HealthCheckResult.Healthy("The database answers.");
        }
        catch (Microsoft.Data.Sqlite.SqliteException exception)
        {
            return HealthCheckResult.Unhealthy($"The database does not answer (SQLite {exception.SqliteErrorCode}). Look after Data:Directory.", exception);
        }
    }
}

/// <summary>The engine answers.</summary>
internal sealed class EngineHealth(IContainerEngine engine) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var info = await engine.DescribeAsync(cancellationToken);
            return HealthCheckResult.Healthy($"Engine {info.Version} answers at {engine.Endpoint}.");
        }
        catch (EngineException exception)
        {
            return HealthCheckResult.Unhealthy($"{exception.Message} Start it or set Engine:Endpoint.", exception);
        }
    }
}

/// <summary>The disk of the database has room.</summary>
internal sealed class DiskHealth(IOptions<DataOptions> data) : IHealthCheck
{
    private const long Least = 100L * 1024 * 1024;
    private const long Enough = 1024L * 1024 * 1024;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var free = new DriveInfo(data.Value.Directory).AvailableFreeSpace;
        var detail = $"{free / (1024 * 1024)} MiB are free for Data:Directory.";
        return Task.FromResult(free switch
        {
            < Least => HealthCheckResult.Unhealthy($"{detail} Make room, or the logs cannot be kept."),
            < Enough => HealthCheckResult.Degraded($"{detail} Make room soon."),
            _ => HealthCheckResult.Healthy(detail),
        });
    }
}
