using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using NodaTime;

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
    private readonly LogStatement _after;
    private readonly LogStatement _from;
    private readonly LogStatement _extent;
    private readonly LogStatement _scan;

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
                LEFT JOIN deployment_logs r ON r.deployment_id = d.id AND r.last_time > ?2 AND d.log_removed_at IS NULL
                WHERE d.id = ?1
                ORDER BY r.last_time
                """);
            _from = Prepare(
                $"""
                SELECT {Columns}
                FROM deployments d
                LEFT JOIN deployment_logs r ON r.deployment_id = d.id AND d.log_removed_at IS NULL AND r.first_line >=
                  coalesce((SELECT max(first_line) FROM deployment_logs WHERE deployment_id = ?1 AND first_line <= ?2), 0)
                WHERE d.id = ?1
                ORDER BY r.first_line
                """);
            _scan = Prepare(
                """
                SELECT r.first_line, r.line_count, r.first_time, r.last_time, r.compression, r.raw_bytes, r.payload
                FROM deployments d JOIN deployment_logs r ON r.deployment_id = d.id
                WHERE d.id = ?1 AND d.log_removed_at IS NULL AND r.first_line <= ?3 AND r.first_line >=
                  coalesce((SELECT max(first_line) FROM deployment_logs WHERE deployment_id = ?1 AND first_line <= ?2), 0)
                ORDER BY r.first_line
                """);
            _extent = Prepare(
                """
                SELECT d.status, r.first_line + r.line_count - 1, r.last_time
                FROM deployments d
                LEFT JOIN deployment_logs r ON r.deployment_id = d.id
                  AND r.first_line = (SELECT max(first_line) FROM deployment_logs WHERE deployment_id = d.id)
                  AND d.log_removed_at IS NULL
                WHERE d.id = ?1
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
        using var reader = _extent.Run([deploymentId]);
        if (!reader.Read())
        {
            return null;
        }

        var status = (DeploymentStatus)reader.Int(0);
        return reader.IsNull(1)
            ? new LogExtent(status, 0, null)
            : new LogExtent(status, reader.Long(1), InstantNanoseconds.FromUnixTimeNanoseconds(reader.Long(2)));
    }

    /// <summary>The context, for queries that need not be prepared.</summary>
    public DeployerDb Db => _db;

    /// <summary>Shows the runs that hold lines of a range, ascending, until the visitor has seen enough.</summary>
    public void Scan(long deploymentId, long from, long to, RunVisitor visit)
    {
        using var reader = _scan.Run([deploymentId, from, to]);
        while (reader.Read())
        {
            var header = new RunHeader(
                reader.Long(0), reader.Int(1), reader.Long(2), reader.Long(3),
                (RunCompression)reader.Int(4), reader.Int(5));
            if (!visit(header, reader.Blob(6)))
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
        LogStatement statement, long deploymentId, long bound, int limit, Instant? emptyCursor, bool byTime)
    {
        using var reader = statement.Run([deploymentId, bound]);
        if (!reader.Read())
        {
            return null;
        }

        // The status is of the statement's snapshot, as the lines are: if it is final, no line can be missing.
        var status = (DeploymentStatus)reader.Int(0);
        var lines = new List<LogLine>();
        var atEnd = reader.IsNull(1);
        var more = !atEnd;
        while (more && lines.Count < limit)
        {
            var header = new RunHeader(
                reader.Long(1), reader.Int(2), reader.Long(3), reader.Long(4),
                (RunCompression)reader.Int(5), reader.Int(6));

            var payload = reader.Blob(7);
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

    private LogStatement Prepare(string sql) => new((SqliteConnection)_db.Database.GetDbConnection(), sql);
}

/// <summary>Looks at a run. The payload is valid during the call alone. False when it has seen enough.</summary>
internal delegate bool RunVisitor(in RunHeader header, ReadOnlySpan<byte> payload);
