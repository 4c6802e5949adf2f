using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using NodaTime;
using static SQLitePCL.raw;

namespace Deployer.Core.Logs;

/// <summary>
/// A reader's context, kept open so that its statements stay prepared: an empty poll costs about as much as the bare
/// statement. Every page is one statement, so that status and lines are of one moment and no transaction is held.
/// Used by one caller at a time.
/// </summary>
internal sealed class LogReadConnection : IDisposable
{
    // While retention removes a log, slice by slice, readers see it as empty, never with a gap.
    private const string Columns =
        "d.status, r.first_line, r.line_count, r.first_time, r.last_time, r.compression, r.raw_bytes, r.payload";

    private readonly DeployerDb _db;
    private readonly SqliteCommand _after;
    private readonly SqliteCommand _from;
    private readonly SqliteCommand _extent;
    private readonly SqliteCommand _scan;

    public LogReadConnection(IDbContextFactory<DeployerDb> databases)
    {
        _db = databases.CreateDbContext();
        try
        {
            _db.Database.OpenConnection();
            _after = Prepare(
                $"""
                SELECT {Columns}
                FROM deployments d
                LEFT JOIN deployment_logs r ON r.deployment_id = d.id AND r.last_time > $bound AND d.log_removed_at IS NULL
                WHERE d.id = $deployment
                ORDER BY r.last_time
                """);
            _after.Parameters.Add("$bound", SqliteType.Integer);
            _from = Prepare(
                $"""
                SELECT {Columns}
                FROM deployments d
                LEFT JOIN deployment_logs r ON r.deployment_id = d.id AND d.log_removed_at IS NULL AND r.first_line >=
                  coalesce((SELECT max(first_line) FROM deployment_logs WHERE deployment_id = $deployment AND first_line <= $bound), 0)
                WHERE d.id = $deployment
                ORDER BY r.first_line
                """);
            _from.Parameters.Add("$bound", SqliteType.Integer);
            _scan = Prepare(
                """
                SELECT r.first_line, r.line_count, r.first_time, r.last_time, r.compression, r.raw_bytes, r.payload
                FROM deployment_logs r
                WHERE r.deployment_id = $deployment AND r.first_line <= $to AND r.first_line >=
                  coalesce((SELECT max(first_line) FROM deployment_logs WHERE deployment_id = $deployment AND first_line <= $from), 0)
                ORDER BY r.first_line
                """);
            _scan.Parameters.Add("$from", SqliteType.Integer);
            _scan.Parameters.Add("$to", SqliteType.Integer);
            _extent = Prepare(
                """
                SELECT d.status, r.first_line + r.line_count - 1, r.last_time
                FROM deployments d
                LEFT JOIN deployment_logs r ON r.deployment_id = d.id
                  AND r.first_line = (SELECT max(first_line) FROM deployment_logs WHERE deployment_id = d.id)
                  AND d.log_removed_at IS NULL
                WHERE d.id = $deployment
                """);
        }
        catch
        {
            _db.Dispose();
            throw;
        }
    }

    /// <summary>The lines whose time is greater than a cursor.</summary>
    public LogPage? ReadAfter(long deploymentId, Instant? after, int limit)
    {
        var bound = after is { } cursor ? ToBound(cursor) : long.MinValue;
        return Read(_after, deploymentId, bound, limit, after, byTime: true);
    }

    /// <summary>The lines from a number on.</summary>
    public LogPage? ReadFrom(long deploymentId, long fromLine, int limit) =>
        Read(_from, deploymentId, fromLine, limit, emptyCursor: null, byTime: false);

    /// <summary>The last lines. Lines may come while it reads: then it gives the last ones of a moment ago.</summary>
    public LogPage? ReadTail(long deploymentId, int count) =>
        ReadExtent(deploymentId) is { } extent
            ? ReadFrom(deploymentId, Math.Max(1, extent.Lines - count + 1), count)
            : null;

    /// <summary>How far the log reaches.</summary>
    public LogExtent? ReadExtent(long deploymentId)
    {
        _extent.Parameters[0].Value = deploymentId;
        using var reader = _extent.ExecuteReader();
        if (!reader.Read())
        {
            return null;
        }

        var status = (DeploymentStatus)reader.GetInt32(0);
        return reader.IsDBNull(1)
            ? new LogExtent(status, 0, null)
            : new LogExtent(status, reader.GetInt64(1), InstantNanoseconds.FromUnixTimeNanoseconds(reader.GetInt64(2)));
    }

    /// <summary>The context, for queries that need not be prepared.</summary>
    public DeployerDb Db => _db;

    /// <summary>Shows the runs that hold lines of a range, ascending, until the visitor has seen enough.</summary>
    public void Scan(long deploymentId, long from, long to, RunVisitor visit)
    {
        _scan.Parameters[0].Value = deploymentId;
        _scan.Parameters[1].Value = from;
        _scan.Parameters[2].Value = to;
        using var reader = _scan.ExecuteReader();
        while (reader.Read())
        {
            var header = new RunHeader(
                reader.GetInt64(0), reader.GetInt32(1), reader.GetInt64(2), reader.GetInt64(3),
                (RunCompression)reader.GetInt32(4), reader.GetInt32(5));
            if (!visit(header, sqlite3_column_blob(reader.Handle, 6)))
            {
                return;
            }
        }
    }

    public void Dispose()
    {
        _after.Dispose();
        _from.Dispose();
        _extent.Dispose();
        _scan.Dispose();
        _db.Dispose();
    }

    private static LogPage? Read(
        SqliteCommand command, long deploymentId, long bound, int limit, Instant? emptyCursor, bool byTime)
    {
        command.Parameters[0].Value = deploymentId;
        command.Parameters[1].Value = bound;
        using var reader = command.ExecuteReader();
        if (!reader.Read())
        {
            return null;
        }

        // The status is of the statement's snapshot, as the lines are: if it is final, no line can be missing.
        var status = (DeploymentStatus)reader.GetInt32(0);
        var lines = new List<LogLine>();
        var atEnd = reader.IsDBNull(1);
        var more = !atEnd;
        while (more && lines.Count < limit)
        {
            var header = new RunHeader(
                reader.GetInt64(1), reader.GetInt32(2), reader.GetInt64(3), reader.GetInt64(4),
                (RunCompression)reader.GetInt32(5), reader.GetInt32(6));

            // Straight out of SQLite's memory, valid until the next Read.
            var payload = sqlite3_column_blob(reader.Handle, 7);
            atEnd = byTime
                ? RunCodec.DecodeAfter(header, payload, bound, limit - lines.Count, lines)
                : RunCodec.DecodeFrom(header, payload, bound, limit - lines.Count, lines);
            more = reader.Read();
        }

        return new LogPage(
            status, lines, lines.Count > 0 ? lines[^1].Time : emptyCursor, status.IsFinal() && atEnd && !more);
    }

    private static long ToBound(Instant cursor)
    {
        try
        {
            return cursor.ToUnixTimeNanoseconds();
        }
        catch (OverflowException)
        {
            // Beyond what can be stored: before or after every line there can be.
            return cursor < NodaConstants.UnixEpoch ? long.MinValue : long.MaxValue;
        }
    }

    private SqliteCommand Prepare(string sql)
    {
        var command = ((SqliteConnection)_db.Database.GetDbConnection()).CreateCommand();
        command.CommandText = sql;
        command.Parameters.Add("$deployment", SqliteType.Integer);
        return command;
    }
}

/// <summary>Looks at a run. The payload is valid during the call alone. False when it has seen enough.</summary>
internal delegate bool RunVisitor(in RunHeader header, ReadOnlySpan<byte> payload);
