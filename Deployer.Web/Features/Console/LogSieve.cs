using System.Runtime.CompilerServices;
using Deployer.Core.Logs;

namespace Deployer.Web.Features.Console;

/// <summary>Looks through a log for the lines that a filter lets through, and goes on with those that come. Holds no lines.</summary>
internal sealed class LogSieve(LogStore logs)
{
    private const int PageLines = 1_000;
    private const int MaxRuns = 20_000;

    /// <summary>Yields until it has caught up, then for each growth with such lines; ends with the log.</summary>
    public async IAsyncEnumerable<FilteredLines> FollowAsync(
        long deploymentId, LineFilter filter, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var runs = new List<long>();
        var caughtUp = false;
        await foreach (var page in logs.FollowAsync(deploymentId, after: null, PageLines, cancellationToken))
        {
            foreach (var line in page.Lines)
            {
                if (filter.Matches(line))
                {
                    Add(runs, line.Line);
                }
            }

            var first = !caughtUp && page.Lines.Count < PageLines;
            caughtUp |= first;
            if (first || runs.Count >= MaxRuns || (caughtUp && runs.Count > 0))
            {
                yield return new FilteredLines([.. runs], caughtUp);
                runs.Clear();
            }
        }

        if (runs.Count > 0 || !caughtUp)
        {
            yield return new FilteredLines([.. runs], CaughtUp: true);
        }
    }

    private static void Add(List<long> runs, long line)
    {
        if (runs.Count > 0 && runs[^1] == line - 1)
        {
            runs[^1] = line;
        }
        else
        {
            runs.Add(line);
            runs.Add(line);
        }
    }
}
