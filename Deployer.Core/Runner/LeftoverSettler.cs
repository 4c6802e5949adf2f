using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Logs;
using Deployer.Core.Registries;
using Deployer.Core.Secrets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Runner;

/// <summary>
/// Brings deployments whose worker is gone to a true end by looking at the engine: finished where the new container had
/// taken over and is well, else undone.
/// </summary>
internal sealed partial class LeftoverSettler(
    DeploymentLedger ledger, RollBack rollBack, AppContainers containers, Wellness wellness, SecretBook secretBook,
    RegistryBook registries, LogStore logs, DeploymentFeed feed, ActiveRuns active,
    WorkerIdentity worker, IOptions<RunnerOptions> options, TimeProvider time, ILogger<LeftoverSettler> logger)
{
    // Whether a container is well may take as long to know as its health check takes; the dashboard comes up meanwhile.
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);

    /// <summary>Settles what can be settled now.</summary>
    public Task SettleAsync(CancellationToken cancellationToken) => SettleAsync(options.Value.StallLimit, cancellationToken);

    /// <summary>Settles what can be settled at once, before the host takes work.</summary>
    public Task SettleQuicklyAsync(CancellationToken cancellationToken) => SettleAsync(StartPatience, cancellationToken);

    private async Task SettleAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        worker.Announce();
        var held = await ledger.FindHeldByOthersAsync(active.Ids, cancellationToken);
        await Task.WhenAll(held
            .Where(holding => IsLeftOver(holding) && active.TryAdd(holding.DeploymentId))
            .Select(holding => SettleAsync(holding, patience, cancellationToken)));
    }

    private async Task SettleAsync(Holding holding, TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            if (await ledger.TakeOverAsync(holding, worker.Name, options.Value.Lease, cancellationToken) is { } claimed)
            {
                await SettleAsync(claimed, patience, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogSettleFailed(exception, holding.DeploymentId);
        }
        finally
        {
            active.Remove(holding.DeploymentId);
        }
    }

    private bool IsLeftOver(Holding holding) =>
        holding.Worker is null
        || string.Equals(holding.Worker, worker.Name, StringComparison.Ordinal)
        || holding.LeaseUntil is null
        || holding.LeaseUntil < time.Now()
        || worker.IsGone(holding.Worker);

    private async Task SettleAsync(ClaimedDeployment claimed, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var stall = new StallWatch(patience + options.Value.StallLimit, time);
        await using var guard = new RunGuard(
            claimed.Claim, stall, ledger, feed, options.Value.Lease, time, logger, cancellationToken);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(guard.ClaimLost, stall.Token, cancellationToken);
        var secrets = await RunSecrets.ReadAsync(claimed, secretBook, registries, either.Token);
        await using var log = new DeploymentLog(logs, claimed.Deployment.Id, secrets.All, logger);
        var during = StepReached(claimed.Deployment);
        log.Step = during ?? StepKind.Prepare;
        var well = claimed.Deployment is { SwitchedAt: not null, CancelRequestedAt: null }
            ? await IsWellUnlessCanceledAsync(claimed, patience, guard, either.Token)
            : false;
        var canceled = claimed.Deployment.CancelRequestedAt is not null || guard.Reason == StopReason.Canceled;
        var end = well switch
        {
            true => await FinishAsync(claimed, log, either.Token),
            null when patience < options.Value.StallLimit => null,
            _ => await GoBackAsync(claimed, canceled, during, patience, log, either.Token),
        };
        if (end is null)
        {
            LogNotYet(claimed.Deployment.Id);
            return;
        }

        await log.TryFlushAsync(either.Token);
        await ledger.EndPersistentlyAsync(claimed.Claim, end, either.Token);
        LogSettled(claimed.Deployment.Id, claimed.App.Name, claimed.Deployment.Number, end.Status);
    }

    private static async Task<DeploymentEnd> FinishAsync(ClaimedDeployment claimed, DeploymentLog log, CancellationToken cancellationToken)
    {
        await log.TellAsync("Deployer was interrupted here; the new container serves and is well, so the deployment is finished", cancellationToken);
        await log.TellAsync($"{claimed.App.Name} #{claimed.Deployment.Number} succeeded", cancellationToken);
        return new DeploymentEnd(DeploymentStatus.Succeeded, null, UndoPending: true);
    }

    /// <summary>Makes the old container serve again; <see langword="null"/> when that is to be decided later.</summary>
    private async Task<DeploymentEnd?> GoBackAsync(
        ClaimedDeployment claimed, bool canceled, StepKind? during, TimeSpan patience, DeploymentLog log, CancellationToken cancellationToken)
    {
        var deployment = claimed.Deployment;
        var failure = canceled ? null : FailureRules.Interrupted(during, evidence: null);
        var status = canceled ? DeploymentStatus.Canceled : DeploymentStatus.Failed;
        var switched = deployment.SwitchedAt is not null;
        var order = new RollBackOrder(
            claimed.Claim, claimed.App.Id, claimed.App.Name, deployment.PreviousDeploymentId, deployment.PreviousContainerId,
            deployment.PreviousStoppedAt, switched);
        try
        {
            if (!await rollBack.IsPossibleAsync(order, cancellationToken))
            {
                return await StandAsync(claimed, patience, log, cancellationToken);
            }

            await log.TellAsync(
                canceled ? "Canceled; Deployer was interrupted before it could act on it" : $"{failure!.Cause} {failure.Remedy}", cancellationToken);
            await rollBack.RunAsync(order, log, cancellationToken);
            return new DeploymentEnd(status, failure, UndoPending: false);
        }
        catch (EngineException exception) when (!switched)
        {
            LogUndoLater(exception, deployment.Id);
            await log.TellAsync($"{exception.Message} What is left is put right as soon as it does", cancellationToken);
            return new DeploymentEnd(status, failure, UndoPending: true);
        }
    }

    /// <summary>
    /// The old container is gone: the new one stays. Where it does not run, as after a crash of the engine that does not
    /// start it again, it is started; whether it is well then decides.
    /// </summary>
    private async Task<DeploymentEnd?> StandAsync(
        ClaimedDeployment claimed, TimeSpan patience, DeploymentLog log, CancellationToken cancellationToken)
    {
        if (await containers.FindAsync(claimed.App.Name, claimed.Deployment.Id, cancellationToken) is { } container
            && await containers.EnsureServesAsync(container, toldToStopAt: null, cancellationToken))
        {
            await log.TellAsync($"Started {container.Name} again", cancellationToken);
        }

        switch (await IsWellAsync(claimed, patience, cancellationToken))
        {
            case true:
                return await FinishAsync(claimed, log, cancellationToken);
            case null when patience < options.Value.StallLimit:
                return null;
            default:
                break;
        }

        var failure = new DeploymentFailure(
            FailureCode.Interrupted,
            "Deployer stopped after the new container had taken over, the new container is not well any more, and the old one is gone.",
            "Deploy again.",
            Evidence: null);
        await log.TellAsync(failure.Cause, cancellationToken);
        return new DeploymentEnd(DeploymentStatus.Failed, failure, UndoPending: false);
    }

    /// <summary>The same as <see cref="IsWellAsync"/>, but <see langword="false"/> as soon as a person cancels.</summary>
    private async Task<bool?> IsWellUnlessCanceledAsync(
        ClaimedDeployment claimed, TimeSpan patience, RunGuard guard, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(guard.Token, cancellationToken);
        try
        {
            return await IsWellAsync(claimed, patience, either.Token);
        }
        catch (OperationCanceledException) when (guard.Reason == StopReason.Canceled && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Whether the new container runs and is healthy; <see langword="null"/> when the engine does not know yet.</summary>
    private async Task<bool?> IsWellAsync(ClaimedDeployment claimed, TimeSpan patience, CancellationToken cancellationToken) =>
        await containers.FindAsync(claimed.App.Name, claimed.Deployment.Id, cancellationToken) is { } container
            ? await wellness.WaitAsync(container.Id, claimed.Deployment.Spec.Health, patience, cancellationToken)
            : false;

    private static StepKind? StepReached(Deployment deployment) =>
        deployment.Steps.Where(step => step.State != StepState.Pending).Select(step => (StepKind?)step.Kind).Max();

    [LoggerMessage(LogLevel.Information, "Settled deployment {DeploymentId} of {App} #{Number}, which was left running: {Status}")]
    private partial void LogSettled(long deploymentId, string app, int number, DeploymentStatus status);

    [LoggerMessage(LogLevel.Information, "Whether the container of deployment {DeploymentId} is well is not known yet; looking again")]
    private partial void LogNotYet(long deploymentId);

    [LoggerMessage(LogLevel.Warning, "Deployment {DeploymentId} could not be settled yet; trying again")]
    private partial void LogSettleFailed(Exception exception, long deploymentId);

    [LoggerMessage(LogLevel.Warning, "Deployment {DeploymentId}: what it left is put right later")]
    private partial void LogUndoLater(Exception exception, long deploymentId);
}
