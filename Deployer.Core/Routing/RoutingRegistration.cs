using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Routing;

/// <summary>Registers the routing of traffic to containers.</summary>
public static class RoutingRegistration
{
    /// <summary>Registers what every process needs, whatever its role. May be called again.</summary>
    public static IServiceCollection AddTraffic(this IServiceCollection services)
    {
        services.AddOptions<ProxyOptions>().BindConfiguration(ProxyOptions.Section).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ProxyOptions>, ProxyOptionsValidation>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<RouteFeed>();
        services.TryAddSingleton<RouteReader>();
        services.TryAddSingleton<ProxyRegister>();
        services.TryAddSingleton<HostBook>();
        services.TryAddSingleton<TrafficSwitch>();
        services.TryAddSingleton<TargetFinder>();
        return services;
    }

    /// <summary>Registers the watch over the addresses of serving containers, for the process that drives the engine.</summary>
    public static IServiceCollection AddRouteKeeper(this IServiceCollection services)
    {
        services.AddHostedService<RouteKeeper>();
        return services;
    }
}
