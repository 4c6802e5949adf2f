using System.Text;

namespace Deployer.Core.Logs;

/// <summary>
/// What the full-text index holds: which sequences of three bytes (ASCII letters in lower case) occur in a piece of log.
/// That finds any part of a word, not only whole words, and grows slower than a list of words in text full of ids
/// (docs/performance.md has the sizes). Each is written as one word of five characters, so that FTS5 needs no positions and no tokenizer of
/// ours.
/// </summary>
internal sealed class LogGrams
{
    private const int Length = 3;
    private const string Digits = "abcdefghijklmnopqrstuvwxyz0123456789";

    private readonly ulong[] _seen = new ulong[(1 << 24) / 64];
    private readonly List<int> _grams = [];

    /// <summary>Adds what occurs in lines of UTF-8, each ended by LF. SGR sequences do not count.</summary>
    public void Add(ReadOnlySpan<byte> lines)
    {
        var gram = 0;
        var length = 0;
        for (var index = 0; index < lines.Length; index++)
        {
            var next = lines[index];
            if (next == '\n')
            {
                length = 0;
                continue;
            }

            if (next == '\e')
            {
                index += lines[index..].IndexOf((byte)'m');
                continue;
            }

            gram = ((gram << 8) | Fold(next)) & 0xffffff;
            if (++length >= Length)
            {
                ref var word = ref _seen[gram >> 6];
                var bit = 1UL << (gram & 63);
                if ((word & bit) == 0)
                {
                    word |= bit;
                    _grams.Add(gram);
                }
            }
        }
    }

    /// <summary>The document for the index, of all that was added since the last call.</summary>
    public string TakeDocument()
    {
        var document = new StringBuilder(_grams.Count * 6);
        foreach (var gram in _grams)
        {
            Append(gram, document);
            document.Append(' ');
            _seen[gram >> 6] = 0;
        }

        _grams.Clear();
        return document.ToString();
    }

    /// <summary>
    /// An FTS5 query that every piece with all these texts matches, whatever their case; <see langword="null"/> when the
    /// texts are too short to tell.
    /// </summary>
    public static string? ToQuery(IEnumerable<string> texts)
    {
        var query = new StringBuilder();
        var grams = new HashSet<int>();
        foreach (var text in texts)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            for (var start = 0; start + Length <= bytes.Length; start++)
            {
                // Folding knows ASCII alone; other letters may differ in case.
                var span = bytes.AsSpan(start, Length);
                var gram = (Fold(span[0]) << 16) | (Fold(span[1]) << 8) | Fold(span[2]);
                if (Ascii.IsValid(span) && grams.Add(gram))
                {
                    query.Append(query.Length > 0 ? " AND " : "");
                    Append(gram, query);
                }
            }
        }

        return query.Length > 0 ? query.ToString() : null;
    }

    private static byte Fold(byte value) => value is >= (byte)'A' and <= (byte)'Z' ? (byte)(value | 0x20) : value;

    private static void Append(int gram, StringBuilder target)
    {
        for (var digit = 0; digit < 5; digit++)
        {
            target.Append(Digits[gram % Digits.Length]);
            gram /= Digits.Length;
        }
    }
}
