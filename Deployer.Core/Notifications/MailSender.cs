using Deployer.Core.Data;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.Extensions.Options;
using MimeKit;
using NodaTime;

namespace Deployer.Core.Notifications;

/// <summary>Sends by e-mail, through the server of the settings.</summary>
internal sealed class MailSender(IOptions<SmtpOptions> options)
{
    private const int TimeoutMilliseconds = 20_000;

    /// <summary>Whether the settings name a server.</summary>
    public bool IsSet => options.Value.IsSet;

    /// <summary>Sends once.</summary>
    /// <param name="to">Address of the receiver.</param>
    /// <param name="message">What to tell.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<NotificationAttempt> SendAsync(string to, NotificationMessage message, CancellationToken cancellationToken)
    {
        using var mail = Compose(to, $"{message.Id}@deployer.invalid", message.At.ToDateTimeOffset(), message.Title, NotificationForms.MailText(message));
        mail.Headers.Add("X-Deployer-Event", NotificationForms.EventName(message.Event));
        return await CarryAsync(mail, cancellationToken);
    }

    /// <summary>Sends a mail of another kind, once.</summary>
    /// <param name="to">Address of the receiver.</param>
    /// <param name="at">When it was written.</param>
    /// <param name="subject">Its subject.</param>
    /// <param name="text">Its text.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<NotificationAttempt> SendAsync(string to, Instant at, string subject, string text, CancellationToken cancellationToken)
    {
        using var mail = Compose(to, $"{Guid.NewGuid():N}@deployer.invalid", at.ToDateTimeOffset(), subject, text);
        return await CarryAsync(mail, cancellationToken);
    }

    private async Task<NotificationAttempt> CarryAsync(MimeMessage mail, CancellationToken cancellationToken)
    {
        var smtp = options.Value;
        if (!smtp.IsSet)
        {
            return NotificationAttempt.Refused("No mail server is set. Set Smtp:Host and Smtp:From.");
        }

        mail.From.Add(new MailboxAddress("Deployer", smtp.From!));
        using var client = new SmtpClient { Timeout = TimeoutMilliseconds };
        try
        {
            await client.ConnectAsync(smtp.Host!, smtp.Port, Socket(smtp.Security), cancellationToken);
            if (!string.IsNullOrEmpty(smtp.UserName))
            {
                await client.AuthenticateAsync(smtp.UserName, smtp.Password!, cancellationToken);
            }

            await client.SendAsync(mail, cancellationToken);
            await QuitAsync(client, cancellationToken);
            return NotificationAttempt.Delivered;
        }
        catch (AuthenticationException)
        {
            return NotificationAttempt.Failed("The mail server refused Smtp:UserName and Smtp:Password.");
        }
        catch (SmtpCommandException refusal) when ((int)refusal.StatusCode is >= 500 and < 600)
        {
            return NotificationAttempt.Refused($"The mail server answered {(int)refusal.StatusCode} ({refusal.ErrorCode}).");
        }
        catch (SmtpCommandException refusal)
        {
            return NotificationAttempt.Failed($"The mail server answered {(int)refusal.StatusCode}.");
        }
        catch (Exception fault) when (fault is ProtocolException or IOException or System.Net.Sockets.SocketException or TimeoutException
            or SslHandshakeException or NotSupportedException)
        {
            return NotificationAttempt.Failed($"The mail server {smtp.Host}:{smtp.Port} could not be used: {Words(fault)}.");
        }
    }

    private static MimeMessage Compose(string to, string id, DateTimeOffset at, string subject, string text)
    {
        // The library encodes what headers cannot hold; a line end in a subject would begin another header otherwise.
        var mail = new MimeMessage
        {
            MessageId = id,
            Date = at,
            Subject = new string([.. subject.Select(c => char.IsControl(c) ? ' ' : c)]),
            Body = new TextPart("plain") { Text = text },
        };
        mail.To.Add(new MailboxAddress("", to));
        mail.Headers.Add("Auto-Submitted", "auto-generated");
        return mail;
    }

    // The mail is taken; whatever happens from here on, it is not to be sent again.
    private static async Task QuitAsync(SmtpClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.DisconnectAsync(quit: true, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or ProtocolException or OperationCanceledException)
        {
            // Closed by the other side, or by us as the process stops.
        }
    }

    private static SecureSocketOptions Socket(SmtpSecurity security) => security switch
    {
        SmtpSecurity.Tls => SecureSocketOptions.SslOnConnect,
        SmtpSecurity.None => SecureSocketOptions.None,
        _ => SecureSocketOptions.StartTls,
    };

    private static string Words(Exception fault) => fault switch
    {
        SslHandshakeException => "its certificate is not trusted",
        NotSupportedException => "it does not offer STARTTLS; set Smtp:Security",
        TimeoutException => "it does not answer",
        System.Net.Sockets.SocketException => "no connection",
        _ => "the connection broke",
    };
}
