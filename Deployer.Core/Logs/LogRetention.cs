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
/// never with a gap, and a removal that was cut short is finished at the next start. The logs of a deleted app go the same
/// way: its deployments are gone at once, and what is left of their logs is found by that.
/// </summary>
internal sealed partial class LogRetention(
    LogStore store, IDbContextFactory<DeployerDb> databases, DeploymentFeed feed, IOptions<LogOptions> options, TimeProvider time,
    ILogger<LogRetention> logger)
    : BackgroundService
{
    private const int RunsPerStep = 8;

    // A row for a deployment that is gone: its app was deleted. Sealed logs have totals; the others are few, and the
    // recursion walks from one to the next without looking at all of their runs.
    private const string Orphans =
        """
        WITH RECURSIVE open(id) AS (
          SELECT min(deployment_id) FROM deployment_logs WHERE sealed = 0
          UNION ALL
          SELECT (SELECT min(deployment_id) FROM deployment_logs WHERE sealed = 0 AND deployment_id > open.id)
          FROM open WHERE open.id IS NOT NULL)
        SELECT id AS Value FROM (SELECT id FROM open WHERE id IS NOT NULL UNION SELECT deployment_id FROM deployment_log_totals) AS logs
        WHERE NOT EXISTS (SELECT 1 FROM deployments WHERE deployments.id = logs.id)
        """;

    // Measured: with a pause of one slice, appends beside a removal waited longer. Nobody waits for a removal.
    private static readonly TimeSpan Breath = 5 * LogSlices.Budget;
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>Removes what is due now.</summary>
    /// <returns>How many logs were removed.</returns>
    public async Task<int> RemoveDueAsync(CancellationToken cancellationToken)
    {
        foreach (var deploymentId in await FindUnfinishedAsync(cancellationToken))
        {
            await RemoveRunsAsync(deploymentId, cancellationToken);
        }

        await RemoveOrphansAsync(cancellationToken);
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

        await MergeIndexAsync(cancellationToken);
        return removed;
    }

    /// <summary>Removes the logs of deployments that are gone with their app. Nobody can see them any more.</summary>
    public async Task RemoveOrphansAsync(CancellationToken cancellationToken)
    {
        List<long> orphans;
        await using (var db = await databases.CreateDbContextAsync(cancellationToken))
        {
            orphans = await db.Database.SqlQueryRaw<long>(Orphans).ToListAsync(cancellationToken);
        }

        foreach (var deploymentId in orphans)
        {
            await RemoveRunsAsync(deploymentId, cancellationToken);
        }

        if (orphans.Count > 0)
        {
            await MergeIndexAsync(cancellationToken);
            LogOrphansRemoved(orphans.Count);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var bell = feed.WatchAll();
        long? last = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (last is { } then && time.GetElapsedTime(then) < Interval)
                {
                    await RemoveOrphansAsync(stoppingToken);
                }
                else
                {
                    last = time.GetTimestamp();
                    await RemoveDueAsync(stoppingToken);
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }

            try
            {
                // The bell rings, among other things, when an app was deleted.
                await bell.WaitAsync(Interval, time, stoppingToken);
                await Task.Delay(Pause, time, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
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

    // The index is put together along the way. A merge of what was removed as a whole writes nothing, and FTS5 counts a
    // step's pages by what it writes: it would read all of that in one step while appends wait. It begins when half of it
    // is removed ('deletemerge' in the migrations), which bounds the pages that are written anew.
    private Task RemoveRunsAsync(long deploymentId, CancellationToken cancellationToken) => LogSlices.RunAsync(
        store.Writer, connection => connection.MergeIndex(LogSealer.MergePages) || connection.RemoveRuns(deploymentId, RunsPerStep), Breath,
        cancellationToken);

    private Task MergeIndexAsync(CancellationToken cancellationToken) =>
        LogSlices.RunAsync(store.Writer, static connection => connection.MergeIndex(LogSealer.MergePages), Breath, cancellationToken);

    [LoggerMessage(LogLevel.Information, "Removed the logs of {Deployments} deployments whose app is gone")]
    private partial void LogOrphansRemoved(int deployments);

    [LoggerMessage(LogLevel.Information, "Removed the log of deployment {DeploymentId}: {Lines} lines, {Bytes} bytes")]
    private partial void LogRemoved(long deploymentId, long lines, long bytes);

    [LoggerMessage(LogLevel.Error, "Removing old logs failed; the next pass tries again")]
    private partial void LogFailed(Exception exception);
}
