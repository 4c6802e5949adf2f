namespace Deployer.Core.Routing;

/// <summary>
/// Wakes, within one process, the proxy when routes changed and the switch when a proxy reported. Carries no data: who
/// is woken reads the database. Proxies in other processes are not reached; every waiter keeps a timer as its floor.
/// </summary>
public sealed class RouteFeed
{
    private TaskCompletionSource _changed = New();
    private TaskCompletionSource _reported = New();

    /// <summary>Completes at the next change of the routes. Take it first, then read, then wait: so nothing falls between.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    /// <summary>Completes when a proxy next reports. Take it first, then read, then wait.</summary>
    public Task Reported => Volatile.Read(ref _reported).Task;

    /// <summary>Tells that routes changed; called after the commit.</summary>
    public void PublishChange() => Interlocked.Exchange(ref _changed, New()).SetResult();

    /// <summary>Tells that a proxy reported; called after the commit.</summary>
    public void PublishReport() => Interlocked.Exchange(ref _reported, New()).SetResult();

    /// <summary>Waits for the first of some bells taken before, at most until the floor has passed.</summary>
    /// <param name="bells">What <see cref="Changed"/>, <see cref="Reported"/> and the like gave.</param>
    /// <param name="floor">Longest wait.</param>
    /// <param name="time">Clock of the floor.</param>
    /// <param name="cancellationToken">Ends the wait with <see cref="OperationCanceledException"/>.</param>
    public static async Task WaitAsync(
        IEnumerable<Task> bells, TimeSpan floor, TimeProvider time, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny([.. bells, Task.Delay(floor, time, ended.Token)]);
        await ended.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    // Waiters go on elsewhere than on the thread that rings.
    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
