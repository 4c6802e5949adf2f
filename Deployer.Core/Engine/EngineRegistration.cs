using Deployer.Core.Engine.Docker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Engine;

/// <summary>Registers the container engine.</summary>
public static class EngineRegistration
{
    /// <summary>
    /// Registers <see cref="IContainerEngine"/> and <see cref="EngineOptions"/>, which are validated when the host starts.
    /// That the engine answers is not required then.
    /// </summary>
    public static IServiceCollection AddEngine(this IServiceCollection services)
    {
        services.AddOptions<EngineOptions>()
            .BindConfiguration(EngineOptions.Section)
            .PostConfigure<IConfiguration>((options, configuration) =>
            {
                if (string.IsNullOrWhiteSpace(options.Endpoint))
                {
                    var host = configuration["DOCKER_HOST"];
                    options.Endpoint = string.IsNullOrWhiteSpace(host) ? EngineOptions.DefaultEndpoint : host;
                }
            })
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<EngineOptions>, EngineOptionsValidator>();
        services.AddSingleton<IContainerEngine>(provider => new DockerEngine(
            new Uri(provider.GetRequiredService<IOptions<EngineOptions>>().Value.Endpoint),
            provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
