using Deployer.Core.Deployments;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Deployer.Core.Logs;

/// <summary>Registers the log store.</summary>
public static class LogRegistration
{
    /// <summary>Registers <see cref="LogStore"/>, what searches logs, and their settings.</summary>
    public static IServiceCollection AddLogs(this IServiceCollection services)
    {
        services.AddOptions<LogOptions>().BindConfiguration(LogOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<DeploymentFeed>();
        services.AddSingleton<LogStore>();
        services.AddSingleton<LogUsage>();
        services.AddSingleton<LogPins>();
        services.AddSingleton<LogSearch>();
        return services;
    }

    /// <summary>Runs sealing and retention in this process; in one process of a database.</summary>
    public static IServiceCollection AddLogKeeping(this IServiceCollection services)
    {
        services.AddSingleton<LogSealer>();
        services.AddSingleton<LogRetention>();
        services.AddHostedService(provider => provider.GetRequiredService<LogSealer>());
        services.AddHostedService(provider => provider.GetRequiredService<LogRetention>());
        return services;
    }
}
