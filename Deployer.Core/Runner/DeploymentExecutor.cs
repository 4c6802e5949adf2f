using System.Diagnostics;
using Deployer.Core.Deployments;
using Deployer.Core.Diagnostics;
using Deployer.Core.Engine;
using Deployer.Core.Logs;
using Deployer.Core.Registries;
using Deployer.Core.Secrets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Runner;

/// <summary>
/// Carries a claimed deployment from its first step to its final status. Whatever happens, the log tells it, the app is
/// served by the new container or by the old one again, and the status becomes final after the last line is durable.
/// </summary>
internal sealed partial class DeploymentExecutor(
    DeploymentPipeline pipeline, RollBack rollBack, EvidenceTaker evidence, FailureAdvisor advisor, DeploymentLedger ledger,
    SecretBook secretBook, RegistryBook registries, SecretAudit audit, LogStore logs, DeploymentFeed feed, IOptions<RunnerOptions> options, TimeProvider time, ILogger<DeploymentExecutor> logger)
{
    private static readonly TimeSpan RollBackLimit = TimeSpan.FromSeconds(60);

    /// <summary>Runs the deployment to its end. Raises nothing.</summary>
    /// <param name="claimed">The deployment.</param>
    /// <param name="shutdown">Canceled when a running deployment may not go on because Deployer shuts down.</param>
    public async Task ExecuteAsync(ClaimedDeployment claimed, CancellationToken shutdown)
    {
        try
        {
            await RunAsync(claimed, shutdown);
        }
        catch (ClaimLostException exception)
        {
            LogClaimLost(exception, claimed.Deployment.Id);
        }
        catch (Exception exception)
        {
            // The row still says running, in nobody's hands: it is settled by looking at the engine.
            LogLeftForSettling(exception, claimed.Deployment.Id);
        }
    }

    private async Task RunAsync(ClaimedDeployment claimed, CancellationToken shutdown)
    {
        var began = time.GetTimestamp();
        using var span = DeployerTelemetry.Source.StartActivity("deployment");
        span?.SetTag("deployer.app", claimed.App.Name).SetTag("deployer.environment", claimed.App.Environment)
            .SetTag("deployer.deployment.id", claimed.Deployment.Id).SetTag("deployer.deployment.number", claimed.Deployment.Number);
        using var stall = new StallWatch(options.Value.StallLimit, time);
        await using var guard = new RunGuard(claimed.Claim, stall, ledger, feed, options.Value.Lease, time, logger, shutdown);
        var secrets = await RunSecrets.ReadAsync(claimed, secretBook, registries, guard.ClaimLost);
        await using var log = new DeploymentLog(logs, claimed.Deployment.Id, secrets.All, logger);
        var run = new DeploymentRun(claimed, ImageReference.Parse(claimed.Deployment.Spec.Image), secrets, log, stall);
        DeploymentEnd end;
        try
        {
            await audit.RecordAsync(claimed, secrets, guard.Token);
            await pipeline.RunAsync(run, guard.Token);
            await log.SayAsync($"{run.AppName} #{run.Number} succeeded", guard.ClaimLost);
            await log.FlushAsync(guard.ClaimLost);
            end = new DeploymentEnd(DeploymentStatus.Succeeded, null, UndoPending: false);
        }
        catch (Exception exception) when (guard.Reason != StopReason.ClaimLost && exception is not ClaimLostException)
        {
            LogStopped(exception, run.Id, guard.Reason);
            if (!run.Switched || guard.Reason == StopReason.Canceled || exception is LogStoreException)
            {
                end = await GoBackAsync(run, guard, exception);
            }
            else if (exception is EngineUnreachableException)
            {
                // Whether the new container still serves can only be seen once the engine answers again.
                await log.TellAsync($"{exception.Message} The deployment ends when it does.", guard.ClaimLost);
                throw;
            }
            else
            {
                end = await StandAsync(run, guard, exception);
            }
        }
        finally
        {
            if (run.Output is { } output)
            {
                await DisposeAsync(output, run.Id);
            }
        }

        await ledger.EndPersistentlyAsync(claimed.Claim, end, guard.ClaimLost);
        Measure(claimed, end, span, time.GetElapsedTime(began));
        LogEnded(run.Id, run.AppName, run.Number, end.Status);
    }

    private static void Measure(ClaimedDeployment claimed, DeploymentEnd end, Activity? span, TimeSpan took)
    {
        var status = new KeyValuePair<string, object?>("status", end.Status.ToString().ToLowerInvariant());
        DeployerTelemetry.Deployments.Add(1, status, new("environment", claimed.App.Environment));
        DeployerTelemetry.DeploymentDuration.Record(took.TotalSeconds, status);
        span?.SetTag("deployer.deployment.status", status.Value);
        if (end.Failure is { } failure)
        {
            span?.SetTag("error.type", failure.Code.ToString()).SetStatus(ActivityStatusCode.Error);
        }
    }

    /// <summary>The new container was seen healthy and serves: only the clean-up is owed.</summary>
    private static async Task<DeploymentEnd> StandAsync(DeploymentRun run, RunGuard guard, Exception exception)
    {
        var why = guard.Reason switch
        {
            StopReason.ShuttingDown => "Deployer is shutting down",
            StopReason.Stalled => "it took too long",
            _ => exception.Message,
        };
        await run.Log.TellAsync($"The clean-up is not finished ({why}); it is done later. {run.AppName} #{run.Number} succeeded", guard.ClaimLost);
        await run.Log.TryFlushAsync(guard.ClaimLost);
        return new DeploymentEnd(DeploymentStatus.Succeeded, null, UndoPending: true);
    }

    /// <summary>Makes the old container serve again, and says how the deployment ended.</summary>
    private async Task<DeploymentEnd> GoBackAsync(DeploymentRun run, RunGuard guard, Exception exception)
    {
        using var limit = new CancellationTokenSource(RollBackLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, guard.ClaimLost);
        var failure = guard.Reason == StopReason.Canceled ? null : await FindFailureAsync(run, guard.Reason, exception, either.Token);
        var order = new RollBackOrder(
            run.Claim, run.AppId, run.AppName, run.PreviousDeploymentId, run.PreviousContainerId, run.PreviousStoppedAt, run.Switched);
        try
        {
            if (!await rollBack.IsPossibleAsync(order, either.Token))
            {
                await run.Log.TellAsync("Too late to go back: the new container serves and the old one is gone. The deployment stands", either.Token);
                await run.Log.TryFlushAsync(either.Token);
                return new DeploymentEnd(DeploymentStatus.Succeeded, null, UndoPending: true);
            }

            await TellWhyAsync(run, guard, failure, either.Token);
            await rollBack.RunAsync(order, run.Log, either.Token);
            await run.Log.TryFlushAsync(either.Token);
            return End(failure, undoPending: false);
        }
        catch (Exception fault) when (fault is EngineException || limit.IsCancellationRequested)
        {
            LogRollBackFailed(fault, run.Id);
            if (run.Switched)
            {
                // The new container may serve or the old one: no final status says that truly until the engine is asked.
                await run.Log.TellAsync($"{fault.Message} The deployment ends when the engine answers.", guard.ClaimLost);
                throw;
            }

            var words = limit.IsCancellationRequested ? "It took too long." : fault.Message;
            await run.Log.TellAsync($"Not everything could be put right: {words} This is done as soon as the engine answers", guard.ClaimLost);
            await run.Log.TryFlushAsync(guard.ClaimLost);
            return End(failure, undoPending: true);
        }
    }

    private static async Task TellWhyAsync(
        DeploymentRun run, RunGuard guard, DeploymentFailure? failure, CancellationToken cancellationToken)
    {
        if (failure is null)
        {
            await run.Log.TellAsync($"Canceled by {guard.Canceler} during the step {FailureRules.Name(run.Log.Step)}", cancellationToken);
            return;
        }

        await run.Log.TellAsync($"{FailureRules.Name(run.Log.Step)} failed: {failure.Cause}", cancellationToken);
        await run.Log.TellAsync($"What to do: {failure.Remedy}", cancellationToken);
    }

    private static DeploymentEnd End(DeploymentFailure? failure, bool undoPending) => new(
        failure is null ? DeploymentStatus.Canceled : DeploymentStatus.Failed, failure, undoPending);

    private async Task<DeploymentFailure> FindFailureAsync(
        DeploymentRun run, StopReason reason, Exception exception, CancellationToken cancellationToken)
    {
        var seen = await evidence.TakeAsync(run, cancellationToken);
        return run.Secrets.Mask(reason switch
        {
            StopReason.Stalled => FailureRules.Stalled(run.Log.Step, run.Stall.Limit, seen),
            StopReason.ShuttingDown => FailureRules.Interrupted(run.Log.Step, seen),
            _ => await advisor.AdviseAsync(FailureRules.Explain(exception, run, seen), run, cancellationToken),
        });
    }

    private async Task DisposeAsync(OutputFollower output, long deploymentId)
    {
        try
        {
            await output.DisposeAsync();
        }
        catch (LogStoreException exception)
        {
            LogOutputLost(exception, deploymentId);
        }
    }

    [LoggerMessage(LogLevel.Information, "Deployment {DeploymentId} of {App} #{Number} ended: {Status}")]
    private partial void LogEnded(long deploymentId, string app, int number, DeploymentStatus status);

    [LoggerMessage(LogLevel.Information, "Deployment {DeploymentId} stopped on its way ({Reason})")]
    private partial void LogStopped(Exception exception, long deploymentId, StopReason reason);

    [LoggerMessage(LogLevel.Warning, "Deployment {DeploymentId} is in other hands now")]
    private partial void LogClaimLost(Exception exception, long deploymentId);

    [LoggerMessage(LogLevel.Error, "Deployment {DeploymentId} could not be brought to an end; it is settled later")]
    private partial void LogLeftForSettling(Exception exception, long deploymentId);

    [LoggerMessage(LogLevel.Warning, "Deployment {DeploymentId}: roll back incomplete")]
    private partial void LogRollBackFailed(Exception exception, long deploymentId);

    [LoggerMessage(LogLevel.Error, "Deployment {DeploymentId}: its log could not take the container's last output")]
    private partial void LogOutputLost(Exception exception, long deploymentId);
}
