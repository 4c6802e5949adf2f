using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Bench.Logs;

/// <summary>What our figures are held against. Each works in a directory of its own.</summary>
internal static class Baselines
{
    /// <summary>A table of rows as one would write it by hand: integers, an index of deployment and time, WAL, FULL.</summary>
    public static SqliteConnection OpenRows(string directory)
    {
        var connection = new SqliteConnection($"Data Source={Path.Combine(directory, "rows.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            """
            PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
            CREATE TABLE IF NOT EXISTS logs (id INTEGER PRIMARY KEY, deployment_id INTEGER NOT NULL, line INTEGER NOT NULL,
              time INTEGER NOT NULL, stream INTEGER NOT NULL, step INTEGER NOT NULL, text TEXT NOT NULL);
            CREATE UNIQUE INDEX IF NOT EXISTS ix_logs ON logs (deployment_id, time)
            """;
        command.ExecuteNonQuery();
        return connection;
    }

    /// <summary>Prepared inserts in transactions of 1,000.</summary>
    public static void InsertRows(SqliteConnection connection, int deployments, long firstTime, IEnumerable<string> lines)
    {
        using var insert = connection.CreateCommand();
        insert.CommandText = "INSERT INTO logs (deployment_id, line, time, stream, step, text) VALUES ($d, $l, $t, 1, 2, $x)";
        var deployment = insert.Parameters.Add("$d", SqliteType.Integer);
        var line = insert.Parameters.Add("$l", SqliteType.Integer);
        var time = insert.Parameters.Add("$t", SqliteType.Integer);
        var text = insert.Parameters.Add("$x", SqliteType.Text);
        var number = firstTime;
        foreach (var batch in lines.Chunk(1_000))
        {
            using var transaction = connection.BeginTransaction();
            insert.Transaction = transaction;
            foreach (var one in batch)
            {
                deployment.Value = (number % deployments) + 1;
                line.Value = time.Value = ++number;
                text.Value = one;
                insert.ExecuteNonQuery();
            }

            transaction.Commit();
        }
    }

    /// <summary>A prepared page of rows after a cursor; all columns are read.</summary>
    public static Func<long, long, int> PreparePage(SqliteConnection connection, int limit)
    {
        var command = connection.CreateCommand();
        command.CommandText = "SELECT line, time, stream, step, text FROM logs WHERE deployment_id = $d AND time > $t ORDER BY time LIMIT " + limit;
        var deployment = command.Parameters.Add("$d", SqliteType.Integer);
        var after = command.Parameters.Add("$t", SqliteType.Integer);
        command.Prepare();
        return (id, time) =>
        {
            deployment.Value = id;
            after.Value = time;
            using var reader = command.ExecuteReader();
            var page = new List<(long, long, long, long, string)>();
            while (reader.Read())
            {
                page.Add((reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetString(4)));
            }

            return page.Count;
        };
    }

    /// <summary>Appends to a file, on the disk after every 1,000 lines.</summary>
    public static void AppendFile(string directory, IEnumerable<string> lines)
    {
        using var file = new FileStream(Path.Combine(directory, "log.txt"), FileMode.Append, FileAccess.Write, FileShare.Read, 1 << 16);
        using var writer = new StreamWriter(file);
        foreach (var batch in lines.Chunk(1_000))
        {
            foreach (var line in batch)
            {
                writer.WriteLine(line);
            }

            writer.Flush();
            file.Flush(flushToDisk: true);
        }
    }

    /// <summary>The naive port: one entity and one SaveChanges per line, ids and times as text.</summary>
    public static void InsertNaively(string directory, IEnumerable<string> lines)
    {
        var options = new DbContextOptionsBuilder<NaiveDb>().UseSqlite($"Data Source={Path.Combine(directory, "naive.db")};Pooling=False").Options;
        using var db = new NaiveDb(options);
        db.Database.EnsureCreated();
        db.Database.ExecuteSqlRaw("PRAGMA journal_mode=WAL");
        foreach (var line in lines)
        {
            db.Add(new NaiveLine
            {
                Id = Guid.NewGuid().ToString(),
                DeploymentId = "0d7a2f1c-7d9c-4d5a-9f4e-0a4f3b2c1d00",
                CreatedAt = TimeProvider.System.GetUtcNow().ToString("O"),
                Output = line,
            });
            db.SaveChanges();
        }
    }

    private sealed class NaiveDb(DbContextOptions<NaiveDb> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) =>
            modelBuilder.Entity<NaiveLine>().HasIndex(line => new { line.DeploymentId, line.CreatedAt });
    }

    private sealed class NaiveLine
    {
        public required string Id { get; init; }

        public required string DeploymentId { get; init; }

        public required string CreatedAt { get; init; }

        public required string Output { get; init; }
    }
}
