using Deployer.Core.Access;
using Deployer.Core.Data;
using Deployer.Core.Secrets;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Notifications;

/// <summary>Registers notifications.</summary>
public static class NotificationsRegistration
{
    /// <summary>Registers <see cref="NotificationGate"/> and what carries notifications, and their settings.</summary>
    public static IServiceCollection AddNotifications(this IServiceCollection services)
    {
        services.AddOptions<NotificationOptions>().BindConfiguration(NotificationOptions.Section).ValidateOnStart();
        services.AddOptions<SmtpOptions>().BindConfiguration(SmtpOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<NotificationOptions>, NotificationSettingsCheck>();
        services.AddSingleton<IValidateOptions<SmtpOptions>, NotificationSettingsCheck>();
        services.AddSingleton<NotificationBook>();
        services.AddSingleton<WebSender>();
        services.AddSingleton<MailSender>();
        services.AddSingleton<NotificationDesk>();
        services.AddSingleton(provider => new InvitationMail(
            provider.GetRequiredService<MailSender>(), provider.GetRequiredService<IOptions<NotificationOptions>>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new NotificationComposer(
            provider.GetRequiredService<IDbContextFactory<DeployerDb>>(), provider.GetRequiredService<SecretBook>(),
            provider.GetRequiredService<IOptions<NotificationOptions>>(), provider.GetRequiredService<IConfiguration>()));
        services.AddScoped(provider => new NotificationGate(
            provider.GetRequiredService<NotificationBook>(), provider.GetRequiredService<NotificationDesk>(),
            provider.GetRequiredService<NotificationComposer>(), provider.GetRequiredService<MailSender>(),
            provider.GetRequiredService<AccessSubjects>(), provider.GetRequiredService<ICurrentActor>(), provider.GetRequiredService<TimeProvider>()));
        return services;
    }

    /// <summary>Registers the hosted service that empties the outbox.</summary>
    public static IServiceCollection AddNotificationSending(this IServiceCollection services)
    {
        services.AddSingleton<NotificationSender>();
        services.AddHostedService(provider => provider.GetRequiredService<NotificationSender>());
        return services;
    }
}
