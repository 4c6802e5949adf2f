using Deployer.Core.Logs;

namespace Deployer.Core.Engine.Docker;

/// <summary>Remembers what each stream has written since its last line end.</summary>
internal sealed class LineEnds
{
    // The engine logs a long line in pieces of 16 KiB: the end of two is enough to tell the last one.
    private const int Kept = 32 * 1024;

    private readonly Dictionary<LogStream, byte[]> _unended = [];

    /// <summary>Whether nothing was written at all.</summary>
    public bool IsEmpty => _unended.Count == 0;

    /// <summary>Adds what was written next.</summary>
    public void Add(OutputChunk chunk)
    {
        var bytes = chunk.Bytes.Span;
        var end = bytes.LastIndexOf((byte)'\n');
        byte[] unended = end >= 0 ? [.. bytes[(end + 1)..]] : [.. Unended(chunk.Stream).Span, .. bytes];
        _unended[chunk.Stream] = unended.Length <= Kept ? unended : unended[^Kept..];
    }

    /// <summary>The end of the stream's last line, as long as that has no end.</summary>
    public ReadOnlyMemory<byte> Unended(LogStream stream) => _unended.GetValueOrDefault(stream, []);
}
