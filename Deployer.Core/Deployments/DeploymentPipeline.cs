using Deployer.Core.Deployments.Steps;

namespace Deployer.Core.Deployments;

/// <summary>The way of a deployment, top to bottom.</summary>
internal sealed class DeploymentPipeline(
    Prepare prepare, Pull pull, Start start, HealthCheck healthCheck, SwitchOver switchOver, CleanUp cleanUp,
    DeploymentLedger ledger)
{
    /// <summary>Runs the steps one after the other; raises what the step in which it ended raised.</summary>
    public async Task RunAsync(DeploymentRun run, CancellationToken cancellationToken)
    {
        await PerformAsync(prepare, run, cancellationToken);
        await PerformAsync(pull, run, cancellationToken);
        await PerformAsync(start, run, cancellationToken);
        await PerformAsync(healthCheck, run, cancellationToken);
        await PerformAsync(switchOver, run, cancellationToken);
        await PerformAsync(cleanUp, run, cancellationToken);
    }

    private async Task PerformAsync(IStep step, DeploymentRun run, CancellationToken cancellationToken)
    {
        run.Log.Step = step.Kind;
        run.Stall.Progress();
        await ledger.BeginStepAsync(run.Claim, step.Kind, cancellationToken);
        await step.RunAsync(run, cancellationToken);
        await ledger.CompleteStepAsync(run.Claim, step.Kind, cancellationToken);
    }
}
