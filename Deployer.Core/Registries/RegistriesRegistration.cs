using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Deployer.Core.Registries;

/// <summary>Registers the registries.</summary>
public static class RegistriesRegistration
{
    /// <summary>Registers <see cref="RegistryBook"/> and what asks registries themselves.</summary>
    public static IServiceCollection AddRegistries(this IServiceCollection services)
    {
        services.TryAddSingleton<RegistryClient>();
        services.TryAddSingleton<RegistryBook>();
        return services;
    }
}
