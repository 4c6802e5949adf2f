using System.IO.Compression;
using System.Text;

namespace Deployer.Bench.Logs;

/// <summary>Log text: real output of a compiler, a package manager and image pulls, and lines made up like a service's.</summary>
internal static class Corpus
{
    private static readonly Lazy<string[]> LazyBuild = new(ReadBuild);
    private static readonly Lazy<string[]> LazySynthetic = new(() => [.. Make(200_000)]);
    private static readonly Lazy<string[]> LazyMixed = new(() => [.. Build.Zip(Synthetic).SelectMany(pair => new[] { pair.First, pair.Second })]);

    private static readonly string[] Words =
        ("starting request handler finished compiling module linking target cache miss hit for user session refresh worker queue "
            + "drained connection opened closed retry timeout waiting upstream response status bytes written read error warning info debug")
        .Split(' ');

    /// <summary>Real build logs, about 30,000 lines.</summary>
    public static string[] Build => LazyBuild.Value;

    /// <summary>Lines of 100 to 110 characters with times, words and ids; the same every time.</summary>
    public static string[] Synthetic => LazySynthetic.Value;

    /// <summary>What the append rows write: half of each.</summary>
    public static string[] Mixed => LazyMixed.Value;

    /// <summary>The same mixture without holding it: for a process whose memory is measured.</summary>
    public static IEnumerable<string> Stream(int count) =>
        Make(count).Select((line, index) => index % 2 == 0 ? line : Build[index % Build.Length]);

    private static string[] ReadBuild()
    {
        using var resource = typeof(Corpus).Assembly.GetManifestResourceStream("build.log.gz")!;
        using var text = new StreamReader(new GZipStream(resource, CompressionMode.Decompress), Encoding.UTF8);
        return text.ReadToEnd().Split('\n');
    }

    private static IEnumerable<string> Make(int count)
    {
        var random = new Random(1);
        var line = new StringBuilder();
        for (var index = 0; index < count; index++)
        {
            line.Clear().Append($"2026-01-{(index % 28) + 1:00}T{index % 24:00}:{index % 60:00}:{random.Next(60):00}.{random.Next(1_000_000):000000}Z ");
            while (line.Length < 100)
            {
                line.Append(random.Next(4) == 0 ? random.Next(1 << 30).ToString("x8") : Words[random.Next(Words.Length)]).Append(' ');
            }

            yield return line.ToString();
        }
    }
}
