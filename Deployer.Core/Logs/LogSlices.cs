namespace Deployer.Core.Logs;

/// <summary>
/// Long work on logs, cut into slices of a few milliseconds between the writer's batches. After each slice at least as much
/// time is left to everybody else who writes to the database. The clock is the machine's, whatever clock the lines are
/// stamped by.
/// </summary>
internal static class LogSlices
{
    /// <summary>How long a slice may take, but for its last step and its commit.</summary>
    public static readonly TimeSpan Budget = TimeSpan.FromMilliseconds(4);

    /// <summary>Takes small steps until one says that nothing is left. What was committed stays when it is cancelled.</summary>
    /// <param name="writer">Runs the slices.</param>
    /// <param name="step">A step; whether there may be more to do.</param>
    /// <param name="pause">Time left to others after each slice: longer for work that the disk has to follow, too.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="LogStoreException">A slice failed.</exception>
    public static async Task RunAsync(LogWriter writer, Func<LogWriterConnection, bool> step, TimeSpan pause, CancellationToken cancellationToken)
    {
        while (await writer.InvokeAsync(connection => TakeSlice(connection, step), cancellationToken))
        {
            await Task.Delay(pause, TimeProvider.System, cancellationToken);
        }
    }

    private static bool TakeSlice(LogWriterConnection connection, Func<LogWriterConnection, bool> step)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (step(connection))
        {
            if (TimeProvider.System.GetElapsedTime(started) >= Budget)
            {
                return true;
            }
        }

        return false;
    }
}
