using Deployer.Core.Data;
using Deployer.Core.Engine;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Deployer.Core.Routing;

/// <summary>
/// Keeps the addresses of serving containers true. An engine gives a container a new address when it starts it again, and
/// may give the old one to a container of another app; so a container that does not run is not routed to.
/// </summary>
internal sealed partial class RouteKeeper(
    IDbContextFactory<DeployerDb> databases, IContainerEngine engine, TargetFinder finder, TrafficSwitch traffic,
    RouteFeed feed, TimeProvider time, ILogger<RouteKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Looks once at every container that the routes know: corrects where serving ones are, and forgets draining ones that
    /// the engine does not have any more.
    /// </summary>
    internal async Task CheckAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        foreach (var target in await db.RouteTargets.AsNoTracking().ToListAsync(cancellationToken))
        {
            var container = await engine.FindContainerAsync(target.ContainerId, cancellationToken);
            if (target.State == RouteTargetState.Draining)
            {
                if (container is null)
                {
                    await traffic.RetireAsync(target, cancellationToken);
                }

                continue;
            }

            var known = target.Address is null ? null : new TargetAddress(target.Address, target.Port);
            var seen = await LookAsync(container, target.ContainerPort, known, cancellationToken);
            if (seen != known)
            {
                await CorrectAsync(db, target, seen, cancellationToken);
            }
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        var wasReachable = true;
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await CheckAsync(stoppingToken);
                wasReachable = true;
            }
            catch (EngineUnreachableException exception)
            {
                // Containers may go on serving while the engine is away: the routes stay as they are.
                if (wasReachable)
                {
                    LogEngineAway(exception.Message);
                }

                wasReachable = false;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogCheckFailed(exception);
            }
        }
    }

    private async Task<TargetAddress?> LookAsync(
        ContainerDetails? container, int containerPort, TargetAddress? known, CancellationToken cancellationToken)
    {
        if (container is not { Status: ContainerStatus.Running })
        {
            return null;
        }

        var candidates = await finder.ListCandidatesAsync(container, containerPort, cancellationToken);
        if (known is not null && candidates.Contains(known))
        {
            return known;
        }

        try
        {
            return await finder.FindAsync(container, containerPort, cancellationToken);
        }
        catch (TargetUnreachableException)
        {
            return null;
        }
    }

    private async Task CorrectAsync(
        DeployerDb db, RouteTarget target, TargetAddress? seen, CancellationToken cancellationToken)
    {
        var now = time.Now();
        await using var change = await db.Database.BeginTransactionAsync(cancellationToken);
        var version = await HostBook.TickAsync(db, cancellationToken);
        var rows = await db.RouteTargets
            .Where(row => row.Id == target.Id && row.Version == target.Version)
            .ExecuteUpdateAsync(
                set => set
                    .SetProperty(row => row.Address, seen == null ? null : seen.Ip)
                    .SetProperty(row => row.Port, row => seen == null ? row.Port : seen.Port)
                    .SetProperty(row => row.Version, version)
                    .SetProperty(row => row.ChangedAt, now),
                cancellationToken);
        if (rows == 0)
        {
            return;
        }

        await change.CommitAsync(cancellationToken);
        feed.PublishChange();
        if (seen is null)
        {
            LogNotRunning(target.ContainerId);
        }
        else
        {
            LogMoved(target.ContainerId, seen);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Container {ContainerId} serves an app but does not run or accepts no connection; its hosts answer 503 until it does")]
    private partial void LogNotRunning(string containerId);

    [LoggerMessage(LogLevel.Information, "Container {ContainerId} is now reached at {Address}")]
    private partial void LogMoved(string containerId, TargetAddress address);

    [LoggerMessage(LogLevel.Warning, "Routes are left as they are: {Reason}")]
    private partial void LogEngineAway(string reason);

    [LoggerMessage(LogLevel.Error, "Checking the routes failed; next try follows")]
    private partial void LogCheckFailed(Exception exception);
}
