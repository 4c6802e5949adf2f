using Deployer.Core.Logs;
using NodaTime;

namespace Deployer.Tests.Logs;

/// <summary>
/// Watches what one reader is given, and fails at a gap, a double, disorder, a time that does not increase, or a line
/// after the end.
/// </summary>
internal sealed class LogOracle
{
    private readonly List<LogLine> _lines = [];
    private bool _complete;

    public IReadOnlyList<LogLine> Lines => _lines;

    public Instant? Cursor { get; private set; }

    public bool Complete => _complete;

    public void See(LogPage page)
    {
        if (_complete && page.Lines.Count > 0)
        {
            throw new InvalidOperationException($"Line {page.Lines[0].Line} came after the log was complete.");
        }

        foreach (var line in page.Lines)
        {
            var expected = _lines.Count + 1;
            if (line.Line != expected)
            {
                throw new InvalidOperationException($"Line {line.Line} came where line {expected} was due.");
            }

            if (_lines.Count > 0 && line.Time <= _lines[^1].Time)
            {
                throw new InvalidOperationException($"Line {line.Line} has the time {line.Time}, not after that of the line before.");
            }

            _lines.Add(line);
        }

        if (page.Lines.Count > 0 && page.NextAfter != page.Lines[^1].Time)
        {
            throw new InvalidOperationException("The page's cursor is not the time of its last line.");
        }

        Cursor = page.NextAfter ?? Cursor;
        _complete |= page.Complete;
    }
}
