using System.Security.Claims;
using Deployer.Core.Access;

namespace Deployer.Web.Features.Security;

/// <summary>
/// Ends an answer that lasts, such as a stream of a log, when whoever reads it may not any more: the token was revoked or
/// has expired, the session has ended, the role was taken. At once when that happens in this process, else by a timer.
/// One per request.
/// </summary>
internal sealed partial class StandingAccess(
    WebActor actor, AccessSubjects subjects, AccessFeed feed, TimeProvider time, ILogger<StandingAccess> logger) : IDisposable
{
    /// <summary>How often it asks; what happened in another process is known after as long.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _over = new();
    private IDisposable? _watch;
    private ITimer? _timer;
    private volatile bool _disposed;

    /// <summary>Watches from now on, until the request ends.</summary>
    /// <param name="user">Whoever reads.</param>
    /// <param name="deploymentId">The deployment whose log it is.</param>
    /// <returns>Is cancelled when they may not any more.</returns>
    public async Task<CancellationToken> WatchAsync(ClaimsPrincipal user, long deploymentId)
    {
        _watch = feed.Watch(() => _ = Task.Run(() => AskAsync(user, deploymentId), CancellationToken.None));
        _timer = time.CreateTimer(_ => _ = AskAsync(user, deploymentId), state: null, Interval, Interval);

        // It may have happened since the request was let in.
        await AskAsync(user, deploymentId);
        return _over.Token;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _watch?.Dispose();
        _timer?.Dispose();
        _over.Dispose();
    }

    /// <summary>Asks once. A fault of the database ends nothing; the next asking decides.</summary>
    private async Task AskAsync(ClaimsPrincipal user, long deploymentId)
    {
        try
        {
            var subject = await subjects.FindDeploymentAsync(deploymentId, CancellationToken.None);
            var reader = await actor.FindAsync(user, CancellationToken.None);
            if (reader is null || (subject is not null && !reader.May(AccessRole.Viewer, subject.Environment, subject.App)))
            {
                await _over.CancelAsync();
            }
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            if (!_disposed)
            {
                LogFailed(exception);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Whether a reader of a log may go on could not be asked; it is asked again")]
    private partial void LogFailed(Exception exception);
}
