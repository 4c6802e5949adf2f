using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Core.Logs;

/// <summary>Registers the log store.</summary>
public static class LogRegistration
{
    /// <summary>Registers <see cref="LogStore"/>.</summary>
    public static IServiceCollection AddLogs(this IServiceCollection services)
    {
        services.AddSingleton<LogStore>();
        return services;
    }
}
