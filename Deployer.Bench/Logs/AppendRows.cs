using System.Text;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;

namespace Deployer.Bench.Logs;

/// <summary>Appending at saturation, and what the gate costs.</summary>
internal static class AppendRows
{
    public static async Task RunAsync(Table table, LogBench.Size size)
    {
        var lines = Enumerable.Range(0, size.AppendLines).Select(index => Corpus.Mixed[index % Corpus.Mixed.Length]).ToArray();
        int[] producers = [1, 8, 64];
        var ours = producers.ToDictionary(count => count, _ => new List<double>());
        var processor = producers.ToDictionary(count => count, _ => new List<double>());
        var (raw, rawProcessor, file, naive) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        await AppendAsync(lines[..Math.Min(lines.Length, 50_000)], 8); // so that no round measures the compiler
        for (var round = 0; round < size.Rounds; round++)
        {
            var directory = Directory.CreateTempSubdirectory("deployer-baseline-");
            using (var rows = Baselines.OpenRows(directory.FullName))
            {
                var before = Clock.Processor;
                raw.Add(lines.Length / Clock.Time(() => Baselines.InsertRows(rows, 8, 0, lines)));
                rawProcessor.Add((Clock.Processor - before) * 1e6 / lines.Length);
            }

            foreach (var count in producers)
            {
                var before = Clock.Processor;
                ours[count].Add(lines.Length / await AppendAsync(lines, count));
                processor[count].Add((Clock.Processor - before) * 1e6 / lines.Length);
            }

            file.Add(lines.Length / Clock.Time(() => Baselines.AppendFile(directory.FullName, lines)));
            naive.Add(size.NaiveLines / Clock.Time(() => Baselines.InsertNaively(directory.FullName, lines.Take(size.NaiveLines))));
            directory.Delete(recursive: true);
        }

        var baseline = Table.Median(raw);
        table.Add("baseline: file append, fsync per 1,000", Table.Lines(Table.Median(file)), "", "", "");
        table.Add("baseline: naive port (SaveChanges per line, text ids and times)", Table.Lines(Table.Median(naive)), "", "", "");
        foreach (var count in producers)
        {
            var rate = Table.Median(ours[count]);
            table.Add(
                $"append through gate, channel, EF connection, durable; {count} producer(s)", $"{Table.Lines(rate)}, {Table.Median(processor[count]):F1} µs of processor a line",
                $"raw prepared SQLite {Table.Lines(baseline)}, {Table.Median(rawProcessor):F1} µs", $"{rate / baseline:F2}; {rate / Table.Median(naive):F0} × naive",
                count == 8 ? Table.Met(rate >= 0.7 * baseline && rate >= 100 * Table.Median(naive), "≥ 0.7 raw, ≥ 100 naive") : "");
        }
    }

    /// <summary>The gate alone, with no secrets and with 50.</summary>
    public static void RunGate(Table table, LogBench.Size size)
    {
        var chunks = Corpus.Mixed.Chunk(40).Select(batch => Encoding.UTF8.GetBytes(string.Join('\n', batch) + "\n")).ToArray();
        var secrets = Enumerable.Range(0, 50).Select(index => $"s3cr3t-{index * 7919:x}-{index}-value/{index * 31}").ToArray();
        var (without, with) = (new List<double>(), new List<double>());
        var (plain, redacting) = (Redactor.None, Redactor.Create(secrets));
        for (var warm = 0; warm < 5; warm++)
        {
            Pass(redacting, chunks);
        }

        for (var round = 0; round < size.Rounds; round++)
        {
            without.Add(Corpus.Mixed.Length / Clock.Time(() => Pass(plain, chunks)));
            with.Add(Corpus.Mixed.Length / Clock.Time(() => Pass(redacting, chunks)));
        }

        table.Add(
            "gate alone, raw output, 50 secrets in all their forms", Table.Lines(Table.Median(with)), $"no secrets {Table.Lines(Table.Median(without))}",
            $"{Table.Median(with) / Table.Median(without):F2}", "");
    }

    private static void Pass(Redactor redactor, byte[][] chunks)
    {
        var gate = new LogGate([redactor]);
        var lines = new List<string>();
        foreach (var chunk in chunks)
        {
            gate.Take(chunk, lines);
            lines.Clear();
        }
    }

    private static async Task<double> AppendAsync(string[] lines, int producers)
    {
        await using var bed = Bed.Create();
        var deployments = Enumerable.Range(0, producers).Select(_ => bed.AddDeployment()).ToArray();
        string[] secrets = ["hunter2-correct-horse", "Zm9vYmFyYmF6cXV4", "token-5f3a9c77e1"];
        return await Clock.TimeAsync(() => Task.WhenAll(deployments.Select((deployment, producer) => Task.Run(async () =>
        {
            await using var appender = bed.Store.Open(deployment, secrets);
            for (var index = producer; index < lines.Length; index += producers)
            {
                await appender.AppendAsync(LogStream.Stdout, StepKind.Start, lines[index], CancellationToken.None);
            }
        }))));
    }
}
