using System.Security.Claims;
using System.Text.Encodings.Web;
using Deployer.Core.Access;
using Deployer.Core.Audit;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Deployer.Web.Features.Security;

/// <summary>What Deployer writes into the claims of a caller.</summary>
internal static class DeployerClaims
{
    /// <summary>The <see cref="ActorKind"/>.</summary>
    public const string Kind = "deployer:kind";

    /// <summary>Id of the session, for people.</summary>
    public const string Session = "deployer:session";

    /// <summary>Network address of the caller.</summary>
    public const string Address = "deployer:address";
}

/// <summary>
/// Finds out who calls: the holder of an API token (<c>Authorization: Bearer</c>, RFC 6750), a person by the session
/// cookie, or, before there is an owner, whoever sits at the machine.
/// </summary>
internal sealed class DeployerAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder,
    ActorDirectory directory, FirstRun firstRun, RateLimits limits, AuditLog audit)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    /// <summary>Name of the scheme.</summary>
    public const string Name = "Deployer";

    private const string Bearer = "Bearer ";

    /// <inheritdoc/>
    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var address = Context.Connection.RemoteIpAddress?.ToString();

        // Whoever shows a token is judged by it alone, good or bad.
        if (Request.Headers.Authorization.Count > 0)
        {
            return await AuthenticateTokenAsync(Request.Headers.Authorization.ToString(), address);
        }

        var cookie = await Context.AuthenticateAsync(IdentityConstants.ApplicationScheme);
        if (cookie.Principal?.FindFirstValue(ClaimTypes.NameIdentifier) is { } personId
            && await directory.FindPersonAsync(personId, address, Context.RequestAborted) is { } person)
        {
            return Known(person, cookie.Principal.FindFirstValue(DeployerClaims.Session));
        }

        if (AtTheMachine.IsCaller(Context) && await firstRun.IsOpenAsync(Context.RequestAborted))
        {
            return Known(FirstVisitor(address), session: null);
        }

        return AuthenticateResult.NoResult();
    }

    /// <inheritdoc/>
    protected override Task HandleChallengeAsync(AuthenticationProperties properties) => Refusals.ChallengeAsync(Context);

    /// <inheritdoc/>
    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Refusals.ForbidAsync(Context);

    /// <summary>Whoever sits at the machine before there is an owner.</summary>
    internal static Actor FirstVisitor(string? address) =>
        new(ActorKind.FirstRun, "first-run", "first visitor", address, [new AccessGrant(AccessRole.Owner, null, null)]);

    private async Task<AuthenticateResult> AuthenticateTokenAsync(string header, string? address)
    {
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return AuthenticateResult.Fail("Only Bearer tokens are taken.");
        }

        if (limits.IsGuessing(address))
        {
            return AuthenticateResult.Fail("Too many wrong tokens from this address.");
        }

        if (await directory.FindTokenAsync(header[Bearer.Length..].Trim(), address, Context.RequestAborted) is { } token)
        {
            return Known(token, session: null);
        }

        if (limits.CountWrongToken(address))
        {
            await audit.RecordAsync(
                Actor.Nobody with { Address = address }, new AuditFact(AuditAction.TokenRefused, AuditSubject.Address(address)), Context.RequestAborted);
        }

        return AuthenticateResult.Fail("The token is unknown, expired or revoked.");
    }

    private AuthenticateResult Known(Actor actor, string? session)
    {
        Context.Features.Set(actor);
        var identity = new ClaimsIdentity(Name);
        identity.AddClaim(new Claim(ClaimTypes.NameIdentifier, actor.Id));
        identity.AddClaim(new Claim(ClaimTypes.Name, actor.Name));
        identity.AddClaim(new Claim(DeployerClaims.Kind, actor.Kind.ToString()));
        if (actor.Address is { } address)
        {
            identity.AddClaim(new Claim(DeployerClaims.Address, address));
        }

        if (session is not null)
        {
            identity.AddClaim(new Claim(DeployerClaims.Session, session));
        }

        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Name));
    }
}
