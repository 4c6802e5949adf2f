using System.Runtime.InteropServices;

namespace Deployer.Bench.Logs;

/// <summary>The log store measured: one command, one table. Each figure is the median of rounds that alternate with its baseline.</summary>
internal static class LogBench
{
    public static async Task<int> RunAsync(string[] args)
    {
        var quick = args.Contains("--quick", StringComparer.Ordinal);
        var only = args.SkipWhile(arg => arg != "--only").Skip(1).FirstOrDefault();
        var size = quick ? Size.Quick : Size.Full;
        var table = new Table();
        var start = Clock.Now;
        (string Name, Func<Task> Run)[] rows =
        [
            ("append", () => AppendRows.RunAsync(table, size)),
            ("gate", () => Task.Run(() => AppendRows.RunGate(table, size))),
            ("latency", () => LatencyRows.RunAsync(table, size)),
            ("viewers", () => LatencyRows.RunViewersAsync(table, size)),
            ("sealing", () => SizeRows.RunSealingAsync(table, size)),
            ("growth", () => SizeRows.RunGrowthAsync(table, size)),
            ("memory", () => ServerMemory.RunAsync(table)),
        ];
        foreach (var (name, run) in rows.Where(row => only is null || row.Name == only))
        {
            await Console.Error.WriteLineAsync($"{name} …");
            await run();
        }

        Console.WriteLine(
            $"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors, .NET {Environment.Version}, "
                + $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}, {(quick ? "quick run" : "full run")} of {Clock.Seconds(start):F0} s");
        Console.WriteLine();
        table.Print();
        return 0;
    }

    /// <summary>How much is measured.</summary>
    internal sealed record Size(
        int Rounds, int AppendLines, int NaiveLines, double LatencySeconds, int SealLines, int BaselineRows, int BulkLines, double[] Growth,
        double SearchMillions, int RareAt)
    {
        public static Size Full { get; } = new(
            Rounds: 5, AppendLines: 300_000, NaiveLines: 1_500, LatencySeconds: 4, SealLines: 200_000, BaselineRows: 1_000_000,
            BulkLines: 1_000_000, Growth: [0.1, 1, 10, 50], SearchMillions: 10, RareAt: 3);

        public static Size Quick { get; } = new(
            Rounds: 2, AppendLines: 60_000, NaiveLines: 300, LatencySeconds: 1.5, SealLines: 40_000, BaselineRows: 100_000,
            BulkLines: 100_000, Growth: [0.1, 1], SearchMillions: 1, RareAt: 3);
    }
}
