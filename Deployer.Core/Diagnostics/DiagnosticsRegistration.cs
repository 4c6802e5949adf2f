using Deployer.Core.Access;
using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Core.Diagnostics;

/// <summary>Registers the doctor and what measures.</summary>
public static class DiagnosticsRegistration
{
    /// <summary>Name under which spans and metrics are collected.</summary>
    public const string TelemetryName = DeployerTelemetry.Name;

    /// <summary>Registers <see cref="DiagnosticsGate"/> and the gauge of the queue.</summary>
    public static IServiceCollection AddDiagnostics(this IServiceCollection services)
    {
        services.AddSingleton<Doctor>();
        services.AddScoped(provider => new DiagnosticsGate(provider.GetRequiredService<Doctor>(), provider.GetRequiredService<ICurrentActor>()));
        services.AddHostedService<QueueGauge>();
        return services;
    }
}
