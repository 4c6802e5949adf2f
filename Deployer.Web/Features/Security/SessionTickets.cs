using System.Security.Claims;
using Deployer.Core.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Deployer.Web.Features.Security;

/// <summary>Keeps sign-ins in the database, so that the cookie is a random key alone and a session can be ended from elsewhere.</summary>
internal sealed class SessionTickets(Sessions sessions, IDataProtectionProvider protection) : ITicketStore
{
    private readonly IDataProtector _protector = protection.CreateProtector("Deployer.Sessions.v1");

    /// <inheritdoc/>
    public Task<string> StoreAsync(AuthenticationTicket ticket) =>
        throw new NotSupportedException("A session is opened by a request.");

    /// <inheritdoc/>
    public Task<string> StoreAsync(AuthenticationTicket ticket, HttpContext httpContext, CancellationToken cancellationToken) =>
        sessions.OpenAsync(
            new SessionDraft(
                ticket.Principal.FindFirstValue(ClaimTypes.NameIdentifier) ?? throw new InvalidOperationException("The sign-in has no person."),
                Protect(ticket),
                httpContext.Connection.RemoteIpAddress?.ToString(),
                httpContext.Request.Headers.UserAgent.ToString())
            {
                Method = ticket.Principal.FindFirstValue(ClaimTypes.AuthenticationMethod),
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task RenewAsync(string key, AuthenticationTicket ticket) => sessions.RenewAsync(key, Protect(ticket), CancellationToken.None);

    /// <inheritdoc/>
    public async Task<AuthenticationTicket?> RetrieveAsync(string key)
    {
        if (await sessions.FindAsync(key, CancellationToken.None) is not { } session)
        {
            return null;
        }

        try
        {
            var ticket = TicketSerializer.Default.Deserialize(_protector.Unprotect(session.Ticket));
            ticket?.Principal.AddIdentity(new ClaimsIdentity([new Claim(DeployerClaims.Session, session.Id.ToString())]));
            return ticket;
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            // The keys were lost or replaced: whoever held the session signs in again.
            return null;
        }
    }

    /// <inheritdoc/>
    public Task RemoveAsync(string key) => sessions.CloseAsync(key, CancellationToken.None);

    private byte[] Protect(AuthenticationTicket ticket)
    {
        // The session's id is added anew at each reading.
        var principal = new ClaimsPrincipal(ticket.Principal.Identities.Where(identity => !identity.HasClaim(claim => claim.Type == DeployerClaims.Session)));
        return _protector.Protect(TicketSerializer.Default.Serialize(new AuthenticationTicket(principal, ticket.Properties, ticket.AuthenticationScheme)));
    }
}

/// <summary>Sets the session cookie up.</summary>
internal sealed class SessionCookie(SessionTickets tickets, IOptions<AuthOptions> auth) : IConfigureNamedOptions<CookieAuthenticationOptions>
{
    /// <summary>Name of the cookie.</summary>
    public const string Name = "deployer-session";

    /// <inheritdoc/>
    public void Configure(CookieAuthenticationOptions options)
    {
    }

    /// <inheritdoc/>
    public void Configure(string? name, CookieAuthenticationOptions options)
    {
        if (!string.Equals(name, IdentityConstants.ApplicationScheme, StringComparison.Ordinal))
        {
            return;
        }

        options.SessionStore = tickets;
        options.Cookie.Name = Name;
        options.Cookie.HttpOnly = true;
        options.Cookie.IsEssential = true;

        // Lax, so that a link in a chat leads to the page and not to the sign-in; what changes something is checked by origin.
        options.Cookie.SameSite = SameSiteMode.Lax;

        // Secure wherever the dashboard is reached by https; on loopback there is none.
        options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        options.ExpireTimeSpan = TimeSpan.FromDays(auth.Value.SessionDays);
        options.SlidingExpiration = true;
    }
}
