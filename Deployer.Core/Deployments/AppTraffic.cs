using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Engine;
using Deployer.Core.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Deployments;

/// <summary>Leads an app's requests to the container of the deployment that serves it.</summary>
internal sealed class AppTraffic(
    IDbContextFactory<DeployerDb> databases, IContainerEngine engine, TrafficSwitch traffic, TargetFinder finder,
    IOptions<ProxyOptions> options)
{
    // Who goes back has a cancel waiting, or an app that is not well.
    private static readonly TimeSpan ShortDrain = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait for requests at a container before it is stopped.</summary>
    public TimeSpan DrainCap => TimeSpan.FromSeconds(options.Value.DrainSeconds);

    /// <summary>Longest time that <see cref="MoveAsync"/> may take without a sign.</summary>
    public static TimeSpan MoveCap => TrafficSwitch.ConfirmationCap;

    /// <summary>
    /// The spec to create a container from: as it is, or with the ports that requests go to and that the HTTP health check
    /// asks published as well, where the container is not reached otherwise.
    /// </summary>
    public AppSpec MakeReachable(AppSpec spec, ImageDetails image)
    {
        var reachable = spec;

        // At an engine on another machine the health check asks published ports alone, whatever the reach of the proxy.
        if (spec.Health is { } health && !image.HasHealthCheck && (finder.NeedsPublishedPort || engine.RemoteHost() is not null))
        {
            reachable = Publish(reachable, health.Port);
        }

        return spec.Hosts.Count > 0 && finder.NeedsPublishedPort && TargetFinder.PortOf(spec, image) is { } port
            ? Publish(reachable, port)
            : reachable;
    }

    /// <summary>
    /// Whether the new container accepts connections where requests for the deployment's hosts will go; also where there is
    /// nothing to wait for, as it has no hosts or nobody knows on which port.
    /// </summary>
    public async Task<bool> AcceptsAsync(DeploymentRun run, ContainerDetails container, CancellationToken cancellationToken)
    {
        if (run.Spec.Hosts.Count == 0 || TargetFinder.PortOf(run.Spec, run.Pulled) is not { } port)
        {
            return true;
        }

        try
        {
            await finder.FindAsync(container, port, cancellationToken);
            return true;
        }
        catch (TargetUnreachableException)
        {
            return false;
        }
    }

    /// <summary>Where requests for the deployment's hosts go; <see langword="null"/> when it has none.</summary>
    /// <exception cref="DeploymentFailedException">No request could get there.</exception>
    public async Task<NewTarget?> FindTargetAsync(DeploymentRun run, CancellationToken cancellationToken)
    {
        if (run.Spec.Hosts.Count == 0)
        {
            return null;
        }

        var port = TargetFinder.PortOf(run.Spec, run.Pulled) ?? throw new DeploymentFailedException(
            FailureCode.Unhealthy,
            "The app has host names, but neither its spec nor its image says on which port it listens.",
            "Add the port to the app's ports, first in the list.");
        var container = await engine.FindContainerAsync(run.ContainerId!, cancellationToken)
            ?? throw new DeploymentFailedException(
                FailureCode.ContainerExited,
                "The new container was removed by somebody else before it could take over.",
                "Deploy again, and see what else manages containers on this engine.");
        try
        {
            return new NewTarget(run.Id, container.Id, port, await finder.FindAsync(container, port, cancellationToken));
        }
        catch (TargetUnreachableException exception)
        {
            throw new DeploymentFailedException(
                FailureCode.Unhealthy,
                exception.Message,
                "See that the app listens on all addresses (0.0.0.0), not on localhost alone, and that its first port is the right one; Proxy:Reach says how containers are reached.");
        }
    }

    /// <summary>Leads the deployment's hosts to the new container, and nothing to any other of the app's.</summary>
    /// <exception cref="DeploymentFailedException">Another app has one of the hosts.</exception>
    public async Task<SwitchResult> MoveAsync(DeploymentRun run, NewTarget? target, CancellationToken cancellationToken)
    {
        try
        {
            return target is null
                ? await traffic.CloseAsync(run.AppId, cancellationToken)
                : await traffic.MoveAsync(run.AppId, run.Spec.Hosts, target, cancellationToken);
        }
        catch (HostTakenException exception)
        {
            throw new DeploymentFailedException(
                FailureCode.HostInUse, exception.Message, "Take the host off one of the two apps, and deploy again.");
        }
    }

    /// <summary>Waits until no request is left at the app's draining containers, or until the cap.</summary>
    /// <param name="draining">The containers.</param>
    /// <param name="cap">Longest wait.</param>
    /// <param name="say">Takes what is worth telling.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task DrainAsync(
        IReadOnlyList<RouteTarget> draining, TimeSpan cap, Func<string, CancellationToken, ValueTask> say, CancellationToken cancellationToken)
    {
        foreach (var old in draining)
        {
            var left = await traffic.DrainAsync(old, TimeSpan.Zero, cancellationToken);
            if (left.IsEmpty)
            {
                continue;
            }

            await say($"Waiting up to {cap.TotalSeconds:0} s for requests under way at the old container: {left.InFlight}", cancellationToken);
            left = await traffic.DrainAsync(old, cap, cancellationToken);
            await say(
                left.IsEmpty ? "The old container has no requests any more" : $"{left.InFlight} requests are still under way at the old container and will be cut",
                cancellationToken);
        }
    }

    /// <summary>Before the only container of an app stops: its hosts answer 503, and requests under way end.</summary>
    public async Task TakeOutOfServiceAsync(
        long appId, Func<string, CancellationToken, ValueTask> say, CancellationToken cancellationToken)
    {
        if ((await traffic.ListTargetsAsync(appId, cancellationToken)).Any(target => target.State == RouteTargetState.Active))
        {
            var result = await traffic.WithdrawAsync(appId, cancellationToken);
            await say("The app's hosts answer 503 until the new container is healthy", cancellationToken);
            await DrainAsync(result.Draining, DrainCap, say, cancellationToken);
        }
    }

    /// <summary>
    /// Makes the routes what the app's record says: to the container of its current deployment, which may be an earlier
    /// one again. Does nothing when they are so already.
    /// </summary>
    public async Task FollowRecordAsync(long appId, CancellationToken cancellationToken)
    {
        var targets = await traffic.ListTargetsAsync(appId, cancellationToken);
        var active = targets.FirstOrDefault(target => target.State == RouteTargetState.Active);
        var current = await ReadCurrentAsync(appId, cancellationToken);
        if (current is null or { Spec.Hosts.Count: 0 } or { ContainerId: null })
        {
            if (active is not null)
            {
                await traffic.CloseAsync(appId, cancellationToken);
            }

            return;
        }

        if (active is { Address: not null } && string.Equals(active.ContainerId, current.ContainerId, StringComparison.Ordinal))
        {
            return;
        }

        var container = await engine.FindContainerAsync(current.ContainerId, cancellationToken);
        var known = targets.FirstOrDefault(target => string.Equals(target.ContainerId, current.ContainerId, StringComparison.Ordinal));
        if ((known?.ContainerPort ?? await FindPortAsync(current.Spec, container, cancellationToken)) is { } port)
        {
            var target = new NewTarget(current.DeploymentId, current.ContainerId, port, await TryFindAsync(container, port, cancellationToken));
            var moved = await MoveWithFreeHostsAsync(appId, current.Spec.Hosts, target, cancellationToken);
            foreach (var left in moved.Draining)
            {
                await traffic.DrainAsync(left, ShortDrain, cancellationToken);
            }
        }
    }

    private static AppSpec Publish(AppSpec spec, int port) =>
        spec.Ports.Any(published => published.Container == port && published.Host is not null)
            ? spec
            : spec with { Ports = [.. spec.Ports.Where(other => other.Container != port).Prepend(new PortSpec(port, 0))] };

    /// <summary>An app that goes back does so even where one of its earlier hosts has been given to another app meanwhile.</summary>
    private async Task<SwitchResult> MoveWithFreeHostsAsync(
        long appId, IReadOnlyList<string> hosts, NewTarget target, CancellationToken cancellationToken)
    {
        try
        {
            return await traffic.MoveAsync(appId, hosts, target, cancellationToken);
        }
        catch (HostTakenException exception)
        {
            var taken = exception.Taken.Select(host => host.Host).ToHashSet(StringComparer.Ordinal);
            return await traffic.MoveAsync(
                appId, [.. hosts.Where(host => !taken.Contains(Route.Normalize(host)))], target, cancellationToken);
        }
    }

    private async Task<CurrentDeployment?> ReadCurrentAsync(long appId, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Apps
            .Where(app => app.Id == appId)
            .Join(db.Deployments, app => app.CurrentDeploymentId, deployment => deployment.Id, (_, deployment) =>
                new CurrentDeployment(deployment.Id, deployment.ContainerId, deployment.Spec))
            .SingleOrDefaultAsync(cancellationToken);
    }

    private async Task<int?> FindPortAsync(AppSpec spec, ContainerDetails? container, CancellationToken cancellationToken) =>
        TargetFinder.PortOf(
            spec, container is null ? null : await engine.FindImageAsync(container.ImageId, cancellationToken));

    private async Task<TargetAddress?> TryFindAsync(ContainerDetails? container, int port, CancellationToken cancellationToken)
    {
        if (container is not { Status: ContainerStatus.Running })
        {
            return null;
        }

        try
        {
            return await finder.FindAsync(container, port, cancellationToken);
        }
        catch (TargetUnreachableException)
        {
            return null;
        }
    }

    private sealed record CurrentDeployment(long DeploymentId, string? ContainerId, AppSpec Spec);
}
