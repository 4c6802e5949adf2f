using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Engine;
using Deployer.Core.Routing;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Core.Deployments;

/// <summary>What came of an operation on a running app.</summary>
public enum OperationResult
{
    /// <summary>It is done.</summary>
    Done,

    /// <summary>There is no app of that name.</summary>
    AppUnknown,

    /// <summary>The app has never been deployed with success.</summary>
    NotDeployed,

    /// <summary>A deployment of the app runs; it would meddle with it.</summary>
    Busy,

    /// <summary>The app's container is gone: somebody else removed it. A deployment makes it anew.</summary>
    ContainerGone,
}

/// <summary>
/// Starts, stops and restarts what was deployed. A stopped app needs no processor and no memory; its hosts answer 503 until
/// it is started or deployed again.
/// </summary>
public sealed class AppOperations
{
    // What the engine may take besides.
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(30);

    private readonly IDbContextFactory<DeployerDb> _databases;
    private readonly IContainerEngine _engine;
    private readonly AppContainers _containers;
    private readonly AppTraffic _traffic;
    private readonly DeploymentFeed _feed;
    private readonly TimeProvider _time;

    internal AppOperations(
        IDbContextFactory<DeployerDb> databases, IContainerEngine engine, AppContainers containers, AppTraffic traffic,
        DeploymentFeed feed, TimeProvider time)
    {
        _databases = databases;
        _engine = engine;
        _containers = containers;
        _traffic = traffic;
        _feed = feed;
        _time = time;
    }

    /// <summary>Takes the app's routes out of service, lets requests under way end, and stops its container; it stays there.</summary>
    /// <exception cref="EngineException">The engine does not answer or refuses; the call can be repeated.</exception>
    public Task<OperationResult> StopAsync(string appName, CancellationToken cancellationToken) =>
        OperateAsync(appName, _time.Now(), StopAsync, cancellationToken);

    /// <summary>Starts the app's container again, and leads its hosts there.</summary>
    /// <exception cref="EngineException">The engine does not answer or refuses; the call can be repeated.</exception>
    public Task<OperationResult> StartAsync(string appName, CancellationToken cancellationToken) =>
        OperateAsync(appName, stoppedAt: null, (app, container) => StartAsync(app.Id, container.Id, CancellationToken.None), cancellationToken);

    /// <summary>Stops and starts the app's container; its hosts answer 503 meanwhile.</summary>
    /// <exception cref="EngineException">The engine does not answer or refuses; the call can be repeated.</exception>
    public Task<OperationResult> RestartAsync(string appName, CancellationToken cancellationToken) =>
        OperateAsync(appName, stoppedAt: null, async (app, container) =>
        {
            await StopAsync(app, container);
            await StartAsync(app.Id, container.Id, CancellationToken.None);
        }, cancellationToken);

    /// <summary>
    /// Finds apps whose restart a crash cut short: meant to run, but taken out of service for longer than a restart takes,
    /// with no deployment at it.
    /// </summary>
    internal async Task<IReadOnlyList<CutRestart>> ListCutRestartsAsync(CancellationToken cancellationToken)
    {
        await using var db = await _databases.CreateDbContextAsync(cancellationToken);
        var outOfService = await (
            from app in db.Apps.AsNoTracking()
            join target in db.RouteTargets on app.Id equals target.AppId
            where app.StoppedAt == null && target.DeploymentId == app.CurrentDeploymentId && target.State == RouteTargetState.Draining
                && !db.RouteTargets.Any(other => other.AppId == app.Id && other.State == RouteTargetState.Active)
                && !db.Deployments.Any(deployment => deployment.AppId == app.Id && deployment.Status == DeploymentStatus.Running)
            select new { App = app, target.ContainerId, Since = target.ChangedAt }).ToListAsync(cancellationToken);
        return [.. outOfService
            .Where(found => _time.Now() - found.Since > Duration.FromTimeSpan(AppTraffic.MoveCap + _traffic.DrainCap + Grace(found.App) + Margin))
            .Select(found => new CutRestart(found.App.Id, found.App.Name, found.ContainerId))];
    }

    /// <summary>Starts the container of such an app, and leads its hosts there.</summary>
    /// <exception cref="EngineException">The engine does not answer or refuses; the call can be repeated.</exception>
    internal async Task FinishRestartAsync(CutRestart cut, CancellationToken cancellationToken)
    {
        await StartAsync(cut.AppId, cut.ContainerId, cancellationToken);
        _feed.PublishApps();
    }

    private static TimeSpan Grace(App app) => TimeSpan.FromSeconds(app.Spec.StopGraceSeconds);

    private async Task StopAsync(App app, ContainerDetails container)
    {
        await _traffic.TakeOutOfServiceAsync(app.Id, (_, _) => ValueTask.CompletedTask, CancellationToken.None);
        await _engine.StopContainerAsync(container.Id, Grace(app), CancellationToken.None);
    }

    private async Task StartAsync(long appId, string containerId, CancellationToken cancellationToken)
    {
        await _engine.StartContainerAsync(containerId, cancellationToken);
        await _traffic.FollowRecordAsync(appId, cancellationToken);
    }

    private async Task<OperationResult> OperateAsync(
        string appName, Instant? stoppedAt, Func<App, ContainerDetails, Task> operate, CancellationToken cancellationToken)
    {
        await using var db = await _databases.CreateDbContextAsync(cancellationToken);
        if (await db.Apps.AsNoTracking().SingleOrDefaultAsync(row => row.Name == appName, cancellationToken) is not { } app)
        {
            return OperationResult.AppUnknown;
        }

        if (app.CurrentDeploymentId is not { } current)
        {
            return OperationResult.NotDeployed;
        }

        if (await _containers.FindAsync(appName, current, cancellationToken) is not { } container)
        {
            return OperationResult.ContainerGone;
        }

        // Meant first, then done: who finds it half done sees from the record what was meant. Once it is meant it is done to
        // its end, whether or not whoever asked waits for it.
        var meant = await db.Apps
            .Where(row => row.Id == app.Id && row.CurrentDeploymentId == current
                && !db.Deployments.Any(deployment => deployment.AppId == app.Id && deployment.Status == DeploymentStatus.Running))
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.StoppedAt, stoppedAt), cancellationToken);
        if (meant == 0)
        {
            return OperationResult.Busy;
        }

        await operate(app, container);
        _feed.PublishApps();
        return OperationResult.Done;
    }
}

/// <summary>An app whose restart was cut short.</summary>
/// <param name="AppId">Database key of the app.</param>
/// <param name="AppName">Its name.</param>
/// <param name="ContainerId">The container that is to serve it.</param>
internal sealed record CutRestart(long AppId, string AppName, string ContainerId);
