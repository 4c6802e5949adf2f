using System.Diagnostics;
using System.Globalization;
using Deployer.Core.Logs;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Tests.Logs;

/// <summary>I3: a process that writes is killed in the middle of a storm; what it had acknowledged must be there.</summary>
public sealed class LogCrashTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Kill_InTheMiddleOfAStorm_EveryAcknowledgedLineIsThere()
    {
        for (var round = 0; round < 4; round++)
        {
            await using var bed = new LogTestBed();
            var acknowledged = await StormAsync(bed.Directory, lines: 20 + (round * 60));

            var store = bed.OpenStore();
            await using var db = bed.CreateDbContext();
            foreach (var deployment in await db.Deployments.Select(row => row.Id).ToListAsync(Cancel))
            {
                var oracle = new LogOracle();
                await foreach (var page in store.ReadAllAsync(deployment, 333, Cancel))
                {
                    oracle.See(page);
                }

                var byProducer = oracle.Lines.Select(line => line.Text.Split(' ')).ToLookup(
                    parts => int.Parse(parts[0], CultureInfo.InvariantCulture), parts => long.Parse(parts[1], CultureInfo.InvariantCulture));
                foreach (var producer in acknowledged.Where(entry => entry.Key.Deployment == deployment))
                {
                    // In order, without gap, and at least as far as was acknowledged.
                    var numbers = byProducer[producer.Key.Producer].ToList();
                    Assert.Equal(Enumerable.Range(1, numbers.Count).Select(number => (long)number), numbers);
                    Assert.True(numbers.Count >= producer.Value, $"{producer.Value} lines were acknowledged, {numbers.Count} are there.");
                }

                // The log goes on where the dead process left it.
                await store.AppendLog(deployment, LogStream.System, Core.Deployments.StepKind.Prepare, "0 0", Cancel);
                Assert.Equal(oracle.Lines.Count + 1, (await store.GetExtent(deployment, Cancel))!.Lines);
            }

            Assert.NotEmpty(acknowledged);
        }
    }

    /// <summary>Starts the storm, kills it after so many acknowledgements, and gives the last of each producer.</summary>
    private static async Task<Dictionary<(long Deployment, int Producer), long>> StormAsync(string directory, int lines)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, UseShellExecute = false };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Deployer.Bench.dll"));
        start.ArgumentList.Add("logs-storm");
        start.ArgumentList.Add(directory);
        using var storm = Process.Start(start)!;
        var acknowledged = new Dictionary<(long, int), long>();
        var count = 0;
        while (await storm.StandardOutput.ReadLineAsync(Cancel) is { } line)
        {
            if (line.Split(' ') is [var deployment, var producer, var number])
            {
                acknowledged[(long.Parse(deployment, CultureInfo.InvariantCulture), int.Parse(producer, CultureInfo.InvariantCulture))] =
                    long.Parse(number, CultureInfo.InvariantCulture);
            }

            if (++count == lines)
            {
                // SIGKILL on Unix: nothing of the process runs any more.
                storm.Kill();
            }
        }

        await storm.WaitForExitAsync(Cancel);
        return acknowledged;
    }
}
