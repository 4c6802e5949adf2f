using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Deployer.Core.Data;
using NodaTime;

namespace Deployer.Core.Logs;

/// <summary>
/// Looks for a query in runs: text first, and only where it occurs at the lines themselves. For one search in one thread.
/// </summary>
internal sealed class LogScan(LogQuery query, LogScanLimit limit)
{
    private readonly LogMatcher _matcher = LogMatcher.Create(query, limit);
    private readonly List<LogLine> _lines = [];
    private readonly long _since = ToBound(query.Since, long.MinValue);
    private readonly long _until = ToBound(query.Until, long.MaxValue);

    /// <summary>Whether the time was up before all was seen, or a line took too long by itself and was passed over.</summary>
    public bool TimedOut => limit.IsUp || _matcher.PassedOver;

    /// <summary>Number of the line up to which the range of the last run was searched.</summary>
    public long Reached { get; private set; }

    /// <summary>Texts that every match holds.</summary>
    public IReadOnlyList<string> Literals => _matcher.Literals;

    /// <summary>Nanoseconds since the Unix epoch from which on lines count.</summary>
    public long Since => _since;

    /// <summary>Nanoseconds since the Unix epoch from which on lines count no more.</summary>
    public long Until => _until;

    /// <summary>Looks through the lines of a range.</summary>
    /// <param name="connection">Where to read.</param>
    /// <param name="deploymentId">The deployment.</param>
    /// <param name="range">Numbers of the first and the last line.</param>
    /// <param name="wanted">Told the number of each matching line; asks for the line itself, or not.</param>
    /// <param name="found">Given the lines asked for. False when enough was found.</param>
    /// <returns>Whether to go on with further ranges.</returns>
    public bool Run(
        LogReadConnection connection, long deploymentId, LineRange range, Func<long, bool> wanted, Func<LogLine, bool> found)
    {
        var goOn = true;
        Reached = range.First - 1;
        connection.Scan(deploymentId, range.First, range.Last, (in header, payload) =>
        {
            goOn = limit.HasTime()
                && (header.LastTime < _since || header.FirstTime >= _until || Look(header, payload, range, wanted, found));
            if (goOn)
            {
                Reached = header.FirstLine + header.LineCount - 1;
                limit.Looked();
            }

            return goOn;
        });
        return goOn;
    }

    private bool Look(
        in RunHeader header, ReadOnlySpan<byte> payload, LineRange range, Func<long, bool> wanted, Func<LogLine, bool> found)
    {
        using var plain = new RunCodec.PlainPayload(header, payload);
        var cursor = new RunCodec.RunCursor(header, plain.Span);
        var characters = ArrayPool<char>.Shared.Rent(cursor.Text.Length);
        try
        {
            var text = WithoutStyles(characters.AsSpan(0, Encoding.UTF8.GetChars(cursor.Text, characters)));
            _lines.Clear();

            // A range can begin within a run; the lines before it would take of the time.
            var index = (int)Math.Clamp(range.First - header.FirstLine, 0, header.LineCount);
            var position = StartOf(text, index);
            var counted = position;
            while (_matcher.Find(text, ref position))
            {
                index += text[counted..position].Count('\n');
                if (!Report(header, cursor, index, range, wanted, found))
                {
                    return false;
                }

                position += text[position..].IndexOf('\n') + 1;
                counted = position;
                index++;
            }

            if (position < text.Length)
            {
                Reached = header.FirstLine + index + text[counted..position].Count('\n') - 1;
            }

            return position == text.Length;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(characters);
        }
    }

    private bool Report(
        in RunHeader header, in RunCodec.RunCursor cursor, int index, LineRange range, Func<long, bool> wanted,
        Func<LogLine, bool> found)
    {
        var number = header.FirstLine + index;
        if (number > range.Last)
        {
            return true;
        }

        var filtered = query.Stream is not null || query.Step is not null || header.FirstTime < _since || header.LastTime >= _until;
        if (filtered && !Passes(LineAt(header, cursor, index)))
        {
            return true;
        }

        return !wanted(number) || found(LineAt(header, cursor, index));
    }

    private bool Passes(LogLine line) =>
        (query.Stream is null || line.Stream == query.Stream)
        && (query.Step is null || line.Step == query.Step)
        && line.Time.ToUnixTimeNanoseconds() >= _since
        && line.Time.ToUnixTimeNanoseconds() < _until;

    private LogLine LineAt(in RunHeader header, in RunCodec.RunCursor cursor, int index)
    {
        if (_lines.Count == 0)
        {
            cursor.Read(0, header.LineCount, _lines);
        }

        return _lines[index];
    }

    private static int StartOf(ReadOnlySpan<char> text, int index)
    {
        var start = 0;
        for (var line = 0; line < index; line++)
        {
            start += text[start..].IndexOf('\n') + 1;
        }

        return start;
    }

    /// <summary>Takes SGR sequences out, in place: what is looked for is what is seen.</summary>
    private static Span<char> WithoutStyles(Span<char> text)
    {
        var kept = text.IndexOf('\e');
        if (kept < 0)
        {
            return text;
        }

        for (var position = kept; position < text.Length;)
        {
            position += text[position..].IndexOf('m') + 1;
            var next = text[position..].IndexOf('\e');
            var length = next < 0 ? text.Length - position : next;
            text.Slice(position, length).CopyTo(text[kept..]);
            kept += length;
            position += length;
        }

        return text[..kept];
    }

    private static long ToBound(Instant? instant, long otherwise) => instant is { } given
        ? given < InstantNanoseconds.FromUnixTimeNanoseconds(long.MinValue) ? long.MinValue
            : given > InstantNanoseconds.FromUnixTimeNanoseconds(long.MaxValue) ? long.MaxValue
            : given.ToUnixTimeNanoseconds()
        : otherwise;
}

/// <summary>Numbers of the first and the last line of a piece of log.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LineRange(long First, long Last);
