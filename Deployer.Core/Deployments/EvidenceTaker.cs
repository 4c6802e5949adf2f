using Deployer.Core.Engine;
using Deployer.Core.Logs;
using Microsoft.Extensions.Logging;

namespace Deployer.Core.Deployments;

/// <summary>Takes down what can be seen of a failed container, before it is removed.</summary>
internal sealed partial class EvidenceTaker(IContainerEngine engine, ILogger<EvidenceTaker> logger)
{
    /// <summary>Most lines of output in the evidence.</summary>
    public const int MaxLines = 100;

    /// <summary>
    /// Looks at the new container. <see langword="null"/> where the deployment has none. What cannot be had is left out:
    /// evidence never makes a failure worse.
    /// </summary>
    public async Task<FailureEvidence?> TakeAsync(DeploymentRun run, CancellationToken cancellationToken)
    {
        if (run.ContainerId is not { } id)
        {
            return null;
        }

        try
        {
            var container = await engine.FindContainerAsync(id, cancellationToken);
            if (run.Output is { } output)
            {
                await output.DrainAsync(containerStopped: container is { Status: ContainerStatus.Exited }, cancellationToken);
            }

            return container is null ? null : new FailureEvidence(
                container.Status is ContainerStatus.Exited ? container.ExitCode : null,
                container.OutOfMemory,
                container.HealthOutput?.Trim(),
                await run.Log.LastOutputAsync(MaxLines, cancellationToken));
        }
        catch (Exception exception) when (exception is EngineException or LogStoreException)
        {
            LogNoEvidence(exception, run.Id);
            return null;
        }
    }

    [LoggerMessage(LogLevel.Warning, "Deployment {DeploymentId}: no evidence could be taken of its container")]
    private partial void LogNoEvidence(Exception exception, long deploymentId);
}
