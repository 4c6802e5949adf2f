using Deployer.Core.Logs;
using NodaTime;

namespace Deployer.Web.Features.Console;

/// <summary>
/// A log that a <see cref="LogConsole"/> shows. There are two kinds, told apart by <see cref="Stored"/>: a log that is
/// kept (a deployment's), of which the circuit tells the pane only the newest lines, because it fetches all others by
/// number; and one that nobody keeps (what a running container writes), whose every line goes through
/// <see cref="FollowAsync"/> and is held by the browser, the last 50,000 of them, which then also does the searching.
/// <example>
/// The output of a container, for as long as the page is open:
/// <code>
/// internal sealed class ContainerOutput(IContainerEngine engine, …) : IConsoleSource
/// {
///     public IStoredLog? Stored =&gt; null;
///     public bool OpenAtEnd =&gt; true;
///     public async IAsyncEnumerable&lt;LogGrowth&gt; FollowAsync([EnumeratorCancellation] CancellationToken cancellationToken)
///     {
///         var number = 0L;
///         await foreach (var texts in …)                  // batches of decoded and redacted lines
///         {
///             LogLine[] lines = [.. texts.Select(text =&gt; new LogLine(++number, now, LogStream.Stdout, StepKind.Start, text))];
///             yield return new LogGrowth(Status: null, Total: number, lines, Complete: false, Trouble: null);
///         }
///     }
/// }
///
/// &lt;LogConsole @key="containerId" Source="_output" /&gt;   @* one source per thing shown; never a new one per render *@
/// </code>
/// </example>
/// </summary>
public interface IConsoleSource
{
    /// <summary>What the log is of, e.g. <c>Log of web #3</c>: the name of the region.</summary>
    string Label { get; }

    /// <summary>Where the log is opened: at its end, following it, or at its first line.</summary>
    bool OpenAtEnd { get; }

    /// <summary>When what is logged began, for times since then.</summary>
    Instant StartedAt { get; }

    /// <summary>What is said while there is no line, once it is known that there is none.</summary>
    string Nothing { get; }

    /// <summary>
    /// The kept log behind it; <see langword="null"/> when the browser alone holds the lines. Only a kept log knows when each
    /// line came, so only there are times shown.
    /// </summary>
    IStoredLog? Stored { get; }

    /// <summary>
    /// Yields first where the log stands, then each growth. Numbers are dense from 1. Where nothing is stored, every
    /// line is in a growth. Ends after a growth that is complete; the pane disposes it when the page is left.
    /// </summary>
    IAsyncEnumerable<LogGrowth> FollowAsync(CancellationToken cancellationToken);
}

/// <summary>A log that is kept and can be read by number, and what it offers beyond its lines.</summary>
public interface IStoredLog
{
    /// <summary>Address of its pages (<c>…?from_line=1&amp;limit=500</c>); with <c>.txt</c> appended, of the whole as text.</summary>
    string Address { get; }

    /// <summary>Name of the file that a download makes.</summary>
    string FileName { get; }

    /// <summary>The first match from a line on, or the last one up to it; <see langword="null"/> when nothing matches.</summary>
    Task<FoundLine?> FindAsync(LogQuery query, long from, bool backwards, CancellationToken cancellationToken);

    /// <summary>The next line that tells of an error and passes the filter, or the previous one; <see langword="null"/> when there is none, and 0 when none was found because the search took too long.</summary>
    Task<long?> FindErrorAsync(LineFilter filter, long from, bool backwards, CancellationToken cancellationToken);

    /// <summary>Number of the first line of a section, or of a later one; <see langword="null"/> while there is none.</summary>
    Task<long?> FindFirstLineAsync(LogSection section, CancellationToken cancellationToken);

    /// <summary>The lines that a filter lets through: all until caught up, then as they come; ends with the log.</summary>
    IAsyncEnumerable<FilteredLines> FollowFilteredAsync(LineFilter filter, CancellationToken cancellationToken);
}
