using Microsoft.AspNetCore.Components.Server.Circuits;

namespace Deployer.Web.Components;

/// <summary>
/// Knows whether the browser of this circuit is connected. A circuit outlives its connection for minutes; what it shows
/// live rests meanwhile and catches up afterwards.
/// </summary>
internal sealed class CircuitPresence : CircuitHandler
{
    private volatile TaskCompletionSource _connected = Done();

    /// <summary>Whether the browser is connected now.</summary>
    public bool IsConnected => _connected.Task.IsCompleted;

    /// <summary>Waits until the browser is connected; at once when it is.</summary>
    public Task WhenConnectedAsync(CancellationToken cancellationToken) => _connected.Task.WaitAsync(cancellationToken);

    /// <inheritdoc/>
    public override Task OnConnectionUpAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        _connected.TrySetResult();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task OnConnectionDownAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        _connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return Task.CompletedTask;
    }

    private static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }
}
