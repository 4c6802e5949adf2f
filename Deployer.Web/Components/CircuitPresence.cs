using Microsoft.AspNetCore.Components.Server.Circuits;

namespace Deployer.Web.Components;

/// <summary>
/// Knows whether the browser of this circuit is connected. A circuit outlives its connection for minutes; what it shows
/// live rests meanwhile and catches up afterwards.
/// </summary>
internal sealed class CircuitPresence : CircuitHandler, IDisposable
{
    private volatile TaskCompletionSource _connected = Done();
    private volatile CancellationTokenSource _connection = new();

    /// <summary>Whether the browser is connected now.</summary>
    public bool IsConnected => _connected.Task.IsCompleted;

    /// <summary>Waits until the browser is connected; at once when it is.</summary>
    public Task WhenConnectedAsync(CancellationToken cancellationToken) => _connected.Task.WaitAsync(cancellationToken);

    /// <summary>
    /// Asks something of the browser until it is answered. What is asked while the connection is down, which may be noticed
    /// only when the browser comes back, is lost with it: Blazor sends again what the page looks like, and nothing else.
    /// </summary>
    /// <param name="ask">Asks it; may happen twice, so asking twice must do no harm. Is told when the connection is lost.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        while (true)
        {
            await WhenConnectedAsync(cancellationToken);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _connection.Token);
            try
            {
                return await ask(either.Token);
            }
            catch (OperationCanceledException) when (either.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                // The connection dropped under the call.
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    /// <inheritdoc/>
    public override Task OnConnectionUpAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        if (_connection.IsCancellationRequested)
        {
            _connection = new CancellationTokenSource();
        }

        _connected.TrySetResult();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task OnConnectionDownAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        _connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _connection.CancelAsync();
    }

    private static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }
}
