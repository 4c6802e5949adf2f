using System.Security.Claims;
using Deployer.Core.Access;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server.Circuits;

namespace Deployer.Web.Features.Security;

/// <summary>
/// Who acts: in a request, whom the authentication found; in a circuit, the person who opened it, with the roles of this
/// moment. One per request or circuit.
/// </summary>
internal sealed class WebActor(
    IHttpContextAccessor http, IServiceProvider services, ActorDirectory directory, Sessions sessions, FirstRun firstRun) : ICurrentActor
{
    /// <summary>Whether this scope belongs to a circuit, whose requests say nothing about who acts now.</summary>
    public bool IsCircuit { get; set; }

    /// <inheritdoc/>
    public async ValueTask<Actor> GetAsync(CancellationToken cancellationToken)
    {
        if (!IsCircuit)
        {
            return http.HttpContext?.Features.Get<Actor>() ?? Actor.Nobody;
        }

        var state = await services.GetRequiredService<AuthenticationStateProvider>().GetAuthenticationStateAsync();
        return await FindAsync(state.User, cancellationToken) ?? Actor.Nobody;
    }

    /// <summary>Who the claims speak of, if they may still come in; <see langword="null"/> if not.</summary>
    public async Task<Actor?> FindAsync(ClaimsPrincipal user, CancellationToken cancellationToken)
    {
        var address = user.FindFirstValue(DeployerClaims.Address);
        if (!Enum.TryParse<ActorKind>(user.FindFirstValue(DeployerClaims.Kind), out var kind))
        {
            return null;
        }

        return kind switch
        {
            ActorKind.Person when Guid.TryParse(user.FindFirstValue(DeployerClaims.Session), out var session)
                && await sessions.IsOpenAsync(session, cancellationToken)
                => await directory.FindPersonAsync(user.FindFirstValue(ClaimTypes.NameIdentifier) ?? "", address, cancellationToken),
            ActorKind.Token => await directory.FindTokenAgainAsync(user.FindFirstValue(ClaimTypes.NameIdentifier) ?? "", address, cancellationToken),
            ActorKind.FirstRun when await firstRun.IsOpenAsync(cancellationToken) => DeployerAuthentication.FirstVisitor(address),
            _ => null,
        };
    }
}

/// <summary>Tells the scope of a circuit that it is one.</summary>
internal sealed class CircuitActor(WebActor actor) : CircuitHandler
{
    /// <inheritdoc/>
    public override Task OnCircuitOpenedAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        actor.IsCircuit = true;
        return Task.CompletedTask;
    }
}
