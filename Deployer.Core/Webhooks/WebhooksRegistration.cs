using Deployer.Core.Access;
using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Core.Webhooks;

/// <summary>Registers the webhooks.</summary>
public static class WebhooksRegistration
{
    /// <summary>Registers <see cref="WebhookReceiver"/>, <see cref="WebhookGate"/> and what they need.</summary>
    public static IServiceCollection AddWebhooks(this IServiceCollection services)
    {
        services.AddSingleton<WebhookBook>();
        services.AddSingleton<WebhookReceiver>();
        services.AddScoped<WebhookGate>();
        return services;
    }
}
