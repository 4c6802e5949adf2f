using Deployer.Core.Audit;
using Deployer.Core.Data;
using Deployer.Core.Engine;
using Deployer.Core.Registries;
using Deployer.Core.Routing;
using Deployer.Core.Secrets;
using Microsoft.EntityFrameworkCore;
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
        services.AddSecrets();
        services.AddRegistries();
        services.TryAddSingleton<AuditLog>();
        services.TryAddSingleton<DeploymentSecrets>();
        services.AddSingleton<PullBoard>();
        services.AddSingleton(provider => new ProgressReader(
            provider.GetRequiredService<IDbContextFactory<DeployerDb>>(), provider.GetRequiredService<PullBoard>(), provider.GetRequiredService<TimeProvider>()));
        services.AddTraffic();
        services.TryAddSingleton<InstanceIdentity>();
        services.AddSingleton<DeploymentLedger>();
        services.AddSingleton<AppTraffic>();
        services.AddSingleton<AppContainers>();
        services.AddSingleton(provider => new AppOperations(
            provider.GetRequiredService<IDbContextFactory<DeployerDb>>(), provider.GetRequiredService<IContainerEngine>(),
            provider.GetRequiredService<AppContainers>(), provider.GetRequiredService<AppTraffic>(),
            provider.GetRequiredService<DeploymentFeed>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new DriftReader(
            provider.GetRequiredService<IDbContextFactory<DeployerDb>>(), provider.GetRequiredService<AppContainers>(),
            provider.GetRequiredService<InstanceIdentity>()));
        services.AddSingleton<Restorer>();
        services.AddSingleton<DeployPlanner>();
        services.AddSingleton<Withdrawals>();
        services.AddSingleton<DeploymentQueue>();
        return services;
    }
}
