using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Core.Runner;

/// <summary>Registers the runner.</summary>
public static class RunnerRegistration
{
    /// <summary>Registers the hosted service that claims and executes deployments, and its settings.</summary>
    public static IServiceCollection AddRunner(this IServiceCollection services)
    {
        services.AddOptions<RunnerOptions>()
            .BindConfiguration(RunnerOptions.Section)
            .ValidateDataAnnotations()
            .ValidateOnStart();
        services.AddSingleton<RunnerStartup>();
        return services;
    }
}
