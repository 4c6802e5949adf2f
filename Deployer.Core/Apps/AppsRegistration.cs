using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Apps;

/// <summary>Registers the apps.</summary>
public static class AppsRegistration
{
    /// <summary>Registers <see cref="AppCatalog"/> and <see cref="SampleApp"/> with its settings.</summary>
    public static IServiceCollection AddApps(this IServiceCollection services)
    {
        services.AddSingleton<AppCatalog>();
        services.AddAppOverviews();
        services.AddSingleton<IValidateOptions<SampleOptions>, SampleOptionsValidation>();
        services.AddOptions<SampleOptions>().BindConfiguration(SampleOptions.Section).ValidateOnStart();
        services.AddSingleton<SampleApp>();
        return services;
    }

    /// <summary>Registers <see cref="AppOverviews"/>.</summary>
    public static IServiceCollection AddAppOverviews(this IServiceCollection services)
    {
        services.AddSingleton(provider => new ContainerGlance(
            provider.GetRequiredService<IContainerEngine>(), provider.GetRequiredService<InstanceIdentity>(),
            provider.GetRequiredService<DeploymentFeed>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ContainerGlance>>()));
        services.AddSingleton<AppOverviews>();
        return services;
    }
}
