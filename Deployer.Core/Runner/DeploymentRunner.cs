using Deployer.Core.Deployments;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Runner;

/// <summary>Claims queued deployments, oldest first, and has them executed, so many at a time.</summary>
internal sealed partial class DeploymentRunner(
    DeploymentLedger ledger, DeploymentExecutor executor, DeploymentFeed feed, ActiveRuns active, WorkerIdentity worker,
    IOptions<RunnerOptions> options, TimeProvider time, ILogger<DeploymentRunner> logger) : BackgroundService
{
    private readonly List<Task> _runs = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        worker.Announce();
        using var hurry = new CancellationTokenSource();
        using var bell = feed.WatchAll();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ClaimAsync(hurry.Token, stoppingToken);
                await bell.WaitAsync(options.Value.PollInterval, time, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception exception)
            {
                LogRoundFailed(exception);
                await Task.Delay(options.Value.PollInterval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        // Running deployments may end by themselves for a while; then they are told to.
        using var grace = new CancellationTokenSource(options.Value.ShutdownGrace, time);
        await using var late = grace.Token.Register(hurry.Cancel);
        await Task.WhenAll(_runs);
    }

    private async Task ClaimAsync(CancellationToken hurry, CancellationToken cancellationToken)
    {
        _runs.RemoveAll(run => run.IsCompleted);
        var free = options.Value.MaxConcurrent - active.Count;
        if (free <= 0)
        {
            return;
        }

        foreach (var id in await ledger.FindClaimableAsync(free, cancellationToken))
        {
            if (!active.TryAdd(id))
            {
                continue;
            }

            ClaimedDeployment? claimed = null;
            try
            {
                claimed = await ledger.ClaimAsync(id, worker.Name, options.Value.Lease, cancellationToken);
            }
            finally
            {
                if (claimed is null)
                {
                    active.Remove(id);
                }
            }

            if (claimed is not null)
            {
                _runs.Add(ExecuteAsync(claimed, hurry));
            }
        }
    }

    private async Task ExecuteAsync(ClaimedDeployment claimed, CancellationToken hurry)
    {
        // On a thread of its own: the loop goes on claiming.
        await Task.Yield();
        LogClaimed(claimed.Deployment.Id, claimed.App.Name, claimed.Deployment.Number);
        await executor.ExecuteAsync(claimed, hurry);
        active.Remove(claimed.Deployment.Id);
        feed.Publish(claimed.Deployment.Id);
    }

    [LoggerMessage(LogLevel.Information, "Deployment {DeploymentId} of {App} #{Number} begins")]
    private partial void LogClaimed(long deploymentId, string app, int number);

    [LoggerMessage(LogLevel.Error, "A round of the runner failed; the next follows")]
    private partial void LogRoundFailed(Exception exception);
}
