using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Core.Apps;

/// <summary>Registers the apps.</summary>
public static class AppsRegistration
{
    /// <summary>Registers <see cref="AppCatalog"/>.</summary>
    public static IServiceCollection AddApps(this IServiceCollection services)
    {
        services.AddSingleton<AppCatalog>();
        return services;
    }
}
