using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Deployer.Core.Engine;

/// <summary>Healthy when the engine answers.</summary>
public sealed class EngineHealth(IContainerEngine engine) : IHealthCheck
{
    /// <inheritdoc/>
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
