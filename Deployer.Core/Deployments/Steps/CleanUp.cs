using Deployer.Core.Engine;
using Deployer.Core.Runner;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Deployments.Steps;

/// <summary>Stops and removes the old container, and images that no restore needs.</summary>
internal sealed class CleanUp(
    IContainerEngine engine, AppContainers containers, DeploymentLedger ledger, IOptions<RunnerOptions> options) : IStep
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
            if (string.Equals(container.Id, run.Previous?.Id, StringComparison.Ordinal))
            {
                run.PreviousStoppedAt = await ledger.RecordPreviousStopAsync(run.Claim, cancellationToken);
            }

            await engine.StopContainerAsync(container.Id, grace, cancellationToken);
            await engine.RemoveContainerAsync(container.Id, cancellationToken);
            run.Stall.Progress();
            await run.Log.SayAsync($"Stopped and removed {container.Name}", cancellationToken);
        }

        foreach (var image in await ledger.FindSurplusImagesAsync(run.AppId, options.Value.KeepImages, cancellationToken))
        {
            if (await engine.FindImageAsync(image, cancellationToken) is { } surplus)
            {
                await engine.RemoveImageAsync(image, cancellationToken);
                await run.Log.SayAsync($"Removed the image {(surplus.RepoDigests.Count > 0 ? surplus.RepoDigests[0] : image)}, which no restore needs", cancellationToken);
            }
        }
    }
}
