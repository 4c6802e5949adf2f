using Deployer.Core.Deployments;

namespace Deployer.Web.Components.Time;

/// <summary>
/// Reloads what a page shows when the feed rings, and at the latest when the floor has passed; rests while the browser
/// is away. A reload that fails is logged, told to the page, and tried again.
/// </summary>
internal sealed partial class LiveReload(CircuitPresence presence, TimeProvider time, ILogger<LiveReload> logger)
{
    /// <summary>Shortest time between two reloads: a storm of rings is one reload.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest time between two reloads.</summary>
    public static readonly TimeSpan Floor = TimeSpan.FromSeconds(5);

    /// <summary>Starts reloading: the first time at once, then until the handle is disposed.</summary>
    /// <param name="bell">What rings; disposed with the handle.</param>
    /// <param name="reload">Loads and shows. Runs outside the circuit's dispatcher.</param>
    /// <param name="trouble">Told whether the last reload failed, when that changes.</param>
    public LiveReloadHandle Start(FeedSubscription bell, Func<CancellationToken, Task> reload, Func<bool, Task> trouble)
    {
        var stop = new CancellationTokenSource();
        return new LiveReloadHandle(bell, stop, Task.Run(() => RunAsync(bell, reload, trouble, stop.Token), CancellationToken.None));
    }

    private async Task RunAsync(
        FeedSubscription bell, Func<CancellationToken, Task> reload, Func<bool, Task> trouble, CancellationToken stop)
    {
        var failing = false;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await presence.WhenConnectedAsync(stop);
                var failed = !await TryReloadAsync(reload, stop);
                if (failed != failing)
                {
                    failing = failed;
                    await trouble(failing);
                }

                await Task.Delay(Pace, time, stop);
                await bell.WaitAsync(Floor, time, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task<bool> TryReloadAsync(Func<CancellationToken, Task> reload, CancellationToken stop)
    {
        try
        {
            await reload(stop);
            return true;
        }
        catch (Exception exception) when (exception is not OperationCanceledException and not ObjectDisposedException)
        {
            LogReloadFailed(exception);
            return false;
        }
    }

    [LoggerMessage(LogLevel.Warning, "A page could not reload what it shows; it tries again")]
    private partial void LogReloadFailed(Exception exception);
}

/// <summary>Stops the reloading of a page. Stopping it again waits for the same end.</summary>
internal sealed class LiveReloadHandle(FeedSubscription bell, CancellationTokenSource stop, Task run) : IAsyncDisposable
{
    private int _stopped;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0)
        {
            await run;
            return;
        }

        await stop.CancelAsync();
        await run;
        bell.Dispose();
        stop.Dispose();
    }
}
