using Deployer.Core.Data;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using static SQLitePCL.raw;

namespace Deployer.Core.Logs;

/// <summary>
/// Moves what the writer committed from the write-ahead log into the database file, beside the writer. SQLite would do
/// that within the commit that fills the log, and appends would wait for the disk to take thousands of scattered pages:
/// up to half a second (docs/performance.md). Here most of it happens on a connection of its own, which keeps nobody from
/// writing; the writer itself does the few pages that came meanwhile, so that the log starts anew and does not grow.
/// </summary>
internal sealed partial class LogCheckpointer(IDbContextFactory<DeployerDb> databases, LogWriter writer, ILogger logger) : IAsyncDisposable
{
    /// <summary>Pages after which the log is moved; SQLite's own measure.</summary>
    public const int Pages = 1_000;

    // The second pass takes what came during the first one, which is much less.
    private const int Passes = 2;

    private readonly SemaphoreSlim _due = new(0);
    private readonly CancellationTokenSource _stop = new();
    private Task? _loop;
    private int _pages;
    private int _busy;
    private bool _disposed;

    /// <summary>Counts pages that the writer committed. Called by the writer alone.</summary>
    public void Wrote(int pages)
    {
        _pages += pages;
        if (_pages >= Pages && Interlocked.Exchange(ref _busy, 1) == 0)
        {
            _pages = 0;
            _loop ??= Task.Run(RunAsync);
            _due.Release();
        }
    }

    /// <summary>Stops; a move that goes on is waited for. Once more does nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _stop.CancelAsync();
        if (_loop is not null)
        {
            await _loop;
        }

        _stop.Dispose();
        _due.Dispose();
    }

    /// <summary>Moves what it can without making anybody wait.</summary>
    /// <returns>Whether all of the log as it stood was moved.</returns>
    public static bool Move(DeployerDb db)
    {
        var connection = (SqliteConnection)db.Database.GetDbConnection();
        var result = sqlite3_wal_checkpoint_v2(connection.Handle, "main", SQLITE_CHECKPOINT_PASSIVE, out var frames, out var moved);
        return result == SQLITE_OK && frames == moved;
    }

    private async Task RunAsync()
    {
        while (true)
        {
            try
            {
                await _due.WaitAsync(_stop.Token);
                await MoveAsync();
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // The next pages bring the next try.
                LogFailed(exception.Message);
            }

            Volatile.Write(ref _busy, 0);
        }
    }

    private async Task MoveAsync()
    {
        await using (var db = await databases.CreateDbContextAsync(_stop.Token))
        {
            await db.Database.OpenConnectionAsync(_stop.Token);
            for (var pass = 0; pass < Passes; pass++)
            {
                Move(db);
            }
        }

        await writer.CheckpointAsync(_stop.Token);
    }

    [LoggerMessage(LogLevel.Warning, "Could not move the write-ahead log into the database yet: {Reason}")]
    private partial void LogFailed(string reason);
}
