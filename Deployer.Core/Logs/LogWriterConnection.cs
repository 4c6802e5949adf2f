using System.Buffers;
using System.Data;
using System.Runtime.InteropServices;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using static SQLitePCL.raw;

namespace Deployer.Core.Logs;

/// <summary>
/// The writer's own context, kept open so that its statements stay prepared. EF Core owns schema, connection and
/// transaction; the insert itself is a prepared command, which is several times faster than change tracking
/// (docs/performance.md). Used by one thread at a time, and thrown away after an error.
/// </summary>
internal sealed class LogWriterConnection : IDisposable
{
    private readonly SqliteCommand _findEnd;
    private readonly SqliteCommand _insert;
    private readonly ArrayBufferWriter<byte> _payload = new(RunCodec.MaxTextBytes);

    private LogWriterConnection(DeployerDb db)
    {
        Db = db;
        var connection = Connection;
        _findEnd = connection.CreateCommand();
        _findEnd.CommandText =
            """
            SELECT d.status, r.first_line + r.line_count - 1, r.last_time
            FROM deployments d
            LEFT JOIN deployment_logs r ON r.deployment_id = d.id
              AND r.first_line = (SELECT max(first_line) FROM deployment_logs WHERE deployment_id = d.id)
            WHERE d.id = $deployment
            """;
        _findEnd.Parameters.Add("$deployment", SqliteType.Integer);

        _insert = connection.CreateCommand();
        _insert.CommandText =
            """
            INSERT INTO deployment_logs
              (deployment_id, first_line, line_count, first_time, last_time, compression, sealed, raw_bytes, payload)
            VALUES ($deployment, $firstLine, $lineCount, $firstTime, $lastTime, $compression, $sealed, $rawBytes, $payload)
            """;
        _insert.Parameters.Add("$deployment", SqliteType.Integer);
        _insert.Parameters.Add("$firstLine", SqliteType.Integer);
        _insert.Parameters.Add("$lineCount", SqliteType.Integer);
        _insert.Parameters.Add("$firstTime", SqliteType.Integer);
        _insert.Parameters.Add("$lastTime", SqliteType.Integer);
        _insert.Parameters.Add("$compression", SqliteType.Integer);
        _insert.Parameters.Add("$sealed", SqliteType.Integer);
        _insert.Parameters.Add("$rawBytes", SqliteType.Integer);
        _insert.Parameters.Add("$payload", SqliteType.Blob);
    }

    public DeployerDb Db { get; }

    private SqliteConnection Connection => (SqliteConnection)Db.Database.GetDbConnection();

    /// <summary>Opens a context for writing.</summary>
    /// <exception cref="SqliteException">The database cannot be opened.</exception>
    public static LogWriterConnection Open(IDbContextFactory<DeployerDb> databases, int patienceSeconds)
    {
        var db = databases.CreateDbContext();
        try
        {
            db.Database.OpenConnection();
            ((SqliteConnection)db.Database.GetDbConnection()).DefaultTimeout = Math.Max(1, patienceSeconds);

            // FULL: a commit is on the disk when it returns, so what was acknowledged survives a power failure too, as
            // far as disk and file system keep their word.
            // The write-ahead log is moved beside the writer (LogCheckpointer), not in its commits.
            db.Database.ExecuteSqlRaw("PRAGMA synchronous=FULL; PRAGMA busy_timeout=1000; PRAGMA wal_autocheckpoint=0");
            return new LogWriterConnection(db);
        }
        catch
        {
            db.Dispose();
            throw;
        }
    }

    /// <summary>Begins an immediate transaction: from now on nobody else writes, statuses included.</summary>
    public IDbContextTransaction Begin()
    {
        var transaction = Db.Database.BeginTransaction(IsolationLevel.Serializable);
        _findEnd.Transaction = _insert.Transaction = (SqliteTransaction)transaction.GetDbTransaction();
        return transaction;
    }

    /// <summary>Where a deployment's log ends; <see langword="null"/> when there is no such deployment.</summary>
    public LogEnd? FindEnd(long deploymentId)
    {
        _findEnd.Parameters[0].Value = deploymentId;
        using var reader = _findEnd.ExecuteReader();
        if (!reader.Read())
        {
            return null;
        }

        var status = (DeploymentStatus)reader.GetInt32(0);
        return reader.IsDBNull(1) ? new LogEnd(status, 0, null) : new LogEnd(status, reader.GetInt64(1), reader.GetInt64(2));
    }

    /// <summary>Stores lines, uncompressed, as one run.</summary>
    public void Insert(long deploymentId, long firstLine, ReadOnlySpan<RunLine> lines)
    {
        _payload.ResetWrittenCount();
        RunCodec.Encode(lines, _payload);
        Insert(
            deploymentId,
            new RunHeader(firstLine, lines.Length, lines[0].Time, lines[^1].Time, RunCompression.None, _payload.WrittenCount),
            isSealed: false, _payload.WrittenSpan.ToArray());
    }

    /// <summary>Stores a run.</summary>
    public void Insert(long deploymentId, in RunHeader header, bool isSealed, byte[] payload)
    {
        var parameters = _insert.Parameters;
        parameters[0].Value = deploymentId;
        parameters[1].Value = header.FirstLine;
        parameters[2].Value = header.LineCount;
        parameters[3].Value = header.FirstTime;
        parameters[4].Value = header.LastTime;
        parameters[5].Value = (int)header.Compression;
        parameters[6].Value = isSealed ? 1 : 0;
        parameters[7].Value = header.RawBytes;
        parameters[8].Value = payload;
        _insert.ExecuteNonQuery();
    }

    /// <summary>Adds a piece of sealed log to the full-text index.</summary>
    public void AddChapter(long deploymentId, long firstLine, int lineCount, long firstTime, long lastTime, string document) =>
        Db.Database.ExecuteSql(
            $"""
            INSERT INTO deployment_log_chapters (deployment_id, first_line, line_count, first_time, last_time)
            VALUES ({deploymentId}, {firstLine}, {lineCount}, {firstTime}, {lastTime});
            INSERT INTO log_search (rowid, grams) VALUES (last_insert_rowid(), {document});
            """);

    /// <summary>
    /// Does some pages of what keeps the full-text index quick and small: puts its pieces together and leaves out removed
    /// ones. FTS5 would do that within commits, hundreds of milliseconds at a time, so its own merging is turned off.
    /// </summary>
    /// <returns>Whether there may be more to do.</returns>
    public bool MergeIndex(int pages)
    {
        // Fewer than two changes: nothing was merged (https://sqlite.org/fts5.html#the_merge_command).
        var before = sqlite3_total_changes(Connection.Handle);
        Db.Database.ExecuteSql($"INSERT INTO log_search (log_search, rank) VALUES ('merge', {pages})");
        return sqlite3_total_changes(Connection.Handle) - before >= 2;
    }

    /// <summary>Removes the first runs of a log, and what the index knows of them.</summary>
    /// <returns>Whether there may be more of it.</returns>
    public bool RemoveRuns(long deploymentId, int count)
    {
        var removed = Db.Database.ExecuteSql(
            $"""
            DELETE FROM deployment_logs WHERE id IN
              (SELECT id FROM deployment_logs WHERE deployment_id = {deploymentId} ORDER BY first_line LIMIT {count})
            """);
        Db.Database.ExecuteSql(
            $"""
            DELETE FROM deployment_log_chapters WHERE deployment_id = {deploymentId} AND first_line <
              coalesce((SELECT min(first_line) FROM deployment_logs WHERE deployment_id = {deploymentId}), {long.MaxValue})
            """);
        if (removed == count)
        {
            return true;
        }

        Db.Database.ExecuteSql($"DELETE FROM deployment_log_totals WHERE deployment_id = {deploymentId}");
        return false;
    }

    /// <summary>Counts a piece of sealed log.</summary>
    public void AddTotals(long deploymentId, long lines, long rawBytes, long storedBytes) =>
        Db.Database.ExecuteSql(
            $"""
            INSERT INTO deployment_log_totals (deployment_id, lines, raw_bytes, stored_bytes)
            VALUES ({deploymentId}, {lines}, {rawBytes}, {storedBytes})
            ON CONFLICT (deployment_id) DO UPDATE SET
              lines = lines + excluded.lines, raw_bytes = raw_bytes + excluded.raw_bytes,
              stored_bytes = stored_bytes + excluded.stored_bytes
            """);

    /// <summary>How many pages went into the write-ahead log since the last call.</summary>
    public int TakePagesWritten()
    {
        _ = sqlite3_db_status(Connection.Handle, SQLITE_DBSTATUS_CACHE_WRITE, out var pages, out _, 1);
        return pages;
    }

    public void Dispose()
    {
        // The pool lends the connection to others, who have nobody to do it for them.
        if (Connection.Handle is { } handle)
        {
            _ = sqlite3_wal_autocheckpoint(handle, LogCheckpointer.Pages);
        }

        _findEnd.Dispose();
        _insert.Dispose();
        Db.Dispose();
    }
}

/// <summary>Where a log ends.</summary>
/// <param name="Status">The deployment's status.</param>
/// <param name="LastLine">Number of the last line; 0 when the log is empty.</param>
/// <param name="LastTime">Nanoseconds since the Unix epoch; <see langword="null"/> when the log is empty.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LogEnd(DeploymentStatus Status, long LastLine, long? LastTime);
