using Deployer.Core.Apps;
using Deployer.Core.Engine;

namespace Deployer.Core.Deployments.Steps;

/// <summary>Creates and starts the new container: beside the old one, or in its place where both cannot run at once.</summary>
internal sealed class Start(
    IContainerEngine engine, DeploymentLedger ledger, InstanceIdentity instance, AppTraffic traffic, TimeProvider time) : IStep
{
    // What the engine would wait between two probes of a container that starts is 5 s.
    private static readonly TimeSpan QuickStart = TimeSpan.FromSeconds(1);

    public StepKind Kind => StepKind.Start;

    public async Task RunAsync(DeploymentRun run, CancellationToken cancellationToken)
    {
        var labels = run.Names.Labels(instance.Id);
        var network = ContainerNames.Network(run.Environment);
        await engine.EnsureNetworkAsync(network, ContainerNames.OfInstance(instance.Id), cancellationToken);
        var plan = new ContainerPlan(
            run.Names.Container,
            run.Pulled!.Id,

            // Until it has proved itself, one that exits stays as it is: a witness rather than a loop.
            traffic.MakeReachable(run.Spec, run.Pulled) with { Restart = RestartMode.No },
            Merge(run.Spec.Env, run.Secrets.Values),
            Merge(run.Spec.Labels, labels),
            network)
        {
            StartInterval = run.Pulled is { HasHealthCheck: true, StartInterval: null } ? QuickStart : null,
        };
        await CreateAsync(run, plan, cancellationToken);
        await ledger.RecordContainerAsync(run.Claim, run.ContainerId!, cancellationToken);
        await run.Log.SayAsync($"Created container {run.ContainerName} ({Short(run.ContainerId!)})", cancellationToken);
        run.Stall.Progress();

        if (run is { StopFirst: true, Previous: { } old })
        {
            await StopAsync(run, old, cancellationToken);
        }

        await engine.StartContainerAsync(run.ContainerId!, cancellationToken);
        await run.Log.SayAsync($"Started {run.ContainerName}", cancellationToken);
        run.Output = OutputFollower.Start(engine, run, run.ContainerId!, time);
        run.Stall.Progress();
    }

    private async Task CreateAsync(DeploymentRun run, ContainerPlan plan, CancellationToken cancellationToken)
    {
        run.ContainerName = plan.Name;
        try
        {
            run.ContainerId = await engine.CreateContainerAsync(plan, cancellationToken);
        }
        catch (EngineException)
        {
            if (await engine.FindContainerAsync(plan.Name, cancellationToken) is null)
            {
                throw;
            }

            // Taken by another installation on the same engine, or by hand: what is not ours is left alone.
            run.ContainerName = run.Names.ContainerOf(instance.Id);
            run.ContainerId = await engine.CreateContainerAsync(plan with { Name = run.ContainerName }, cancellationToken);
        }
    }

    private async Task StopAsync(DeploymentRun run, ContainerDetails old, CancellationToken cancellationToken)
    {
        run.Stall.Expect(AppTraffic.MoveCap + traffic.DrainCap);
        await traffic.TakeOutOfServiceAsync(run.AppId, run.Log.SayAsync, cancellationToken);
        var grace = TimeSpan.FromSeconds(run.Spec.StopGraceSeconds);
        await run.Log.SayAsync($"Stopping {old.Name}; it has {grace.TotalSeconds:0} s to end", cancellationToken);
        run.Stall.Expect(grace);
        run.PreviousStoppedAt = await ledger.RecordPreviousStopAsync(run.Claim, cancellationToken);
        await engine.StopContainerAsync(old.Id, grace, cancellationToken);
        run.Stall.Progress();
    }

    private static Dictionary<string, string> Merge(
        IReadOnlyDictionary<string, string> theirs, IReadOnlyDictionary<string, string> ours)
    {
        var all = new Dictionary<string, string>(theirs, StringComparer.Ordinal);
        foreach (var (key, value) in ours)
        {
            all[key] = value;
        }

        return all;
    }

    private static string Short(string containerId) => containerId[..Math.Min(12, containerId.Length)];
}
