using System.Buffers;
using System.Text;

namespace Deployer.Core.Logs;

/// <summary>
/// The one gate for log text, one for each stream of a producer. Takes text as it comes, in pieces of any size, and
/// gives lines as they are stored: split at line ends; overwritten by <c>\r</c> and <c>\b</c> as on a terminal; tabs as
/// spaces; other control characters made visible; ANSI SGR sequences kept, other escape sequences left out; secrets
/// masked; at most <see cref="MaxLineBytes"/> long.
/// </summary>
internal sealed class LogGate(IReadOnlyList<Redactor> redactors)
{
    /// <summary>Longest line in bytes of UTF-8, the mark of a cut included.</summary>
    public const int MaxLineBytes = 16 * 1024;

    private const int TabWidth = 8;
    private const int LongestSequence = 64;
    private const int LongestString = 4096;

    private static readonly SearchValues<char> Special = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Concat(Enumerable.Range(0x7f, 0x21)).Select(code => (char)code)]);

    private readonly int _maxChars = MaxLineBytes + redactors.Select(redactor => redactor.Longest).DefaultIfEmpty(0).Max();
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _sequence = new();
    private readonly SecretMask _mask = new(redactors);
    private Decoder? _decoder;
    private State _state;
    private TerminalLine? _terminal;
    private string _carried = "";
    private long _lostBytes;
    private int _lengthOfString;
    private int _column;
    private bool _styled;
    private bool _begun;
    private bool _brokenByFlush;

    private enum State
    {
        Ground,
        CarriageReturn,
        Escape,
        EscapeIntermediate,
        ControlSequence,
        ControlString,
        ControlStringEscape,
    }

    /// <summary>Whether a line has begun that has not ended.</summary>
    public bool HasPartialLine => _begun;

    /// <summary>Takes bytes of UTF-8 as they came; adds the lines that end in them.</summary>
    public void Take(ReadOnlySpan<byte> bytes, List<string> lines)
    {
        _decoder ??= Encoding.UTF8.GetDecoder();
        var buffer = ArrayPool<char>.Shared.Rent(_decoder.GetCharCount(bytes, flush: false));
        try
        {
            Take(buffer.AsSpan(0, _decoder.GetChars(bytes, buffer, flush: false)), lines);
        }
        finally
        {
            ArrayPool<char>.Shared.Return(buffer);
        }
    }

    /// <summary>Takes text; adds the lines that end in it.</summary>
    public void Take(ReadOnlySpan<char> text, List<string> lines)
    {
        while (!text.IsEmpty)
        {
            if (_state is State.Ground)
            {
                var plain = text.IndexOfAny(Special);
                if (plain != 0)
                {
                    var length = plain < 0 ? text.Length : plain;
                    if (length < text.Length && text[length] == '\n' && !_begun && _carried.Length == 0 && length <= MaxLineBytes / 3)
                    {
                        // The common case: a whole short line without anything special in it.
                        lines.Add(_mask.Apply(text[..length]));
                        _brokenByFlush = false;
                        text = text[(length + 1)..];
                        continue;
                    }

                    Write(text[..length]);
                    text = text[length..];
                    continue;
                }
            }

            Step(text[0], lines);
            text = text[1..];
        }
    }

    /// <summary>
    /// Ends a line that has begun, as a flush wants. What may be the beginning of a secret at its end is masked, and what
    /// follows is still seen as that secret's rest.
    /// </summary>
    public void EndPartialLine(List<string> lines)
    {
        if (_begun)
        {
            Emit(lines, byFlush: true);
            _brokenByFlush = true;
        }
    }

    private void Step(char next, List<string> lines)
    {
        switch (_state)
        {
            case State.Ground or State.CarriageReturn:
                Ground(next, lines);
                break;
            case State.Escape:
                Escape(next, lines);
                break;
            case State.EscapeIntermediate when next is >= ' ' and <= '/':
                break;
            case State.EscapeIntermediate when next is >= '0' and <= '~':
                _state = State.Ground;
                break;
            case State.ControlSequence when next is >= ' ' and <= '?' && _sequence.Length < LongestSequence:
                _sequence.Append(next);
                break;
            case State.ControlSequence when next is >= '@' and <= '~':
                _state = State.Ground;
                Execute(next);
                break;
            case State.ControlString or State.ControlStringEscape
                when next is not ('\n' or '\a' or '\u009c') && _lengthOfString++ < LongestString:
                _state = (_state, next) switch
                {
                    (State.ControlStringEscape, '\\') => State.Ground,
                    (_, '\e') => State.ControlStringEscape,
                    _ => State.ControlString,
                };
                break;
            case State.ControlString or State.ControlStringEscape when next is '\a' or '\u009c':
                _state = State.Ground;
                break;
            default:
                // A broken sequence ends here, and what broke it counts as text.
                _state = State.Ground;
                Ground(next, lines);
                break;
        }
    }

    private void Ground(char next, List<string> lines)
    {
        if (_state is State.CarriageReturn && next is not ('\n' or '\r'))
        {
            _state = State.Ground;
            if (_begun)
            {
                ToTerminal().MoveTo(0);
            }
        }

        switch (next)
        {
            case '\n':
                _state = State.Ground;
                if (_brokenByFlush && !_begun)
                {
                    // It ends the line that a flush has given already.
                    _brokenByFlush = false;
                    _carried = "";
                }
                else
                {
                    Emit(lines, byFlush: false);
                }

                break;
            case '\r':
                _state = State.CarriageReturn;
                break;
            case '\e':
                _state = State.Escape;
                break;
            case '\t':
                Write("        ".AsSpan(0, TabWidth - (Column % TabWidth)));
                break;
            case '\b':
                ToTerminal().MoveTo(Column - 1);
                break;
            default:
                ReadOnlySpan<char> one = [Shown(next)];
                Write(one);
                break;
        }
    }

    private void Escape(char next, List<string> lines)
    {
        switch (next)
        {
            case '[':
                _sequence.Clear();
                _state = State.ControlSequence;
                break;
            case ']' or 'P' or 'X' or '^' or '_':
                _lengthOfString = 0;
                _state = State.ControlString;
                break;
            case >= ' ' and <= '/':
                _state = State.EscapeIntermediate;
                break;
            case >= '0' and <= '~':
                _state = State.Ground;
                break;
            default:
                _state = State.Ground;
                Write("\u241b"); // an escape that begins nothing
                Ground(next, lines);
                break;
        }
    }

    /// <summary>Does what a control sequence (ECMA-48 CSI) with this final character asks for; most are left out.</summary>
    private void Execute(char final)
    {
        var parameters = _sequence.ToString();
        if (final == 'm')
        {
            if (parameters.All(character => char.IsAsciiDigit(character) || character is ';' or ':'))
            {
                WriteStyle($"\e[{parameters}m");
            }

            return;
        }

        var number = int.TryParse(parameters, out var parsed) ? parsed : 0;
        switch (final)
        {
            case 'K' when _begun:
                ToTerminal().Erase(number);
                break;
            case 'G' when _begun || number > 1:
                ToTerminal().MoveTo(Math.Max(number, 1) - 1);
                break;
            case 'C':
                ToTerminal().MoveTo(Column + Math.Clamp(number, 1, _maxChars));
                break;
            case 'D' when _begun:
                ToTerminal().MoveTo(Column - Math.Clamp(number, 1, _maxChars));
                break;
        }
    }

    private int Column => _terminal?.Column ?? _column;

    private void Write(ReadOnlySpan<char> text)
    {
        _begun = true;
        if (_terminal is not null)
        {
            _terminal.Write(text);
            return;
        }

        var room = Math.Min(text.Length, _maxChars - _text.Length);
        if (room > 0 && room < text.Length && char.IsHighSurrogate(text[room - 1]))
        {
            room--;
        }

        if (room > 0)
        {
            _text.Append(text[..room]);
            _column += room;
        }

        _lostBytes += Encoding.UTF8.GetByteCount(text[Math.Max(room, 0)..]);
    }

    private void WriteStyle(string sequence)
    {
        _begun = true;
        if (_terminal is not null)
        {
            _terminal.Write(sequence);
        }
        else if (_text.Length + sequence.Length <= _maxChars)
        {
            _text.Append(sequence);
            _styled = true;
        }
    }

    /// <summary>
    /// Goes over to cells, because something is about to be overwritten. Secrets are masked first: half of one, its other
    /// half overwritten, would not be found any more.
    /// </summary>
    private TerminalLine ToTerminal()
    {
        _begun = true;
        var column = Column;
        if (_terminal is { } before)
        {
            _text.Clear();
            before.CopyTo(_text);
            _lostBytes += before.LostBytes;
            _styled = true;
        }

        var shown = _text.ToString();
        var masked = _mask.Apply(shown, _carried, unfinished: -1);
        if (_terminal is null || !string.Equals(masked, shown, StringComparison.Ordinal))
        {
            _terminal = new TerminalLine(masked, _maxChars);
            _terminal.MoveTo(column);
        }

        return _terminal;
    }

    private void Emit(List<string> lines, bool byFlush)
    {
        if (_terminal is not null)
        {
            _text.Clear();
            _terminal.CopyTo(_text);
            _lostBytes += _terminal.LostBytes;
            _styled = true;
        }

        var text = _text.ToString();
        var plain = _styled ? SecretMask.WithoutStyles(text, out _) : text;
        var unfinished = byFlush || _lostBytes > 0 ? _mask.FindUnfinished(_carried + plain) : -1;
        var carry = byFlush && unfinished >= 0 ? (_carried + plain)[unfinished..] : "";
        lines.Add(Cut(_mask.Apply(text, _carried, unfinished)));
        _carried = carry;
        _text.Clear();
        _terminal = null;
        _lostBytes = 0;
        _column = 0;
        _styled = false;
        _begun = false;
        _brokenByFlush = false;
        if (_state is State.CarriageReturn)
        {
            _state = State.Ground;
        }
    }

    /// <summary>Shortens a line to <see cref="MaxLineBytes"/>, with a mark that says how much is missing.</summary>
    private string Cut(string text)
    {
        var bytes = Encoding.UTF8.GetByteCount(text);
        if (_lostBytes == 0 && bytes <= MaxLineBytes)
        {
            return text;
        }

        // Room for the mark with the largest number it can hold.
        var room = MaxLineBytes - Encoding.UTF8.GetByteCount(CutMark(bytes + _lostBytes));
        var kept = 0;
        var keptBytes = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (keptBytes + rune.Utf8SequenceLength > room)
            {
                break;
            }

            kept += rune.Utf16SequenceLength;
            keptBytes += rune.Utf8SequenceLength;
        }

        var sequence = text.LastIndexOf('\e', Math.Max(0, kept - 1), Math.Min(kept, LongestSequence + 3));
        if (sequence >= 0 && text.IndexOf('m', sequence) >= kept)
        {
            keptBytes -= kept - sequence;
            kept = sequence;
        }

        return string.Concat(text.AsSpan(0, kept), CutMark(bytes - keptBytes + _lostBytes));
    }

    private static string CutMark(long bytes) => $"… [{bytes} bytes cut]";

    /// <summary>How a control character is shown: C0 by its picture (U+2400 …), C1 as a replacement character.</summary>
    private static char Shown(char control) => control switch
    {
        < ' ' => (char)(0x2400 + control),
        '\u007f' => '\u2421',
        >= '\u0080' and <= '\u009f' => '\ufffd',
        _ => control,
    };
}
