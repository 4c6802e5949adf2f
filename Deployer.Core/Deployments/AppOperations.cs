using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Engine;
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
        OperateAsync(appName, _time.Now(), async (app, container) =>
        {
            await _traffic.TakeOutOfServiceAsync(app.Id, (_, _) => ValueTask.CompletedTask, cancellationToken);
            await _engine.StopContainerAsync(container.Id, Grace(app), cancellationToken);
        }, cancellationToken);

    /// <summary>Starts the app's container again, and leads its hosts there.</summary>
    /// <exception cref="EngineException">The engine does not answer or refuses; the call can be repeated.</exception>
    public Task<OperationResult> StartAsync(string appName, CancellationToken cancellationToken) =>
        OperateAsync(appName, stoppedAt: null, async (app, container) =>
        {
            await _engine.StartContainerAsync(container.Id, cancellationToken);
            await _traffic.FollowRecordAsync(app.Id, cancellationToken);
        }, cancellationToken);

    /// <summary>Stops and starts the app's container; its hosts answer 503 meanwhile.</summary>
    /// <exception cref="EngineException">The engine does not answer or refuses; the call can be repeated.</exception>
    public Task<OperationResult> RestartAsync(string appName, CancellationToken cancellationToken) =>
        OperateAsync(appName, stoppedAt: null, async (app, container) =>
        {
            await _traffic.TakeOutOfServiceAsync(app.Id, (_, _) => ValueTask.CompletedTask, cancellationToken);
            await _engine.StopContainerAsync(container.Id, Grace(app), cancellationToken);
            await _engine.StartContainerAsync(container.Id, cancellationToken);
            await _traffic.FollowRecordAsync(app.Id, cancellationToken);
        }, cancellationToken);

    private static TimeSpan Grace(App app) => TimeSpan.FromSeconds(app.Spec.StopGraceSeconds);

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

        // Meant first, then done: who finds it half done sees from the record what was meant.
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
