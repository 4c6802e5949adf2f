namespace Deployer.Core.Deployments.Steps;

/// <summary>
/// Leads the app's requests to the new container, makes the deployment the app's current one, and lets the requests under
/// way at the old container end.
/// </summary>
internal sealed class SwitchOver(DeploymentLedger ledger, AppTraffic traffic) : IStep
{
    public StepKind Kind => StepKind.SwitchOver;

    public async Task RunAsync(DeploymentRun run, CancellationToken cancellationToken)
    {
        var target = await traffic.FindTargetAsync(run, cancellationToken);
        run.Stall.Expect(AppTraffic.MoveCap);
        var moved = await traffic.MoveAsync(run, target, cancellationToken);

        // The routes first: whoever finds them moved and the record not, goes back by the record.
        await ledger.SwitchAsync(run.Claim, run.AppId, cancellationToken);
        run.Switched = true;
        await run.Log.SayAsync($"{run.ContainerName} is the app's current container now", cancellationToken);
        if (target is not null)
        {
            await run.Log.SayAsync($"Requests for {string.Join(", ", run.Spec.Hosts)} go to {target.Address}", cancellationToken);
        }

        run.Stall.Expect(traffic.DrainCap);
        await traffic.DrainAsync(moved.Draining, traffic.DrainCap, run.Log.SayAsync, cancellationToken);
        run.Stall.Progress();
    }
}
