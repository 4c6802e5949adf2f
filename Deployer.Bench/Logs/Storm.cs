using System.Globalization;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;

namespace Deployer.Bench.Logs;

/// <summary>
/// Writes without end until it is killed: several producers on several deployments. Prints <c>deployment producer
/// number</c> for every line whose append was acknowledged, so that whoever kills it can compare.
/// </summary>
internal static class Storm
{
    private const int Deployments = 3;
    private const int ProducersEach = 3;

    public static async Task<int> RunAsync(string directory)
    {
        await using var bed = new Bed(directory, ownsDirectory: false);
        var deployments = Enumerable.Range(0, Deployments).Select(_ => bed.AddDeployment()).ToList();
        var output = TextWriter.Synchronized(Console.Out);
        await Task.WhenAll(deployments.SelectMany(deployment => Enumerable.Range(0, ProducersEach).Select(
            producer => Task.Run(() => ProduceAsync(bed.Store, deployment, producer, output)))));
        return 0;
    }

    private static async Task ProduceAsync(LogStore store, long deployment, int producer, TextWriter output)
    {
        await using var appender = store.Open(deployment, []);
        var random = new Random(producer);
        for (var number = 1; ; number++)
        {
            await appender.AppendAsync(
                LogStream.Stdout, StepKind.Start, string.Create(CultureInfo.InvariantCulture, $"{producer} {number}"), CancellationToken.None);
            if (random.Next(20) == 0)
            {
                await appender.FlushAsync(CancellationToken.None);
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{deployment} {producer} {number}"));
                await output.FlushAsync();
            }
        }
    }
}
