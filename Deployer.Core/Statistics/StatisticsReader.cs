using System.Text.Json;
using Deployer.Core.Data;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Statistics;

/// <summary>Counts how deploying goes: how often, how often in vain, how long it takes, how long until it works again.</summary>
public sealed class StatisticsReader(IDbContextFactory<DeployerDb> databases)
{
    private const string AllTogether = "''";
    private const string ByApp = "app";
    private const string BySlice = "CAST((ended_at - $since) / $slice AS TEXT)";

    private const string Counts =
        """
        SELECT {0} AS Name,
          sum(status = 2) AS Succeeded, sum(status = 3) AS Failed, sum(status > 3) AS Canceled
        FROM (SELECT a.name AS app, d.status, d.ended_at FROM deployments d JOIN apps a ON a.id = d.app_id
          WHERE d.ended_at >= $since AND d.ended_at < $until
            AND ($apps IS NULL OR a.name IN (SELECT value FROM json_each($apps))))
        GROUP BY 1
        """;

    // The plus keeps the planner from the status's own index: the range of time leads to fewer rows.
    private const string Durations =
        """
        WITH spans AS (SELECT a.name AS app, d.ended_at, d.ended_at - d.started_at AS span FROM deployments d JOIN apps a ON a.id = d.app_id
          WHERE +d.status = 2 AND d.started_at IS NOT NULL AND d.ended_at >= $since AND d.ended_at < $until
            AND ($apps IS NULL OR a.name IN (SELECT value FROM json_each($apps))))
        """;

    // A success ends the outage that the first failure since the success before it began, which may lie before the range.
    // Each look back is a search in the index over app, status and end, however long the history is.
    private const string Outages =
        """
        WITH recoveries AS (SELECT a.name AS app, d.ended_at,
            (SELECT min(failure.ended_at) FROM deployments failure
              WHERE failure.app_id = d.app_id AND failure.status = 3 AND failure.ended_at < d.ended_at
                AND failure.ended_at > coalesce(
                  (SELECT max(earlier.ended_at) FROM deployments earlier
                    WHERE earlier.app_id = d.app_id AND earlier.status = 2 AND earlier.ended_at < d.ended_at), 0)) AS began_at
          FROM deployments d JOIN apps a ON a.id = d.app_id
          WHERE +d.status = 2 AND d.ended_at >= $since AND d.ended_at < $until
            AND ($apps IS NULL OR a.name IN (SELECT value FROM json_each($apps)))),
        spans AS (SELECT app, ended_at, ended_at - began_at AS span FROM recoveries WHERE began_at IS NOT NULL)
        """;

    private const string Medians =
        """
        , ranked AS (
          SELECT {0} AS name, span, row_number() OVER grouped AS rank, count(*) OVER (PARTITION BY {0}) AS spans
          FROM spans WINDOW grouped AS (PARTITION BY {0} ORDER BY span))
        SELECT name AS Name, max(spans) AS Spans, avg(span) / 1e9 AS Seconds
        FROM ranked WHERE rank IN ((spans + 1) / 2, (spans + 2) / 2) GROUP BY name
        """;

    /// <summary>Counts.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty, or has more than <see cref="StatisticsQuery.MaxSlices"/> slices.</exception>
    public async Task<DeploymentStatistics> ReadAsync(StatisticsQuery query, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(query.Slice, NodaTime.Duration.Zero, nameof(query));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(query.Until, query.Since, nameof(query));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Slices, StatisticsQuery.MaxSlices, nameof(query));
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var total = await GroupAsync(db, query, AllTogether, cancellationToken);
        var apps = await GroupAsync(db, query, ByApp, cancellationToken);
        var slices = await GroupAsync(db, query, BySlice, cancellationToken);
        var environments = await db.Apps.Where(app => apps.Keys.Contains(app.Name))
            .ToDictionaryAsync(app => app.Name, app => app.Environment, StringComparer.Ordinal, cancellationToken);
        var all = total.GetValueOrDefault("", StatisticsFigures.None);
        return new DeploymentStatistics(
            query.Since,
            query.Until,
            all,
            all.Succeeded / (query.Until - query.Since).TotalDays,
            [.. apps.Where(app => environments.ContainsKey(app.Key)).OrderBy(app => app.Key, StringComparer.Ordinal)
                .Select(app => new AppStatistics(app.Key, environments[app.Key], app.Value))],
            [.. Enumerable.Range(0, query.Slices).Select(index => new SliceStatistics(
                query.Since + (query.Slice * index),
                NodaTime.Instant.Min(query.Until, query.Since + (query.Slice * (index + 1))),
                slices.GetValueOrDefault(index.ToString(System.Globalization.CultureInfo.InvariantCulture), StatisticsFigures.None)))]);
    }

    private static async Task<Dictionary<string, StatisticsFigures>> GroupAsync(
        DeployerDb db, StatisticsQuery query, string group, CancellationToken cancellationToken)
    {
        var counts = await AskAsync<Count>(Fill(Counts, group));
        var durations = await AskAsync<Median>(Durations + Fill(Medians, group));
        var outages = await AskAsync<Median>(Outages + Fill(Medians, group));
        var figures = counts.ToDictionary(
            count => count.Name, count => new StatisticsFigures(count.Succeeded, count.Failed, count.Canceled, null, 0, null), StringComparer.Ordinal);
        foreach (var duration in durations)
        {
            figures[duration.Name] = figures.GetValueOrDefault(duration.Name, StatisticsFigures.None) with { MedianSeconds = duration.Seconds };
        }

        foreach (var outage in outages)
        {
            figures[outage.Name] = figures.GetValueOrDefault(outage.Name, StatisticsFigures.None) with
            {
                Recoveries = outage.Spans,
                MedianRecoverySeconds = outage.Seconds,
            };
        }

        return figures;

        Task<List<T>> AskAsync<T>(string sql) => db.Database.SqlQueryRaw<T>(
            sql,
            new SqliteParameter("$since", query.Since.ToUnixTimeNanoseconds()),
            new SqliteParameter("$until", query.Until.ToUnixTimeNanoseconds()),
            new SqliteParameter("$slice", query.Slice.ToInt64Nanoseconds()),
            new SqliteParameter("$apps", query.Apps is null ? DBNull.Value : JsonSerializer.Serialize(query.Apps))).ToListAsync(cancellationToken);
    }

    private static string Fill(string sql, string group) => sql.Replace("{0}", group, StringComparison.Ordinal);

    private sealed record Count(string Name, int Succeeded, int Failed, int Canceled);

    private sealed record Median(string Name, int Spans, double Seconds);
}
