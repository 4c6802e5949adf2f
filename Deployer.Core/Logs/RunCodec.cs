using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using NodaTime;
using ZstdSharp;

namespace Deployer.Core.Logs;

/// <summary>
/// The payload of a <see cref="LogRun"/>. Columns lie together because that compresses better and lets a search run over
/// the text alone:
/// <code>
/// byte     format, 1
/// varint × (lines − 1)              nanoseconds since the line before; the first line's time is in the row
/// (varint count, byte tag) …        runs of equal tags until all lines have one; tag = step &lt;&lt; 2 | stream
/// UTF-8    the lines, each ended by LF (a line never holds one)
/// </code>
/// Varints are LEB128: seven bits a byte, low bits first, the high bit says that more follow.
/// </summary>
internal static class RunCodec
{
    /// <summary>A run has at most this many lines, so that a page never decodes much more than it returns.</summary>
    public const int MaxLines = 500;

    /// <summary>A run is closed when its text reaches this size; one line more never makes it larger than 160 KiB.</summary>
    public const int MaxTextBytes = 128 * 1024;

    private const byte Format = 1;
    private const byte LineFeed = (byte)'\n';

    /// <summary>Encodes lines without compression. Times must strictly increase.</summary>
    public static void Encode(ReadOnlySpan<RunLine> lines, ArrayBufferWriter<byte> output)
    {
        output.GetSpan(1)[0] = Format;
        output.Advance(1);
        for (var index = 1; index < lines.Length; index++)
        {
            WriteVarint(output, (ulong)(lines[index].Time - lines[index - 1].Time));
        }

        for (var start = 0; start < lines.Length;)
        {
            var tag = Tag(lines[start]);
            var end = start + 1;
            while (end < lines.Length && Tag(lines[end]) == tag)
            {
                end++;
            }

            WriteVarint(output, (ulong)(end - start));
            output.GetSpan(1)[0] = tag;
            output.Advance(1);
            start = end;
        }

        foreach (ref readonly var line in lines)
        {
            var target = output.GetSpan(Encoding.UTF8.GetMaxByteCount(line.Text.Length) + 1);
            var length = Encoding.UTF8.GetBytes(line.Text, target);
            target[length] = LineFeed;
            output.Advance(length + 1);
        }
    }

    /// <summary>Adds the lines whose time is greater than a bound to a list, at most <paramref name="take"/>.</summary>
    /// <returns>Whether the run's last line was reached.</returns>
    /// <exception cref="InvalidDataException">The payload is not of a known format, or damaged.</exception>
    public static bool DecodeAfter(in RunHeader header, ReadOnlySpan<byte> payload, long after, int take, List<LogLine> lines)
    {
        using var plain = new PlainPayload(header, payload);
        var cursor = new RunCursor(header, plain.Span);
        var skip = after < header.FirstTime ? 0 : cursor.CountUpTo(after);
        cursor.Read(skip, take, lines);
        return (long)skip + take >= header.LineCount;
    }

    /// <summary>Adds the lines from a number on to a list, at most <paramref name="take"/>.</summary>
    /// <returns>Whether the run's last line was reached.</returns>
    /// <exception cref="InvalidDataException">The payload is not of a known format, or damaged.</exception>
    public static bool DecodeFrom(in RunHeader header, ReadOnlySpan<byte> payload, long fromLine, int take, List<LogLine> lines)
    {
        var skip = (int)Math.Clamp(fromLine - header.FirstLine, 0, header.LineCount);
        using var plain = new PlainPayload(header, payload);
        new RunCursor(header, plain.Span).Read(skip, take, lines);
        return (long)skip + take >= header.LineCount;
    }

    private static byte Tag(in RunLine line) => (byte)(((int)line.Step << 2) | (int)line.Stream);

    private static void WriteVarint(ArrayBufferWriter<byte> output, ulong value)
    {
        var target = output.GetSpan(10);
        var length = 0;
        while (value >= 0x80)
        {
            target[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        target[length++] = (byte)value;
        output.Advance(length);
    }

    /// <summary>A payload without its compression; in a rented buffer, so dispose it.</summary>
    internal readonly ref struct PlainPayload
    {
        [ThreadStatic]
        private static Decompressor? _decompressor;

        private readonly byte[]? _rented;

        public PlainPayload(in RunHeader header, ReadOnlySpan<byte> payload)
        {
            if (header.Compression is RunCompression.None)
            {
                Span = payload;
                return;
            }

            _decompressor ??= new Decompressor();
            _rented = ArrayPool<byte>.Shared.Rent(header.RawBytes);
            var length = _decompressor.Unwrap(payload, _rented);
            if (length != header.RawBytes)
            {
                throw new InvalidDataException(
                    $"A log run of line {header.FirstLine} on has {length} bytes instead of {header.RawBytes}.");
            }

            Span = _rented.AsSpan(0, length);
        }

        public ReadOnlySpan<byte> Span { get; }

        public void Dispose()
        {
            if (_rented is not null)
            {
                ArrayPool<byte>.Shared.Return(_rented);
            }
        }
    }

    /// <summary>Walks over an uncompressed payload.</summary>
    internal ref struct RunCursor
    {
        private readonly RunHeader _header;
        private readonly ReadOnlySpan<byte> _payload;
        private readonly int _tags;

        public RunCursor(in RunHeader header, ReadOnlySpan<byte> payload)
        {
            _header = header;
            _payload = payload;
            if (payload.IsEmpty || payload[0] != Format)
            {
                throw new InvalidDataException($"A log run of line {header.FirstLine} on has an unknown format.");
            }

            var position = 1;
            for (var index = 1; index < header.LineCount; index++)
            {
                while (payload[position++] >= 0x80)
                {
                }
            }

            _tags = position;
            for (var seen = 0UL; seen < (ulong)header.LineCount;)
            {
                seen += ReadVarint(payload, ref position);
                position++;
            }

            TextStart = position;
        }

        /// <summary>Where the text begins in the payload.</summary>
        public int TextStart { get; }

        /// <summary>The lines, each ended by LF.</summary>
        public readonly ReadOnlySpan<byte> Text => _payload[TextStart..];

        public readonly void Read(int skip, int take, List<LogLine> lines)
        {
            var end = Math.Min(_header.LineCount, (long)skip + take);
            var time = _header.FirstTime;
            var timePosition = 1;
            var tagPosition = _tags;
            var tagLeft = 0UL;
            byte tag = 0;
            var text = Text;
            for (var index = 0; index < end; index++)
            {
                if (index > 0)
                {
                    time += (long)ReadVarint(_payload, ref timePosition);
                }

                if (tagLeft-- == 0)
                {
                    tagLeft = ReadVarint(_payload, ref tagPosition) - 1;
                    tag = _payload[tagPosition++];
                }

                var length = text.IndexOf(LineFeed);
                if (index >= skip)
                {
                    lines.Add(new LogLine(
                        _header.FirstLine + index, InstantNanoseconds.FromUnixTimeNanoseconds(time),
                        (LogStream)(tag & 3), (StepKind)(tag >> 2), Encoding.UTF8.GetString(text[..length])));
                }

                text = text[(length + 1)..];
            }
        }

        /// <summary>How many lines have a time up to and including one.</summary>
        public readonly int CountUpTo(long time)
        {
            var at = _header.FirstTime;
            var position = 1;
            var count = 0;
            while (at <= time && ++count < _header.LineCount)
            {
                at += (long)ReadVarint(_payload, ref position);
            }

            return count;
        }

        private static ulong ReadVarint(ReadOnlySpan<byte> payload, ref int position)
        {
            var value = 0UL;
            for (var shift = 0; ; shift += 7)
            {
                var next = payload[position++];
                value |= (ulong)(next & 0x7f) << shift;
                if (next < 0x80)
                {
                    return value;
                }
            }
        }
    }
}

/// <summary>A line on its way into a run.</summary>
/// <param name="Time">Nanoseconds since the Unix epoch.</param>
/// <param name="Stream">Where it came from.</param>
/// <param name="Step">The step it belongs to.</param>
/// <param name="Text">As the gate gave it.</param>
internal readonly record struct RunLine(long Time, LogStream Stream, StepKind Step, string Text);

/// <summary>What a run's row says about its payload.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct RunHeader(
    long FirstLine, int LineCount, long FirstTime, long LastTime, RunCompression Compression, int RawBytes);
