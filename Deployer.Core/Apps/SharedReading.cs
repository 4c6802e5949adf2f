namespace Deployer.Core.Apps;

/// <summary>
/// One reading for all who ask at once. Readings never overlap; who comes while one runs shares the next, so everybody
/// is told what holds at some instant after they asked.
/// </summary>
/// <param name="read">Reads. A fault is told to those who share that reading, and to nobody after them.</param>
internal sealed class SharedReading<T>(Func<Task<T>> read)
{
    private readonly Lock _gate = new();
    private Task _running = Task.CompletedTask;
    private Task<T>? _next;

    /// <summary>Reads, or shares the reading that is about to begin.</summary>
    /// <param name="cancellationToken">Ends the wait of this caller alone.</param>
    public async Task<T> ReadAsync(CancellationToken cancellationToken)
    {
        Task<T> mine;
        lock (_gate)
        {
            // Away from the caller: a database that answers without ever waiting would keep whoever asked. And always on
            // another thread, which waits at the lock until the reading is known as the next one: on this one it would
            // walk in before, and be taken for the next for good.
            var earlier = _running;
            mine = _next ??= Task.Run(() => ReadAfterAsync(earlier), CancellationToken.None);
        }

        return await mine.WaitAsync(cancellationToken);
    }

    private async Task<T> ReadAfterAsync(Task earlier)
    {
        await earlier.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            _running = _next!;
            _next = null;
        }

        return await read();
    }
}
