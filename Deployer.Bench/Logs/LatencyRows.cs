using System.Collections.Concurrent;
using System.Globalization;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;

namespace Deployer.Bench.Logs;

/// <summary>How long a line takes to be durable and to be seen, and what many viewers cost.</summary>
internal static class LatencyRows
{
    public static async Task RunAsync(Table table, LogBench.Size size)
    {
        await CountReadsAsync(10, 1); // so that no round measures the compiler
        foreach (var rate in new[] { 100, 1_000, 10_000 })
        {
            var (durable, seen) = (new List<double>(), new List<double>());
            for (var round = 0; round < size.Rounds; round++)
            {
                await using var bed = Bed.Create();
                var deployment = bed.AddDeployment();
                var viewer = Task.Run(() => WatchAsync(bed.Store, deployment, seen));
                durable.AddRange(await WriteAsync(bed.Store, deployment, rate, size.LatencySeconds));
                bed.End(deployment);
                await viewer;
            }

            table.Add(
                $"append → durable at {rate:N0} lines/s", $"p50 {Table.Ms(Table.Median(durable))}, p99 {Table.Ms(Table.Percentile(durable, 0.99))}", "", "", "");
            var (p50, p99) = (Table.Median(seen), Table.Percentile(seen, 0.99));
            table.Add(
                $"append → seen by a waiting reader at {rate:N0} lines/s", $"p50 {Table.Ms(p50)}, p99 {Table.Ms(p99)}", "", "",
                rate == 1_000 ? Table.Met(p50 <= 5 && p99 <= 50, "p50 ≤ 5 ms, p99 ≤ 50 ms") : "");
        }
    }

    public static async Task RunViewersAsync(Table table, LogBench.Size size)
    {
        var ratios = new List<(double Alone, double Together)>();
        var missed = 0L;
        for (var round = 0; round < size.Rounds; round++)
        {
            var alone = await CountReadsAsync(1, size.LatencySeconds);
            var together = await CountReadsAsync(100, size.LatencySeconds);
            missed += alone.Missed + together.Missed;
            ratios.Add((alone.Reads, together.Reads));
        }

        var (one, hundred) = (Table.Median(ratios.Select(ratio => ratio.Alone)), Table.Median(ratios.Select(ratio => ratio.Together)));
        table.Add(
            "100 viewers of one deployment at 1,000 lines/s", $"{hundred:F0} store reads, {missed} lines missed or doubled",
            $"one viewer {one:F0} reads", $"{hundred / one:F2}", Table.Met(missed == 0 && hundred <= 2 * one, "none missed, ≤ 2"));
    }

    /// <summary>Appends at a steady rate and gives each line's way to the disk in milliseconds.</summary>
    internal static async Task<List<double>> WriteAsync(LogStore store, long deployment, int rate, double seconds)
    {
        var durable = new ConcurrentBag<double>();
        var pending = new List<Task>();
        await using var appender = store.Open(deployment, []);
        var start = Clock.Now;
        var total = (int)(rate * seconds);
        for (var sent = 0; sent < total;)
        {
            for (var due = Math.Min(total, (int)(Clock.Seconds(start) * rate) + 1); sent < due; sent++)
            {
                var stamp = Clock.Now;
                var text = $"{stamp.ToString(CultureInfo.InvariantCulture)} {Corpus.Mixed[sent % Corpus.Mixed.Length]}";
                await appender.AppendAsync(LogStream.Stdout, StepKind.Start, text, CancellationToken.None);
                pending.Add(DurableAsync(appender, stamp, durable));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        }

        await Task.WhenAll(pending);
        return [.. durable];
    }

    private static async Task DurableAsync(LogAppender appender, long stamp, ConcurrentBag<double> durable)
    {
        await appender.FlushAsync(CancellationToken.None);
        durable.Add(Clock.Milliseconds(stamp));
    }

    private static async Task WatchAsync(LogStore store, long deployment, List<double> seen)
    {
        await foreach (var page in store.FollowAsync(deployment, after: null, 1_000, CancellationToken.None))
        {
            foreach (var line in page.Lines)
            {
                seen.Add(Clock.Milliseconds(long.Parse(line.Text.AsSpan(0, line.Text.IndexOf(' ', StringComparison.Ordinal)), CultureInfo.InvariantCulture)));
            }
        }
    }

    private static async Task<(long Reads, long Missed)> CountReadsAsync(int viewers, double seconds)
    {
        await using var bed = Bed.Create();
        var deployment = bed.AddDeployment();
        var all = Enumerable.Range(0, viewers).Select(_ => Task.Run(() => CountLinesAsync(bed.Store, deployment))).ToArray();
        await WriteAsync(bed.Store, deployment, 1_000, seconds);
        bed.End(deployment);
        var written = (await bed.Store.GetExtent(deployment, CancellationToken.None))!.Lines;
        var missed = (await Task.WhenAll(all)).Sum(seen => Math.Abs(written - seen));
        return (bed.Store.Reads.Count, missed);
    }

    /// <summary>Counts lines; one out of its order counts a million.</summary>
    private static async Task<long> CountLinesAsync(LogStore store, long deployment)
    {
        var count = 0L;
        await foreach (var page in store.FollowAsync(deployment, after: null, 1_000, CancellationToken.None))
        {
            foreach (var line in page.Lines)
            {
                count += line.Line == count + 1 ? 1 : 1_000_000;
            }
        }

        return count;
    }
}
