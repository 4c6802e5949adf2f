using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ZstdSharp;

namespace Deployer.Core.Logs;

/// <summary>
/// Seals the logs of ended deployments: their runs become compressed ones of about 500 lines and enter the full-text
/// index. Each piece is replaced in one transaction of the writer, so a reader meets either the old runs or the new ones,
/// and a crash leaves a log that is partly sealed and wholly there; the next start goes on with it.
/// </summary>
internal sealed partial class LogSealer(
    LogStore store, IDbContextFactory<DeployerDb> databases, DeploymentFeed feed, TimeProvider time, ILogger<LogSealer> logger)
    : BackgroundService
{
    private const int ChapterLines = 4_000;
    private const int ChapterBytes = 1024 * 1024;
    private const int ChapterRuns = 1_000;

    // The level of the best size for the time; higher ones save a few per cent (docs/performance.md).
    private const int ZstdLevel = 3;

    /// <summary>Pages of the full-text index that are merged in one step: one to three milliseconds.</summary>
    public const int MergePages = 2;

    private static readonly TimeSpan Floor = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Compressor _compressor = new(ZstdLevel);
    private readonly LogGrams _grams = new();
    private readonly ArrayBufferWriter<byte> _payload = new(RunCodec.MaxTextBytes);

    /// <summary>Seals every ended log that is not sealed yet.</summary>
    public async Task SealEndedAsync(CancellationToken cancellationToken)
    {
        List<long> ended;
        await using (var db = await databases.CreateDbContextAsync(cancellationToken))
        {
            ended = await db.Deployments
                .Where(deployment => deployment.Status >= DeploymentStatus.Succeeded && deployment.LogRemovedAt == null
                    && db.Set<LogRun>().Any(run => run.DeploymentId == deployment.Id && !run.Sealed))
                .OrderBy(deployment => deployment.Id)
                .Select(deployment => deployment.Id)
                .ToListAsync(cancellationToken);
        }

        foreach (var deploymentId in ended)
        {
            var chapters = 0;
            while (await SealNextAsync(deploymentId, cancellationToken))
            {
                chapters++;
                await LogSlices.RunAsync(store.Writer, static connection => connection.MergeIndex(MergePages), LogSlices.Budget, cancellationToken);
            }

            LogSealed(deploymentId, chapters);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _compressor.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var bell = feed.WatchAll();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await SealEndedAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }

            try
            {
                await bell.WaitAsync(Floor, time, stoppingToken);
                await Task.Delay(Pause, time, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Seals the first piece of a log that is not sealed yet. False when there is none.</summary>
    private async Task<bool> SealNextAsync(long deploymentId, CancellationToken cancellationToken)
    {
        var (lines, runs) = await ReadUnsealedAsync(deploymentId, cancellationToken);
        if (runs == 0)
        {
            return false;
        }

        var sealedRuns = Compress(lines);
        var document = _grams.TakeDocument();
        return await store.Writer.InvokeAsync(
            connection => Replace(connection.Db, connection, deploymentId, lines, runs, sealedRuns, document), cancellationToken);
    }

    private async Task<(List<LogLine> Lines, int Runs)> ReadUnsealedAsync(long deploymentId, CancellationToken cancellationToken)
    {
        var lines = new List<LogLine>();
        var runs = 0;
        var bytes = 0;
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var unsealed = db.Set<LogRun>().AsNoTracking()
            .Where(run => run.DeploymentId == deploymentId && !run.Sealed)
            .OrderBy(run => run.FirstLine)
            .Take(ChapterRuns)
            .AsAsyncEnumerable();
        await foreach (var run in unsealed.WithCancellation(cancellationToken))
        {
            if (runs > 0 && (lines.Count + run.LineCount > ChapterLines || bytes + run.RawBytes > ChapterBytes
                || run.FirstLine != lines[^1].Line + 1))
            {
                break;
            }

            var header = new RunHeader(
                run.FirstLine, run.LineCount, run.FirstTime, run.LastTime, run.Compression, run.RawBytes);
            RunCodec.DecodeFrom(header, run.Payload, run.FirstLine, run.LineCount, lines);
            bytes += run.RawBytes;
            runs++;
        }

        return (lines, runs);
    }

    /// <summary>Makes runs of equal length, at most <see cref="RunCodec.MaxLines"/> lines each.</summary>
    private List<SealedRun> Compress(List<LogLine> lines)
    {
        var result = new List<SealedRun>();
        var pieces = (lines.Count + RunCodec.MaxLines - 1) / RunCodec.MaxLines;
        var all = lines.Select(line => new RunLine(line.Time.ToUnixTimeNanoseconds(), line.Stream, line.Step, line.Text)).ToArray();
        for (var piece = 0; piece < pieces; piece++)
        {
            var end = (int)((long)all.Length * (piece + 1) / pieces);
            var position = (int)((long)all.Length * piece / pieces);
            while (position < end)
            {
                var count = 0;
                var bytes = 0;
                while (position + count < end && bytes < RunCodec.MaxTextBytes)
                {
                    bytes += Encoding.UTF8.GetByteCount(all[position + count++].Text);
                }

                result.Add(Compress(lines[position].Line, all.AsSpan(position, count)));
                position += count;
            }
        }

        return result;
    }

    private SealedRun Compress(long firstLine, ReadOnlySpan<RunLine> lines)
    {
        _payload.ResetWrittenCount();
        RunCodec.Encode(lines, _payload);
        var raw = _payload.WrittenSpan;
        var plain = new RunHeader(firstLine, lines.Length, lines[0].Time, lines[^1].Time, RunCompression.None, raw.Length);
        _grams.Add(new RunCodec.RunCursor(plain, raw).Text);
        var compressed = _compressor.Wrap(raw);
        return compressed.Length < raw.Length
            ? new SealedRun(plain with { Compression = RunCompression.Zstd }, compressed.ToArray())
            : new SealedRun(plain, raw.ToArray());
    }

    /// <summary>Puts the sealed runs in place of the others, in the writer's transaction.</summary>
    private static bool Replace(
        DeployerDb db, LogWriterConnection connection, long deploymentId, List<LogLine> lines, int runs,
        List<SealedRun> sealedRuns, string document)
    {
        var (first, last) = (lines[0].Line, lines[^1].Line);
        var removed = db.Set<LogRun>()
            .Where(run => run.DeploymentId == deploymentId && run.FirstLine >= first && run.FirstLine <= last && !run.Sealed)
            .ExecuteDelete();
        if (removed != runs)
        {
            // Somebody else sealed or removed it meanwhile. The transaction is given up; the next pass looks anew.
            throw new InvalidOperationException($"The log of deployment {deploymentId} changed while it was sealed.");
        }

        foreach (var run in sealedRuns)
        {
            connection.Insert(deploymentId, run.Header, isSealed: true, run.Payload);
        }

        connection.AddChapter(
            deploymentId, first, lines.Count, lines[0].Time.ToUnixTimeNanoseconds(), lines[^1].Time.ToUnixTimeNanoseconds(), document);
        connection.AddTotals(
            deploymentId, lines.Count, sealedRuns.Sum(run => (long)run.Header.RawBytes), sealedRuns.Sum(run => (long)run.Payload.Length));
        return true;
    }

    [LoggerMessage(LogLevel.Debug, "Sealed the log of deployment {DeploymentId} in {Chapters} pieces")]
    private partial void LogSealed(long deploymentId, int chapters);

    [LoggerMessage(LogLevel.Error, "Sealing logs failed; they stay readable, and the next pass tries again")]
    private partial void LogFailed(Exception exception);

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct SealedRun(RunHeader Header, byte[] Payload);
}
