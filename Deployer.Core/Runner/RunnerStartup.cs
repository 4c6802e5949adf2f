namespace Deployer.Core.Runner;

/// <summary>Settles what a crash left behind. Runs to its end before the host takes work.</summary>
public sealed class RunnerStartup
{
    // An engine that takes requests and never answers them must not keep the dashboard down that shows so.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly LeftoverSettler _settler;
    private readonly WorkerIdentity _worker;
    private readonly TimeProvider _time;

    internal RunnerStartup(LeftoverSettler settler, WorkerIdentity worker, TimeProvider time)
    {
        _settler = settler;
        _worker = worker;
        _time = time;
    }

    /// <summary>
    /// Brings every deployment whose worker is gone to a true final state by looking at the engine. What cannot be settled
    /// because the engine does not answer, or within half a minute, is tried again by a timer: a dead engine does not keep
    /// Deployer down.
    /// </summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await _settler.SettleQuicklyAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // What is not settled is in nobody's hands, and the timer finds it.
        }

        _worker.ForgetGone();
    }
}
