using System.Text.Json;
using Deployer.Core.Access;
using Deployer.Core.Data;
using Deployer.Core.Engine;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

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
