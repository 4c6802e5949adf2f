using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NodaTime;

namespace Deployer.Core.Logs;

/// <summary>
/// Removes logs that the limits of <see cref="LogRetentionOptions"/> no longer keep, oldest first, in slices between the
/// writer's batches so that appends stay quick. A log is marked as removed first: from then on readers see it empty,
/// never with a gap, and a removal that was cut short is finished at the next start.
/// </summary>
internal sealed partial class LogRetention(
    LogStore store, IDbContextFactory<DeployerDb> databases, IOptions<LogOptions> options, TimeProvider time,
    ILogger<LogRetention> logger)
    : BackgroundService
{
    private const int RunsPerSlice = 40;

    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    /// <summary>Removes what is due now.</summary>
    /// <returns>How many logs were removed.</returns>
    public async Task<int> RemoveDueAsync(CancellationToken cancellationToken)
    {
        foreach (var deploymentId in await FindUnfinishedAsync(cancellationToken))
        {
            await RemoveRunsAsync(deploymentId, cancellationToken);
        }

        var removed = 0;
        foreach (var due in await FindDueAsync(cancellationToken))
        {
            if (await MarkAsync(due.DeploymentId, cancellationToken))
            {
                await RemoveRunsAsync(due.DeploymentId, cancellationToken);
                LogRemoved(due.DeploymentId, due.Lines, due.StoredBytes);
                removed++;
            }
        }

        return removed;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                try
                {
                    await RemoveDueAsync(stoppingToken);
                }
                catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
                {
                    LogFailed(exception);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task<List<long>> FindUnfinishedAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Deployments
            .Where(deployment => deployment.LogRemovedAt != null && db.Set<LogRun>().Any(run => run.DeploymentId == deployment.Id))
            .Select(deployment => deployment.Id)
            .ToListAsync(cancellationToken);
    }

    private async Task<List<DeploymentLogUsage>> FindDueAsync(CancellationToken cancellationToken)
    {
        var limits = options.Value.Retention;
        List<DeploymentLogUsage> logs;
        HashSet<long> current;
        await using (var db = await databases.CreateDbContextAsync(cancellationToken))
        {
            logs = await LogUsage.OfDeployments(db).ToListAsync(cancellationToken);
            current = [.. await db.Apps.Where(app => app.CurrentDeploymentId != null)
                .Select(app => app.CurrentDeploymentId!.Value).ToListAsync(cancellationToken)];
        }

        var due = new HashSet<DeploymentLogUsage>();
        var removable = logs
            .Where(log => log.Status.IsFinal() && !log.Pinned && !current.Contains(log.DeploymentId))
            .OrderBy(log => log.EndedAt).ThenBy(log => log.DeploymentId)
            .ToList();
        if (limits.MaxAgeDays is { } days)
        {
            var oldest = time.Now() - Duration.FromDays(days);
            due.UnionWith(removable.Where(log => log.EndedAt < oldest));
        }

        if (limits.MaxPerApp is { } count)
        {
            var kept = logs.GroupBy(log => log.AppId)
                .SelectMany(app => app.OrderByDescending(log => log.Number).Take(count))
                .Select(log => log.DeploymentId).ToHashSet();
            due.UnionWith(removable.Where(log => !kept.Contains(log.DeploymentId)));
        }

        if (limits.MaxTotalMegabytes is { } megabytes)
        {
            var excess = logs.Where(log => !due.Contains(log)).Sum(log => log.StoredBytes) - (megabytes * 1_000_000);
            foreach (var log in removable.Where(log => !due.Contains(log)).ToList())
            {
                if (excess <= 0)
                {
                    break;
                }

                due.Add(log);
                excess -= log.StoredBytes;
            }
        }

        return [.. removable.Where(due.Contains)];
    }

    /// <summary>Marks a log as removed unless it is to be kept meanwhile; whoever pins or restores it at the same time wins or loses here.</summary>
    private Task<bool> MarkAsync(long deploymentId, CancellationToken cancellationToken)
    {
        Instant? now = time.Now();
        return store.Writer.InvokeAsync(
            connection => connection.Db.Deployments
                .Where(deployment => deployment.Id == deploymentId && !deployment.Pinned && deployment.LogRemovedAt == null
                    && deployment.Status >= DeploymentStatus.Succeeded
                    && !connection.Db.Apps.Any(app => app.CurrentDeploymentId == deployment.Id))
                .ExecuteUpdate(set => set.SetProperty(deployment => deployment.LogRemovedAt, now)) == 1,
            cancellationToken);
    }

    private async Task RemoveRunsAsync(long deploymentId, CancellationToken cancellationToken)
    {
        while (await store.Writer.InvokeAsync(connection => RemoveSlice(connection.Db, deploymentId), cancellationToken))
        {
        }
    }

    /// <summary>Removes a piece of a log. False when nothing is left of it.</summary>
    private static bool RemoveSlice(DeployerDb db, long deploymentId)
    {
        var runs = db.Database.ExecuteSql(
            $"""
            DELETE FROM deployment_logs WHERE id IN
              (SELECT id FROM deployment_logs WHERE deployment_id = {deploymentId} ORDER BY first_line LIMIT {RunsPerSlice})
            """);
        var firstLeft = db.Set<LogRun>().Where(run => run.DeploymentId == deploymentId).Min(run => (long?)run.FirstLine);
        db.Set<LogChapter>()
            .Where(chapter => chapter.DeploymentId == deploymentId && (firstLeft == null || chapter.FirstLine < firstLeft))
            .ExecuteDelete();
        if (runs == RunsPerSlice)
        {
            return true;
        }

        db.Set<LogTotals>().Where(totals => totals.DeploymentId == deploymentId).ExecuteDelete();
        return false;
    }

    [LoggerMessage(LogLevel.Information, "Removed the log of deployment {DeploymentId}: {Lines} lines, {Bytes} bytes")]
    private partial void LogRemoved(long deploymentId, long lines, long bytes);

    [LoggerMessage(LogLevel.Error, "Removing old logs failed; the next pass tries again")]
    private partial void LogFailed(Exception exception);
}
