using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Routing;

/// <summary>Registers the routing of traffic to containers.</summary>
public static class RoutingRegistration
{
    /// <summary>Registers what every process needs, whatever its role.</summary>
    public static IServiceCollection AddTraffic(this IServiceCollection services)
    {
        services.AddOptions<ProxyOptions>().BindConfiguration(ProxyOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ProxyOptions>, ProxyOptionsValidation>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<RouteFeed>();
        services.AddSingleton<RouteReader>();
        services.AddSingleton<ProxyRegister>();
        services.AddSingleton<HostBook>();
        services.AddSingleton<TrafficSwitch>();
        services.AddSingleton<TargetFinder>();
        return services;
    }

    /// <summary>Registers the watch over the addresses of serving containers, for the process that drives the engine.</summary>
    public static IServiceCollection AddRouteKeeper(this IServiceCollection services)
    {
        services.AddHostedService<RouteKeeper>();
        return services;
    }
}
