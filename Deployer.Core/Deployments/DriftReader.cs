using System.Globalization;
using Deployer.Core.Data;
using Deployer.Core.Engine;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Core.Deployments;

/// <summary>How what runs differs from what was deployed.</summary>
public enum DriftKind
{
    /// <summary>The container is gone.</summary>
    Removed,

    /// <summary>The container does not run although the app is meant to.</summary>
    NotRunning,

    /// <summary>The container runs although the app was stopped.</summary>
    RunningAlthoughStopped,

    /// <summary>The container's own health check fails.</summary>
    Unhealthy,

    /// <summary>The container was renamed.</summary>
    Renamed,

    /// <summary>The container runs another image than the deployment recorded.</summary>
    OtherImage,

    /// <summary>The container is paused: it holds its requests and answers none.</summary>
    Paused,

    /// <summary>The container's limits of memory or processor were changed.</summary>
    LimitsChanged,

    /// <summary>The container's restart policy was changed.</summary>
    RestartChanged,

    /// <summary>Containers carry the app's label that no deployment of it accounts for.</summary>
    Stranger,

    /// <summary>The app's settings were changed after the deployment: they take effect with the next.</summary>
    SettingsNotDeployed,
}

/// <summary>One way in which what runs differs from what was deployed.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Says">The same in a sentence.</param>
public sealed record Drift(DriftKind Kind, string Says);

/// <summary>An app as the engine has it now.</summary>
/// <param name="StoppedAt">When a person stopped it; <see langword="null"/> while it is meant to run.</param>
/// <param name="ContainerId">Its container; <see langword="null"/> where there is none.</param>
/// <param name="Status">What the container does; <see langword="null"/> where there is none.</param>
/// <param name="Health">What its own health check says.</param>
/// <param name="Ports">Ports published now.</param>
/// <param name="Drifts">Differences from what was deployed; empty when there are none.</param>
public sealed record AppRuntime(
    Instant? StoppedAt, string? ContainerId, ContainerStatus? Status, ContainerHealth Health, IReadOnlyList<PublishedPort> Ports,
    IReadOnlyList<Drift> Drifts)
{
    /// <summary>When the container was last started; <see langword="null"/> where there is none, or it never was.</summary>
    public Instant? StartedAt { get; init; }

    /// <summary>How often the engine has restarted the container by itself.</summary>
    public long RestartCount { get; init; }
}

/// <summary>Compares what runs with what was deployed.</summary>
public sealed class DriftReader
{
    private readonly IDbContextFactory<DeployerDb> _databases;
    private readonly AppContainers _containers;
    private readonly InstanceIdentity _instance;

    internal DriftReader(IDbContextFactory<DeployerDb> databases, AppContainers containers, InstanceIdentity instance)
    {
        _databases = databases;
        _containers = containers;
        _instance = instance;
    }

    /// <summary>Looks at an app; <see langword="null"/> when there is none of that name.</summary>
    /// <exception cref="EngineException">The engine does not answer.</exception>
    public async Task<AppRuntime?> FindAsync(string appName, CancellationToken cancellationToken)
    {
        var found = await _containers.ListAsync(appName, cancellationToken);
        await using var db = await _databases.CreateDbContextAsync(cancellationToken);
        if (await db.Apps.AsNoTracking().SingleOrDefaultAsync(row => row.Name == appName, cancellationToken) is not { } app)
        {
            return null;
        }

        var current = await db.Deployments.AsNoTracking().SingleOrDefaultAsync(row => row.Id == app.CurrentDeploymentId, cancellationToken);
        var running = await db.Deployments.AnyAsync(row => row.AppId == app.Id && row.Status == DeploymentStatus.Running, cancellationToken);
        var container = current is null ? null : found.FirstOrDefault(other => ContainerNames.DeploymentOf(other) == current.Id);
        var drifts = new List<Drift>();
        if (current is not null && !running)
        {
            drifts.AddRange(Compare(app.Name, app.StoppedAt is not null, current, container));
            drifts.AddRange(found.Where(other => other != container)
                .Select(other => new Drift(DriftKind.Stranger, $"The container {other.Name} carries the app's label, but is not its current one.")));
        }

        if (current is not null && current.CreatedAt < app.UpdatedAt)
        {
            drifts.Add(new Drift(DriftKind.SettingsNotDeployed, $"The settings were changed after #{current.Number} was asked for; they take effect with the next deployment."));
        }

        return new AppRuntime(
            app.StoppedAt,
            container?.Id,
            container?.Status,
            container?.Health ?? ContainerHealth.None,
            container is null ? [] : [.. container.Ports.Select(port => new PublishedPort(port.Key, port.Value)).OrderBy(port => port.Container)],
            drifts)
        {
            StartedAt = container?.StartedAt,
            RestartCount = container?.RestartCount ?? 0,
        };
    }

    private IEnumerable<Drift> Compare(string app, bool stopped, Deployment current, ContainerDetails? container)
    {
        var names = new ContainerNames(app, current.Number, current.Id);
        var name = names.Container;
        if (container is null)
        {
            yield return new Drift(DriftKind.Removed, $"The container {name} was removed by somebody else; a deployment makes it anew.");
            yield break;
        }

        if (!container.IsUp() && !stopped)
        {
            yield return new Drift(DriftKind.NotRunning, $"The container {container.Name} does not run (exit code {container.ExitCode}); start the app, or deploy it again.");
        }

        if (container.IsUp() && stopped)
        {
            yield return new Drift(DriftKind.RunningAlthoughStopped, $"The app was stopped, but somebody else started the container {container.Name}.");
        }

        if (container.Status == ContainerStatus.Paused)
        {
            yield return new Drift(DriftKind.Paused, $"The container {container.Name} was paused by somebody else: it answers nothing until it is resumed, restarted or deployed again.");
        }

        // Of a container that does not run the engine says so too.
        if (container is { Status: ContainerStatus.Running, Health: ContainerHealth.Unhealthy })
        {
            yield return new Drift(DriftKind.Unhealthy, $"The health check of {container.Name} has failed {container.FailingStreak} times in a row.");
        }

        // A deployment that found the first name taken gave it the second.
        if (!string.Equals(container.Name, name, StringComparison.Ordinal)
            && !string.Equals(container.Name, names.ContainerOf(_instance.Id), StringComparison.Ordinal))
        {
            yield return new Drift(DriftKind.Renamed, $"The container {name} was renamed to {container.Name} by somebody else.");
        }

        if (current.ImageId is { } image && !string.Equals(container.ImageId, image, StringComparison.Ordinal))
        {
            yield return new Drift(DriftKind.OtherImage, $"The container {container.Name} runs another image than #{current.Number} recorded.");
        }

        if (container.Bounds is { } bounds && ContainerBounds.Of(current.Spec) is var wanted && bounds != wanted)
        {
            if (bounds with { Restart = wanted.Restart } != wanted)
            {
                yield return new Drift(DriftKind.LimitsChanged, $"The limits of {container.Name} were changed to {Words(bounds)} by somebody else; #{current.Number} has {Words(wanted)}.");
            }

            if (bounds.Restart != wanted.Restart)
            {
                yield return new Drift(DriftKind.RestartChanged, $"The restart policy of {container.Name} was changed by somebody else.");
            }
        }
    }

    private static string Words(ContainerBounds bounds) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(bounds.Memory == 0 ? "unlimited memory" : $"{bounds.Memory / 1024 / 1024} MB")} and {(bounds.NanoCpus == 0 ? "all processors" : $"{bounds.NanoCpus / 1e9:0.##} cores")}");
}
