using System.Globalization;
using Deployer.Core.Access;
using Deployer.Core.Data;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Notifications;

/// <summary>What became of the mail with an invitation.</summary>
/// <param name="Sent">Whether the mail server took it.</param>
/// <param name="Error">What it met; <see langword="null"/> when it was sent, and where no mail server is set.</param>
public sealed record InvitationMailing(bool Sent, string? Error);

/// <summary>Sends the link of an invitation to whoever is invited, where the settings name a mail server.</summary>
public sealed class InvitationMail
{
    private readonly MailSender _mail;
    private readonly IOptions<NotificationOptions> _options;
    private readonly TimeProvider _time;

    internal InvitationMail(MailSender mail, IOptions<NotificationOptions> options, TimeProvider time)
    {
        _mail = mail;
        _options = options;
        _time = time;
    }

    /// <summary>Whether there is a mail server.</summary>
    public bool CanSend => _mail.IsSet;

    /// <summary>Sends the link, once. The inviter has it, too, and passes it on by hand where this fails.</summary>
    /// <param name="invitation">The invitation.</param>
    /// <param name="link">Its link, at the address where the inviter reached the dashboard.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<InvitationMailing> SendAsync(NewInvitation invitation, Uri link, CancellationToken cancellationToken)
    {
        if (!CanSend)
        {
            return new InvitationMailing(Sent: false, Error: null);
        }

        var view = invitation.View;
        var until = view.ExpiresAt.ToDateTimeOffset().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        var result = await _mail.SendAsync(
            view.Email, _time.Now(), "You are invited to Deployer",
            $"""
            {view.CreatedBy} invites you to Deployer. Make your account here:

            {Reachable(link)}

            The link works once, until {until} UTC. Whoever has it can make the account: pass it on to nobody.
            If you do not know what this is about, do nothing.
            """,
            cancellationToken);
        return new InvitationMailing(result.IsDelivered, result.Error);
    }

    /// <summary>The link at the address that the settings give to the dashboard.</summary>
    private string Reachable(Uri link) => string.IsNullOrWhiteSpace(_options.Value.DashboardUrl)
        ? link.AbsoluteUri
        : _options.Value.DashboardUrl.TrimEnd('/') + link.AbsolutePath;
}
