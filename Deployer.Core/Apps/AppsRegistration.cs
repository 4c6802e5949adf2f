using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Apps;

/// <summary>Registers the apps.</summary>
public static class AppsRegistration
{
    /// <summary>Registers <see cref="AppCatalog"/> and <see cref="SampleApp"/> with its settings.</summary>
    public static IServiceCollection AddApps(this IServiceCollection services)
    {
        services.AddSingleton<AppCatalog>();
        services.AddSingleton<IValidateOptions<SampleOptions>, SampleOptionsValidation>();
        services.AddOptions<SampleOptions>().BindConfiguration(SampleOptions.Section).ValidateOnStart();
        services.AddSingleton<SampleApp>();
        return services;
    }
}
