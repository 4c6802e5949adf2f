using Deployer.Core.Engine;

namespace Deployer.Core.Deployments.Steps;

/// <summary>Stops and removes the old container.</summary>
internal sealed class CleanUp(IContainerEngine engine, AppContainers containers) : IStep
{
    public StepKind Kind => StepKind.CleanUp;

    public async Task RunAsync(DeploymentRun run, CancellationToken cancellationToken)
    {
        var grace = TimeSpan.FromSeconds(run.Spec.StopGraceSeconds);
        foreach (var container in await containers.ListAsync(run.AppName, cancellationToken))
        {
            if (ContainerNames.DeploymentOf(container) is not { } owner || owner == run.Id)
            {
                continue;
            }

            run.Stall.Expect(grace);
            await engine.StopContainerAsync(container.Id, grace, cancellationToken);
            await engine.RemoveContainerAsync(container.Id, cancellationToken);
            run.Stall.Progress();
            await run.Log.SayAsync($"Stopped and removed {container.Name}", cancellationToken);
        }
    }
}
