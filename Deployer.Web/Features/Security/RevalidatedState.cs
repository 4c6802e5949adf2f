using System.Security.Claims;
using Deployer.Core.Access;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;

namespace Deployer.Web.Features.Security;

/// <summary>
/// Who the person behind a circuit is. Asks again every minute, and at once when somebody's access changed in this
/// process, and signs the circuit out when the session has ended or the account is shut. When the server stops nobody is
/// asked any more: what would answer goes away before the last circuits do.
/// </summary>
internal sealed partial class RevalidatedState : ServerAuthenticationStateProvider, IDisposable
{
    /// <summary>Longest time for which a circuit may go on after its session was ended in another process.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly WebActor _actor;
    private readonly ILogger<RevalidatedState> _logger;
    private readonly CancellationTokenSource _stop;
    private readonly IDisposable _watch;
    private readonly ITimer _timer;

    public RevalidatedState(
        WebActor actor, AccessFeed feed, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<RevalidatedState> logger)
    {
        _actor = actor;
        _logger = logger;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStopping);
        _watch = feed.Watch(() => _ = Task.Run(RevalidateAsync, CancellationToken.None));
        _timer = time.CreateTimer(_ => _ = RevalidateAsync(), state: null, Interval, Interval);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _watch.Dispose();
        _timer.Dispose();
        _stop.Cancel();
        _stop.Dispose();
    }

    /// <summary>Asks once. A fault of the database signs nobody out; the next asking decides.</summary>
    internal async Task RevalidateAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        try
        {
            var state = await GetAuthenticationStateAsync();
            if (state.User.Identity?.IsAuthenticated is true && await _actor.FindAsync(state.User, _stop.Token) is null)
            {
                SetAuthenticationState(Task.FromResult(new AuthenticationState(new ClaimsPrincipal(new ClaimsIdentity()))));
            }
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            if (!_stop.IsCancellationRequested)
            {
                LogFailed(exception);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "A circuit's session could not be checked; it will be asked again")]
    private partial void LogFailed(Exception exception);
}
