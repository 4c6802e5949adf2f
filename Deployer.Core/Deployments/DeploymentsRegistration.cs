using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Deployer.Core.Deployments;

/// <summary>Registers what deployments need.</summary>
public static class DeploymentsRegistration
{
    /// <summary>Registers <see cref="DeploymentQueue"/>, <see cref="DeploymentReader"/> and <see cref="DeploymentFeed"/>.</summary>
    public static IServiceCollection AddDeployments(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<DeploymentFeed>();
        services.AddSingleton<DeploymentReader>();
        services.AddSingleton<DeploymentQueue>();
        return services;
    }
}
