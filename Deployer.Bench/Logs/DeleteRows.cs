using Deployer.Core.Logs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using NodaTime;

namespace Deployer.Bench.Logs;

/// <summary>What long work on other logs costs one who appends: a million lines removed, sealed and not, and with their app; sealing.</summary>
internal static class DeleteRows
{
    private const int Rate = 1_000;

    /// <summary>Works in the database given, with all that is in it.</summary>
    public static async Task RunAsync(Table table, LogBench.Size size, Bed bed, long sealedLog)
    {
        var writer = bed.AddDeployment();

        // What the bench itself filled in at once is written back first; a server has no such heap behind it.
        bed.UsedBytes();
        var before = new List<double>();
        before.AddRange(await LatencyRows.WriteAsync(bed.Store, writer, Rate, 4));
        var p99 = Table.Percentile(before, 0.99);
        await AddAsync("retention removes a sealed log", sealedLog, () => ExpireAsync(bed, sealedLog));

        var openLog = await AppendMillionAsync(bed, size);
        await AddAsync("retention removes a log that is not sealed", openLog, () => ExpireAsync(bed, openLog));

        var ofApp = await new Bulk().AddAsync(bed, size.BulkLines, chapterWithWord: -1, "");
        bed.UsedBytes();
        await AddAsync("an app is deleted and its sealed log removed", ofApp, () => DeleteAppAsync(bed, ofApp));

        var toSeal = await AppendMillionAsync(bed, size);
        await AddAsync("a log is sealed", toSeal, async () =>
        {
            bed.End(toSeal);
            await bed.SealAsync();
        });

        async Task AddAsync(string what, long log, Func<Task> work)
        {
            var lines = (await bed.Store.GetExtent(log, default))!.Lines;
            var seconds = 0.0;
            var during = new List<double>();
            var task = Task.Run(async () => seconds = await Clock.TimeAsync(work));
            while (!task.IsCompleted)
            {
                during.AddRange(await LatencyRows.WriteAsync(bed.Store, writer, Rate, 0.25));
            }

            await task;
            var (median, high) = (Table.Median(during), Table.Percentile(during, 0.99));
            table.Add(
                $"append → durable at {Rate:N0} lines/s while {what} of {lines:N0} lines ({seconds:F1} s)",
                $"p50 {Table.Ms(median)}, p99 {Table.Ms(high)}, most {Table.Ms(during.Max())}", $"before, p99 {Table.Ms(p99)}", "",
                Table.Met(high <= 20, "p99 ≤ 20 ms"));
        }
    }

    private static async Task<long> AppendMillionAsync(Bed bed, LogBench.Size size)
    {
        var log = bed.AddDeployment();
        await bed.AppendAsync(log, Corpus.Stream(size.BulkLines));
        bed.UsedBytes();
        return log;
    }

    private static async Task ExpireAsync(Bed bed, long log)
    {
        await using (var db = bed.CreateDbContext())
        {
            await db.Deployments.Where(row => row.Id == log).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.EndedAt, (Instant?)Instant.FromUtc(2020, 1, 1, 0, 0))
                    .SetProperty(row => row.Status, Core.Deployments.DeploymentStatus.Succeeded));
        }

        using var retention = Retention(bed);
        SizeRows.Expect(1, await retention.RemoveDueAsync(default));
    }

    private static async Task DeleteAppAsync(Bed bed, long log)
    {
        await using (var db = bed.CreateDbContext())
        {
            SizeRows.Expect(1, await db.Apps.Where(app => db.Deployments.Any(row => row.Id == log && row.AppId == app.Id)).ExecuteDeleteAsync());
        }

        using var retention = Retention(bed);
        await retention.RemoveOrphansAsync(default);
    }

    private static LogRetention Retention(Bed bed) => new(
        bed.Store, bed, bed.Feed, Options.Create(new LogOptions { Retention = new LogRetentionOptions { MaxAgeDays = 1000, MaxTotalMegabytes = null } }),
        TimeProvider.System, NullLogger<LogRetention>.Instance);
}
