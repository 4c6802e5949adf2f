using Deployer.Core.Data;
using Deployer.Core.Logs;
using NodaTime;

namespace Deployer.Bench.Logs;

/// <summary>Reading, and searching in a database that grows to 50 million lines; sealing; bytes at rest.</summary>
internal static class SizeRows
{
    private const int Page = 500;
    private const string RareWord = "zyxquark";

    public static async Task RunGrowthAsync(Table table, LogBench.Size size)
    {
        var directory = Directory.CreateTempSubdirectory("deployer-baseline-");
        using var rows = Baselines.OpenRows(directory.FullName);
        Baselines.InsertRows(rows, 8, 0, Enumerable.Range(0, size.BaselineRows).Select(index => Corpus.Mixed[index % Corpus.Mixed.Length]));
        var rawPage = Baselines.PreparePage(rows, Page);
        await using var bed = Bed.Create();
        var bulk = new Bulk();
        var deployments = new List<(long Id, int Lines)>();
        double? firstPage = null;
        var random = new Random(5);
        foreach (var millions in size.Growth)
        {
            for (var left = LeftTo(millions); left >= Bulk.ChapterLines; left = LeftTo(millions))
            {
                var lines = Math.Min(left, size.BulkLines);
                deployments.Add((await bulk.AddAsync(bed, lines, deployments.Count == size.RareAt ? 7 : -1, RareWord), lines));
            }

            for (var warm = 0; warm < 2_000; warm++)
            {
                Expect(0, bed.Store.GetLogsAfter(deployments[warm % deployments.Count].Id, At(size.BulkLines), Page, default).Result!.Lines.Count);
                Expect(0, rawPage(random.Next(8) + 1, long.MaxValue));
            }

            var (ours, raw, ourPoll, rawPoll) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
            for (var round = 0; round < size.Rounds; round++)
            {
                for (var sample = 0; sample < 100; sample++)
                {
                    var (deployment, lines) = deployments[random.Next(deployments.Count)];
                    var line = random.Next(lines - Page);
                    ours.Add(1_000 * Clock.Time(() => Expect(Page, bed.Store.GetLogsAfter(deployment, At(line), Page, default).Result!.Lines.Count)));
                    raw.Add(1_000 * Clock.Time(() => Expect(Page, rawPage(random.Next(8) + 1, random.Next(size.BaselineRows - (Page * 9))))));
                    ourPoll.Add(1_000 * Clock.Time(() => Expect(0, bed.Store.GetLogsAfter(deployment, At(lines), Page, default).Result!.Lines.Count)));
                    rawPoll.Add(1_000 * Clock.Time(() => Expect(0, rawPage(random.Next(8) + 1, long.MaxValue))));
                }
            }

            firstPage ??= Table.Median(ours);
            var (page, poll) = (Table.Median(ours), Table.Median(ourPoll));
            table.Add(
                $"page of 500 from blocks at {millions} million lines", $"p50 {Table.Ms(page)}, p99 {Table.Ms(Table.Percentile(ours, 0.99))}",
                $"raw prepared rows p50 {Table.Ms(Table.Median(raw))}", $"{page / Table.Median(raw):F2}; {page / firstPage:F2} × that at {size.Growth[0]} million",
                Table.Met(page <= 1.5 * Table.Median(raw) && page <= 1.5 * firstPage, "≤ 1.5 raw, ≤ 1.5 first"));
            table.Add(
                $"empty poll at {millions} million lines", $"p50 {Table.Ms(poll)}", $"raw prepared {Table.Ms(Table.Median(rawPoll))}",
                $"{poll / Table.Median(rawPoll):F2}", Table.Met(poll <= 1.5 * Table.Median(rawPoll), "≤ 1.5"));
            if (millions == size.SearchMillions)
            {
                await RunSearchAsync(table, size, bed, deployments, millions);
            }
        }

        await DeleteRows.RunAsync(table, size, bed, deployments[^1].Id);
        directory.Delete(recursive: true);

        int LeftTo(double millions) => (int)((millions * 1_000_000) - deployments.Sum(deployment => deployment.Lines));
    }

    /// <summary>Sealing, a page of live runs against one of blocks, and bytes at rest.</summary>
    public static async Task RunSealingAsync(Table table, LogBench.Size size)
    {
        foreach (var (name, source, most) in new[] { ("synthetic text", Corpus.Synthetic, 0.35), ("real build logs", Corpus.Build, 0.15) })
        {
            var (sealing, livePage, sealedPage) = (new List<double>(), new List<double>(), new List<double>());
            double bytes = 0, rowBytes = 0;
            var lines = source.Take(size.SealLines).ToArray();
            for (var round = 0; round < size.Rounds; round++)
            {
                await using var bed = Bed.Create();
                var deployment = bed.AddDeployment();
                var empty = bed.UsedBytes();
                await bed.AppendAsync(deployment, lines);
                var times = (await bed.Store.GetLogsAfter(deployment, after: null, lines.Length, default))!.Lines.Select(line => line.Time).ToArray();
                livePage.AddRange(Pages(bed, deployment, times));
                bed.End(deployment);
                sealing.Add(lines.Length / await Clock.TimeAsync(bed.SealAsync));
                sealedPage.AddRange(Pages(bed, deployment, times));
                bytes = (bed.UsedBytes() - empty) / (double)lines.Length;
            }

            var directory = Directory.CreateTempSubdirectory("deployer-baseline-");
            using (var rows = Baselines.OpenRows(directory.FullName))
            {
                Baselines.InsertRows(rows, 1, 1_700_000_000_000_000_000, lines);
                using var command = rows.CreateCommand();
                command.CommandText = "SELECT page_count * 4096 FROM pragma_page_count()";
                rowBytes = Convert.ToDouble(command.ExecuteScalar()) / lines.Length;
            }

            directory.Delete(recursive: true);
            table.Add($"sealing, {name}", Table.Lines(Table.Median(sealing)), "", "", "");
            table.Add(
                $"page of 500 from blocks, {name}", $"p50 {Table.Ms(Table.Median(sealedPage))}", $"from live runs {Table.Ms(Table.Median(livePage))}",
                $"{Table.Median(sealedPage) / Table.Median(livePage):F2}", "");
            table.Add(
                $"at rest, {name} ({lines.Average(line => line.Length):F0} characters a line), all indexes included", $"{bytes:F1} bytes/line",
                $"rows {rowBytes:F1} bytes/line", $"{bytes / rowBytes:F2}", Table.Met(bytes <= most * rowBytes, $"≤ {most}"));
        }
    }

    private static List<double> Pages(Bed bed, long deployment, Instant[] times)
    {
        var random = new Random(3);
        return [.. Enumerable.Range(0, 100).Select(_ =>
        {
            var after = times[random.Next(times.Length - Page - 1)];
            return 1_000 * Clock.Time(() => Expect(Page, bed.Store.GetLogsAfter(deployment, after, Page, default).Result!.Lines.Count));
        })];
    }

    private static async Task RunSearchAsync(Table table, LogBench.Size size, Bed bed, List<(long Id, int Lines)> deployments, double millions)
    {
        var rare = new LogQuery(RareWord, IsRegex: false, MatchCase: false);
        var common = new LogQuery("upstream", IsRegex: false, MatchCase: false);
        var (everywhere, one, counted, regex) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        await bed.Search.FindAcrossAsync(rare, apps: null, after: null, 50, 2, default); // so that no round measures the compiler
        await bed.Search.FindAsync(deployments[2].Id, common, 1, backwards: false, 50, 2, default);
        for (var round = 0; round < size.Rounds; round++)
        {
            everywhere.Add(await Clock.TimeAsync(async () => Expect(
                1, (await bed.Search.FindAcrossAsync(rare, apps: null, after: null, 50, 2, default)).Matches.Count)));
            one.Add(await Clock.TimeAsync(async () => Expect(
                1, (int)(await bed.Search.FindAsync(deployments[size.RareAt].Id, rare, 1, backwards: false, 50, 2, default))!.Total)));
            counted.Add(await Clock.TimeAsync(async () => Expect(
                50, (await bed.Search.FindAsync(deployments[2].Id, common, 1, backwards: false, 50, 2, default))!.Matches.Count)));
            regex.Add(await Clock.TimeAsync(async () => Expect(
                50, (await bed.Search.FindAsync(
                    deployments[2].Id, new LogQuery("upst[r]eam .*cache", IsRegex: true, MatchCase: false), 1, backwards: false, 50, 2, default))!.Matches.Count)));
        }

        var lines = $"{size.BulkLines:N0} lines";
        table.Add($"rare word across {millions} million sealed lines", Table.Ms(1_000 * Table.Median(everywhere)), "", "", Table.Met(Table.Median(everywhere) <= 0.3, "≤ 0.3 s"));
        table.Add($"rare word in a deployment of {lines}", Table.Ms(1_000 * Table.Median(one)), "", "", Table.Met(Table.Median(one) <= 0.3, "≤ 0.3 s"));
        table.Add($"frequent word counted in a deployment of {lines}", Table.Ms(1_000 * Table.Median(counted)), "", "", Table.Met(Table.Median(counted) <= 0.3, "≤ 0.3 s"));
        table.Add($"regular expression counted in a deployment of {lines}", Table.Ms(1_000 * Table.Median(regex)), "", "", "");
    }

    private static Instant At(long line) => InstantNanoseconds.FromUnixTimeNanoseconds(Bulk.TimeOf(line));

    internal static void Expect(int expected, int actual)
    {
        if (expected != actual)
        {
            throw new InvalidOperationException($"Expected {expected}, got {actual}: the figure would be of something else.");
        }
    }
}
