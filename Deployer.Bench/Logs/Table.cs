namespace Deployer.Bench.Logs;

/// <summary>What was measured, printed as one table in Markdown.</summary>
internal sealed class Table
{
    private readonly List<(string Row, string Figure, string Baseline, string Ratio, string Target)> _rows = [];

    /// <summary>Adds a row whose figure stands against a baseline.</summary>
    public void Add(string row, string figure, string baseline, string ratio, string target)
    {
        _rows.Add((row, figure, baseline, ratio, target));
        Console.Error.WriteLine($"  {row}: {figure} | {baseline} | {ratio} | {target}");
    }

    public void Print()
    {
        Console.WriteLine("| what | figure | baseline | ratio | target |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var (row, figure, baseline, ratio, target) in _rows)
        {
            Console.WriteLine($"| {row} | {figure} | {baseline} | {ratio} | {target} |");
        }
    }

    public static string Lines(double perSecond) => perSecond >= 10_000 ? $"{perSecond / 1000:F0}k lines/s" : $"{perSecond:F0} lines/s";

    public static string Ms(double milliseconds) => milliseconds < 1 ? $"{milliseconds:F3} ms" : $"{milliseconds:F1} ms";

    public static string Met(bool met, string target) => $"{target}: {(met ? "met" : "**missed**")}";

    public static double Median(IEnumerable<double> values) => Percentile(values, 0.5);

    public static double Percentile(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? double.NaN : sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))];
    }
}

/// <summary>Measures time on the system's clock.</summary>
internal static class Clock
{
    public static long Now => TimeProvider.System.GetTimestamp();

    public static double Seconds(long since) => TimeProvider.System.GetElapsedTime(since).TotalSeconds;

    public static double Milliseconds(long since) => TimeProvider.System.GetElapsedTime(since).TotalMilliseconds;

    public static double Time(Action action)
    {
        var start = Now;
        action();
        return Seconds(start);
    }

    /// <summary>Processor time that this process has used, in seconds: what others do on the machine is not in it.</summary>
    public static double Processor => Environment.CpuUsage.TotalTime.TotalSeconds;

    public static async Task<double> TimeAsync(Func<Task> action)
    {
        var start = Now;
        await action();
        return Seconds(start);
    }
}
