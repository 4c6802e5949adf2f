namespace Deployer.Core.Runner;

/// <summary>Settles what a crash left behind. Runs to its end before the host takes work.</summary>
public sealed class RunnerStartup
{
    private readonly LeftoverSettler _settler;
    private readonly WorkerIdentity _worker;

    internal RunnerStartup(LeftoverSettler settler, WorkerIdentity worker)
    {
        _settler = settler;
        _worker = worker;
    }

    /// <summary>
    /// Brings every deployment whose worker is gone to a true final state by looking at the engine. What cannot be settled
    /// because the engine does not answer is tried again by a timer, so that a dead engine does not keep Deployer down.
    /// </summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        await _settler.SettleAsync(cancellationToken);
        _worker.ForgetGone();
    }
}
