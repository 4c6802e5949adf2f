using System.Collections.Concurrent;
using Deployer.Core.Data;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Logs;

/// <summary>A few open reading connections, lent to one read at a time.</summary>
internal sealed class LogReads(IDbContextFactory<DeployerDb> databases) : IDisposable
{
    private const int Kept = 8;

    private readonly ConcurrentQueue<LogReadConnection> _idle = new();
    private long _count;
    private volatile bool _disposed;

    /// <summary>How many reads reached the database.</summary>
    public long Count => Interlocked.Read(ref _count);

    public T Run<T>(Func<LogReadConnection, T> read)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Interlocked.Increment(ref _count);
        if (!_idle.TryDequeue(out var connection))
        {
            connection = new LogReadConnection(databases);
        }

        var returned = false;
        try
        {
            var result = read(connection);
            returned = !_disposed && _idle.Count < Kept;
            return result;
        }
        catch (SqliteException)
        {
            // A connection that met an error is not lent again.
            returned = false;
            throw;
        }
        finally
        {
            if (returned)
            {
                _idle.Enqueue(connection);
            }
            else
            {
                connection.Dispose();
            }
        }
    }

    public void Dispose()
    {
        _disposed = true;
        while (_idle.TryDequeue(out var connection))
        {
            connection.Dispose();
        }
    }
}
