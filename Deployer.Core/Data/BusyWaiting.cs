using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Diagnostics;
using static SQLitePCL.raw;

namespace Deployer.Core.Data;

/// <summary>
/// Lets SQLite itself wait for the write lock. It tries again after 1, 2, 5 … milliseconds; Microsoft.Data.Sqlite alone
/// tries every 150, and beside the log's writer, which takes the lock hundreds of times a second, would hardly ever meet a
/// free moment.
/// </summary>
internal sealed class BusyWaiting : DbConnectionInterceptor
{
    /// <summary>The only one needed: it holds nothing.</summary>
    public static readonly BusyWaiting Instance = new();

    private const int Milliseconds = 5_000;

    /// <inheritdoc/>
    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => Wait(connection);

    /// <inheritdoc/>
    public override Task ConnectionOpenedAsync(
        DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Wait(connection);
        return Task.CompletedTask;
    }

    private static void Wait(DbConnection connection) => _ = sqlite3_busy_timeout(((SqliteConnection)connection).Handle, Milliseconds);
}
