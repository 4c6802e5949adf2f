using Microsoft.Data.Sqlite;
using SQLitePCL;
using static SQLitePCL.raw;

namespace Deployer.Core.Logs;

/// <summary>
/// A prepared statement on a connection's own handle. Commands and readers of ADO.NET cost more than an empty poll itself
/// (docs/performance.md). Parameters are ?1, ?2 and ?3. Used by one caller at a time.
/// </summary>
internal sealed class LogStatement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;

    /// <summary>Prepares it.</summary>
    /// <exception cref="SqliteException">SQLite does not take it.</exception>
    public LogStatement(SqliteConnection connection, string sql)
    {
        _database = connection.Handle ?? throw new InvalidOperationException("The connection is not open.");
        SqliteException.ThrowExceptionForRC(sqlite3_prepare_v2(_database, sql, out _statement), _database);
    }

    /// <summary>Starts it. Dispose the rows: until then it holds a read transaction.</summary>
    public Rows Run(ReadOnlySpan<long> parameters)
    {
        for (var index = 0; index < parameters.Length; index++)
        {
            SqliteException.ThrowExceptionForRC(sqlite3_bind_int64(_statement, index + 1, parameters[index]), _database);
        }

        return new Rows(_database, _statement);
    }

    public void Dispose() => _statement.Dispose();

    /// <summary>What a run of the statement gives, row by row.</summary>
    internal readonly ref struct Rows(sqlite3 database, sqlite3_stmt statement)
    {
        /// <summary>Goes on to the next row. False when there is none.</summary>
        /// <exception cref="SqliteException">The read failed.</exception>
        public bool Read()
        {
            var result = sqlite3_step(statement);
            if (result is SQLITE_ROW or SQLITE_DONE)
            {
                return result == SQLITE_ROW;
            }

            SqliteException.ThrowExceptionForRC(result, database);
            return false;
        }

        public bool IsNull(int column) => sqlite3_column_type(statement, column) == SQLITE_NULL;

        public long Long(int column) => sqlite3_column_int64(statement, column);

        public int Int(int column) => sqlite3_column_int(statement, column);

        /// <summary>A blob in SQLite's own memory, valid until the next <see cref="Read"/>.</summary>
        public ReadOnlySpan<byte> Blob(int column) => sqlite3_column_blob(statement, column);

        /// <summary>Ends the read transaction. An error of the last step was raised by it and is not raised again.</summary>
        public void Dispose() => _ = sqlite3_reset(statement);
    }
}
