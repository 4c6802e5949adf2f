namespace Deployer.Core.Notifications;

/// <summary>Hands a message to whatever carries it to a target.</summary>
internal sealed class NotificationDesk(NotificationBook book, WebSender web, MailSender mail)
{
    /// <summary>Sends once.</summary>
    /// <exception cref="Secrets.SecretUnreadableException">The target's address cannot be decrypted.</exception>
    public async Task<NotificationAttempt> SendAsync(long targetId, NotificationMessage message, CancellationToken cancellationToken) =>
        await book.OpenAsync(targetId, cancellationToken) switch
        {
            null => NotificationAttempt.Refused("The target is gone."),
            { Kind: NotificationKind.Email } target => await mail.SendAsync(target.Address, message, cancellationToken),
            var target => await web.SendAsync(target.Kind, new Uri(target.Address), target.Secret, message, cancellationToken),
        };
}
