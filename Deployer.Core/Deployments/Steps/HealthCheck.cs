using Deployer.Core.Apps;
using Deployer.Core.Engine;
using Deployer.Core.Runner;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Deployments.Steps;

/// <summary>
/// Waits until the new container proves itself: by the image's own HEALTHCHECK, else by our HTTP probe, else by running on
/// for a while. Its output flows into the log meanwhile.
/// </summary>
internal sealed class HealthCheck(
    IContainerEngine engine, IHealthProbe probe, AppTraffic traffic, DeploymentLedger ledger, IOptions<RunnerOptions> options,
    TimeProvider time) : IStep
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);

    public StepKind Kind => StepKind.HealthCheck;

    public async Task RunAsync(DeploymentRun run, CancellationToken cancellationToken)
    {
        var first = await LookAsync(run, cancellationToken);
        var ports = first.Ports.Select(port => new PublishedPort(port.Key, port.Value)).OrderBy(port => port.Container).ToList();
        await ledger.RecordPortsAsync(run.Claim, ports, cancellationToken);
        foreach (var port in ports)
        {
            await run.Log.SayAsync($"Port {port.Container} is published on host port {port.Host}", cancellationToken);
        }

        var says = (first.Health, run.Spec.Health) switch
        {
            (not ContainerHealth.None, _) => await AskEngineAsync(run, cancellationToken),
            (_, { } health) => await AskOverHttpAsync(run, health, cancellationToken),
            _ => await WatchAsync(run, options.Value.StaysRunning, cancellationToken),
        };
        await run.Output!.DrainAsync(containerStopped: false, cancellationToken);
        await LookAsync(run, cancellationToken);
        await engine.SetRestartAsync(run.ContainerId!, run.Spec.Restart, cancellationToken);
        await run.Log.SayAsync($"Healthy: {says}", cancellationToken);
    }

    private async Task<string> AskEngineAsync(DeploymentRun run, CancellationToken cancellationToken)
    {
        await run.Log.SayAsync("Waiting for the image's own health check", cancellationToken);
        var streak = 0;
        while (true)
        {
            var container = await LookAsync(run, cancellationToken);
            if (container.FailingStreak != streak)
            {
                streak = container.FailingStreak;
                run.Stall.Progress();
                if (streak > 0)
                {
                    await run.Log.SayAsync($"Health check failed, {streak} in a row: {container.HealthOutput?.Trim()}", cancellationToken);
                }
            }

            switch (container.Health)
            {
                case ContainerHealth.Healthy:
                    return "the image's health check passed";
                case ContainerHealth.Unhealthy:
                    throw Unhealthy($"The container runs, but its health check failed {streak} times in a row.");
                default:
                    await Task.Delay(LookInterval, time, cancellationToken);
                    break;
            }
        }
    }

    private async Task<string> AskOverHttpAsync(DeploymentRun run, HealthSpec health, CancellationToken cancellationToken)
    {
        await run.Log.SayAsync($"Waiting for GET {health.Path} on port {health.Port} to answer 2xx or 3xx", cancellationToken);
        var failures = 0;
        var said = "";
        var pause = FirstPause;
        while (true)
        {
            var container = await LookAsync(run, cancellationToken);
            var result = await ProbeAsync(container, health, cancellationToken);
            if (result.Healthy)
            {
                return $"GET {health.Path} answered {result.Says}";
            }

            if (!string.Equals(said, result.Says, StringComparison.Ordinal))
            {
                said = result.Says;
                run.Stall.Progress();
                await run.Log.SayAsync($"Not healthy yet: {said}", cancellationToken);
            }

            // As long as nothing answers at all the app is still starting, which only the stall limit bounds.
            failures = result.Answered ? failures + 1 : 0;
            if (failures >= health.Retries)
            {
                throw Unhealthy($"The container runs, but GET {health.Path} on port {health.Port} failed {failures} times in a row: {said}.");
            }

            // The interval is for an app that answers; one that does not listen yet is asked soon again, and ever less often.
            var interval = TimeSpan.FromSeconds(health.IntervalSeconds);
            await Task.Delay(result.Answered || pause > interval ? interval : pause, time, cancellationToken);
            pause = result.Answered ? pause : pause * 1.5;
        }
    }

    private async Task<string> WatchAsync(DeploymentRun run, TimeSpan stays, CancellationToken cancellationToken)
    {
        await run.Log.SayAsync(
            $"Neither the image nor the app has a health check: watching that the container keeps running for {stays.TotalSeconds:0.#} s", cancellationToken);
        run.Stall.Expect(stays);
        var began = time.GetTimestamp();
        while (time.GetElapsedTime(began) is var elapsed && elapsed < stays)
        {
            await Task.Delay(TimeSpan.FromTicks(Math.Min(LookInterval.Ticks, (stays - elapsed).Ticks)), time, cancellationToken);
            await LookAsync(run, cancellationToken);
        }

        await AwaitListenerAsync(run, options.Value.ListensWithin, cancellationToken);
        return $"the container kept running for {stays.TotalSeconds:0.#} s";
    }

    /// <summary>Waits until requests for the app's hosts would get through. Where they never do, the switch-over says why.</summary>
    private async Task AwaitListenerAsync(DeploymentRun run, TimeSpan limit, CancellationToken cancellationToken)
    {
        run.Stall.Expect(limit);
        var began = time.GetTimestamp();
        var said = false;
        while (!await traffic.AcceptsAsync(run, await LookAsync(run, cancellationToken), cancellationToken) && time.GetElapsedTime(began) < limit)
        {
            if (!said)
            {
                said = true;
                await run.Log.SayAsync($"It accepts no connection yet: waiting up to {limit.TotalSeconds:0.#} s", cancellationToken);
            }

            await Task.Delay(LookInterval, time, cancellationToken);
        }

        run.Stall.Progress();
    }

    /// <summary>The container as it is; raises when it does not run.</summary>
    private async Task<ContainerDetails> LookAsync(DeploymentRun run, CancellationToken cancellationToken)
    {
        run.Output!.ThrowIfFaulted();
        var container = await engine.FindContainerAsync(run.ContainerId!, cancellationToken)
            ?? throw new DeploymentFailedException(
                FailureCode.ContainerExited,
                "The new container was removed by somebody else while it started.",
                "Deploy again, and see what else manages containers on this engine.");
        if (container.Status is ContainerStatus.Running)
        {
            return container;
        }

        await run.Output.DrainAsync(containerStopped: true, cancellationToken);
        throw FailureRules.Exited(container);
    }

    private async Task<ProbeResult> ProbeAsync(ContainerDetails container, HealthSpec health, CancellationToken cancellationToken)
    {
        var result = new ProbeResult(false, false, $"port {health.Port} has no address that Deployer can reach");
        foreach (var address in ContainerAddresses.Of(engine, container, health.Port))
        {
            result = await probe.ProbeAsync(
                new Uri($"http://{address}{health.Path}"), TimeSpan.FromSeconds(health.TimeoutSeconds), cancellationToken);
            if (result.Answered)
            {
                return result;
            }
        }

        return result;
    }

    private static DeploymentFailedException Unhealthy(string cause) => new(
        FailureCode.Unhealthy,
        cause,
        "Read the container's lines in the log for the reason; correct the app, or the health check if that asks for the wrong thing.");
}
