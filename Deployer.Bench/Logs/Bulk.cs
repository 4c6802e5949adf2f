using System.Buffers;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using ZstdSharp;

namespace Deployer.Bench.Logs;

/// <summary>
/// Fills a database with sealed logs quickly: pieces of 4,000 lines are compressed and indexed once and stored many times
/// over, as sealing would store them. The rows and index entries are real; only the texts repeat.
/// </summary>
internal sealed class Bulk
{
    public const int ChapterLines = 4_000;
    private const int Templates = 30;
    private const long Start = 1_700_000_000_000_000_000;

    private readonly List<Template> _templates = [.. Enumerable.Range(0, Templates).Select(Make)];

    /// <summary>Adds a deployment with a sealed log. A line of the chapter given holds the word given.</summary>
    public async Task<long> AddAsync(Bed bed, int lines, int chapterWithWord, string word)
    {
        var deployment = bed.AddDeployment();
        bed.End(deployment);
        var chapters = lines / ChapterLines;
        for (var chapter = 0; chapter < chapters; chapter++)
        {
            var number = chapter;
            var template = number == chapterWithWord ? Make(number, word) : _templates[(int)((deployment + number) % Templates)];
            await bed.Store.Writer.InvokeAsync(connection => Add(connection, deployment, number, template), CancellationToken.None);
        }

        return deployment;
    }

    /// <summary>Time of a line, as all of these logs have it.</summary>
    public static long TimeOf(long line) => Start + (line * 1_000);

    private static bool Add(LogWriterConnection connection, long deployment, int chapter, Template template)
    {
        var first = ((long)chapter * ChapterLines) + 1;
        foreach (var (header, payload) in template.Runs)
        {
            connection.Insert(
                deployment,
                header with
                {
                    FirstLine = header.FirstLine + first - 1,
                    FirstTime = header.FirstTime + ((first - 1) * 1_000),
                    LastTime = header.LastTime + ((first - 1) * 1_000),
                },
                isSealed: true, payload);
        }

        connection.AddChapter(deployment, first, ChapterLines, TimeOf(first), TimeOf(first + ChapterLines - 1), template.Document);
        connection.AddTotals(
            deployment, ChapterLines, template.Runs.Sum(run => (long)run.Header.RawBytes), template.Runs.Sum(run => (long)run.Payload.Length));
        while (connection.MergeIndex(pages: 1_000))
        {
        }

        return true;
    }

    private static Template Make(int number) => Make(number, word: null);

    private static Template Make(int number, string? word)
    {
        using var compressor = new Compressor(3);
        var grams = new LogGrams();
        var source = number % 2 == 0 ? Corpus.Synthetic : Corpus.Build;
        var texts = Enumerable.Range(0, ChapterLines).Select(index => source[((number * ChapterLines) + index) % source.Length]).ToArray();
        if (word is not null)
        {
            texts[ChapterLines / 2] = $"something with a {word} in it";
        }

        var runs = new List<(RunHeader, byte[])>();
        var buffer = new ArrayBufferWriter<byte>();
        for (var first = 1; first <= ChapterLines; first += RunCodec.MaxLines)
        {
            var from = first;
            RunLine[] lines = [.. Enumerable.Range(from, RunCodec.MaxLines)
                .Select(line => new RunLine(TimeOf(line), LogStream.Stdout, StepKind.Start, texts[line - 1]))];
            buffer.ResetWrittenCount();
            RunCodec.Encode(lines, buffer);
            var plain = new RunHeader(from, lines.Length, lines[0].Time, lines[^1].Time, RunCompression.None, buffer.WrittenCount);
            grams.Add(new RunCodec.RunCursor(plain, buffer.WrittenSpan).Text);
            runs.Add((plain with { Compression = RunCompression.Zstd }, compressor.Wrap(buffer.WrittenSpan).ToArray()));
        }

        return new Template(runs, grams.TakeDocument());
    }

    private sealed record Template(List<(RunHeader Header, byte[] Payload)> Runs, string Document);
}
