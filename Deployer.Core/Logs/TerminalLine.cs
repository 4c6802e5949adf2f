using System.Text;

namespace Deployer.Core.Logs;

/// <summary>
/// A line on which the cursor moved back: cells that are overwritten, as on a terminal. Sample:
/// <c>"10 %\r100 %"</c> ends as <c>100 %</c>; <c>"abc\rX"</c> as <c>Xbc</c>; <c>"abc\r␛[KX"</c> as <c>X</c>.
/// </summary>
internal sealed class TerminalLine
{
    private const string Reset = "\e[0m";
    private const int LongestStyle = 256;

    private readonly List<Cell> _cells = [];
    private readonly int _maxCells;
    private string _style = "";
    private int _cursor;

    /// <summary>Begins with what the line shows so far, the cursor behind it.</summary>
    /// <param name="shown">Text with SGR sequences and no other control characters.</param>
    /// <param name="maxCells">The cursor never goes beyond this many cells.</param>
    public TerminalLine(ReadOnlySpan<char> shown, int maxCells)
    {
        _maxCells = maxCells;
        Write(shown);
    }

    /// <summary>Cells the cursor could not go to because the line was too long, in UTF-8 bytes of what was written there.</summary>
    public long LostBytes { get; private set; }

    public int Column => _cursor;

    /// <summary>Writes text with SGR sequences at the cursor.</summary>
    public void Write(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            if (text[0] == '\e' && text.IndexOf('m') is var end and > 0)
            {
                SetStyle(text[..(end + 1)]);
                text = text[(end + 1)..];
                continue;
            }

            _ = Rune.DecodeFromUtf16(text, out var rune, out var consumed);
            Put(rune);
            text = text[consumed..];
        }
    }

    public void MoveTo(int column) => _cursor = Math.Clamp(column, 0, _maxCells);

    /// <summary>Erases like <c>CSI n K</c> (ECMA-48 EL): 0 to the end, 1 to the cursor, 2 all.</summary>
    public void Erase(int mode)
    {
        if (mode == 1)
        {
            for (var index = 0; index < Math.Min(_cursor + 1, _cells.Count); index++)
            {
                _cells[index] = new Cell(new Rune(' '), "");
            }
        }
        else
        {
            var keep = mode == 2 ? 0 : Math.Min(_cursor, _cells.Count);
            _cells.RemoveRange(keep, _cells.Count - keep);
        }
    }

    /// <summary>What the line shows, with the SGR sequences that make it look so.</summary>
    public void CopyTo(StringBuilder target)
    {
        var style = "";
        Span<char> utf16 = stackalloc char[2];
        foreach (var cell in _cells)
        {
            if (!string.Equals(cell.Style, style, StringComparison.Ordinal))
            {
                target.Append(style.Length > 0 ? Reset : "").Append(cell.Style);
                style = cell.Style;
            }

            target.Append(utf16[..cell.Rune.EncodeToUtf16(utf16)]);
        }

        target.Append(style.Length > 0 ? Reset : "");
    }

    private void Put(Rune rune)
    {
        if (_cursor >= _maxCells)
        {
            LostBytes += rune.Utf8SequenceLength;
            return;
        }

        while (_cells.Count < _cursor)
        {
            _cells.Add(new Cell(new Rune(' '), ""));
        }

        var cell = new Cell(rune, _style);
        if (_cursor < _cells.Count)
        {
            _cells[_cursor] = cell;
        }
        else
        {
            _cells.Add(cell);
        }

        _cursor++;
    }

    private void SetStyle(ReadOnlySpan<char> sequence)
    {
        var parameters = sequence[2..^1];
        if (parameters.IsEmpty || parameters is "0" or "00")
        {
            _style = "";
        }
        else if (parameters.StartsWith("0;") || _style.Length + sequence.Length > LongestStyle)
        {
            _style = sequence.ToString();
        }
        else
        {
            _style = string.Concat(_style, sequence);
        }
    }

    private readonly record struct Cell(Rune Rune, string Style);
}
