using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Engine;
using Deployer.Core.Runner;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Deployments;

/// <summary>Tells whether a container that was seen healthy before is so now, for instance after it was started again.</summary>
internal sealed class Wellness(IContainerEngine engine, IHealthProbe probe, IOptions<RunnerOptions> options, TimeProvider time)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);

    // The engine waits longer and longer between two starts of a container that keeps exiting.
    private static readonly TimeSpan RestartingLimit = TimeSpan.FromSeconds(30);

    /// <summary>Waits until that is known.</summary>
    /// <param name="containerId">The container.</param>
    /// <param name="health">The app's HTTP probe, where the image has no health check of its own.</param>
    /// <param name="limit">Longest wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns><see langword="true"/>: it is well; <see langword="false"/>: it is not; <see langword="null"/>: not known within the limit.</returns>
    /// <exception cref="EngineException">The engine does not answer.</exception>
    public async Task<bool?> WaitAsync(string containerId, HealthSpec? health, TimeSpan limit, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var container = await engine.FindContainerAsync(containerId, cancellationToken);
            if (await LookAsync(container, health, cancellationToken) is { } known)
            {
                return known;
            }

            var waited = time.GetElapsedTime(began);
            if (container is { Status: ContainerStatus.Restarting } && waited >= RestartingLimit)
            {
                return false;
            }

            if (waited >= limit)
            {
                return null;
            }

            await Task.Delay(LookInterval, time, cancellationToken);
        }
    }

    private async Task<bool?> LookAsync(ContainerDetails? container, HealthSpec? health, CancellationToken cancellationToken) => container switch
    {
        { Status: ContainerStatus.Restarting } => null,
        { Status: ContainerStatus.Running, Health: ContainerHealth.Healthy } => true,
        { Status: ContainerStatus.Running, Health: ContainerHealth.Starting } => null,
        { Status: ContainerStatus.Running, Health: ContainerHealth.None } when health is not null =>
            await AnswersAsync(container, health, cancellationToken) ? true : null,
        { Status: ContainerStatus.Running, Health: ContainerHealth.None } =>
            time.Now() - container.StartedAt >= NodaTime.Duration.FromTimeSpan(options.Value.StaysRunning) ? true : null,
        _ => false,
    };

    private async Task<bool> AnswersAsync(ContainerDetails container, HealthSpec health, CancellationToken cancellationToken)
    {
        foreach (var address in ContainerAddresses.Of(engine, container, health.Port))
        {
            var result = await probe.ProbeAsync(
                new Uri($"http://{address}{health.Path}"), TimeSpan.FromSeconds(health.TimeoutSeconds), cancellationToken);
            if (result.Healthy)
            {
                return true;
            }
        }

        return false;
    }
}
