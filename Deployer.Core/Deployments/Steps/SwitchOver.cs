namespace Deployer.Core.Deployments.Steps;

/// <summary>Makes the deployment the app's current one.</summary>
internal sealed class SwitchOver(DeploymentLedger ledger) : IStep
{
    public StepKind Kind => StepKind.SwitchOver;

    public async Task RunAsync(DeploymentRun run, CancellationToken cancellationToken)
    {
        await ledger.SwitchAsync(run.Claim, run.AppId, cancellationToken);
        run.Switched = true;
        await run.Log.SayAsync($"{run.Names.Container} is the app's current container now", cancellationToken);
    }
}
