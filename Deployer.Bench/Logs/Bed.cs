using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using NodaTime;

namespace Deployer.Bench.Logs;

/// <summary>A real database in a directory, its log store and what belongs to it.</summary>
internal sealed class Bed : IDbContextFactory<DeployerDb>, IAsyncDisposable
{
    private readonly DbContextOptions<DeployerDb> _options;
    private readonly bool _ownsDirectory;
    private int _number;

    public Bed(string directory, bool ownsDirectory)
    {
        Directory = directory;
        _ownsDirectory = ownsDirectory;
        System.IO.Directory.CreateDirectory(directory);
        _options = (DbContextOptions<DeployerDb>)new DbContextOptionsBuilder<DeployerDb>().UseDeployerSqlite(directory).Options;
        using (var db = CreateDbContext())
        {
            db.Database.Migrate();
            db.Database.ExecuteSqlRaw("PRAGMA journal_mode=WAL");
        }

        Store = new LogStore(this, Feed, TimeProvider.System, Options.Create(new LogOptions()), NullLogger<LogStore>.Instance);
        Search = new LogSearch(Store, TimeProvider.System);
    }

    public string Directory { get; }

    public DeploymentFeed Feed { get; } = new();

    public LogStore Store { get; }

    public LogSearch Search { get; }

    public static Bed Create() => new(System.IO.Directory.CreateTempSubdirectory("deployer-bench-").FullName, ownsDirectory: true);

    public DeployerDb CreateDbContext() => new(_options);

    /// <summary>Adds a running deployment of an app of its own.</summary>
    public long AddDeployment()
    {
        using var db = CreateDbContext();
        var now = TimeProvider.System.Now();
        var number = Interlocked.Increment(ref _number);
        var app = new App
        {
            Name = $"app-{Guid.NewGuid():N}",
            Environment = "production",
            Spec = new AppSpec { Image = "web" },
            CreatedAt = now,
            UpdatedAt = now,
        };
        db.Apps.Add(app);
        db.SaveChanges();
        var deployment = new Deployment
        {
            AppId = app.Id,
            Number = number,
            Status = DeploymentStatus.Running,
            Spec = app.Spec,
            CreatedAt = now,
        };
        db.Deployments.Add(deployment);
        db.SaveChanges();
        return deployment.Id;
    }

    public void End(long deploymentId)
    {
        using var db = CreateDbContext();
        Instant? now = TimeProvider.System.Now();
        db.Deployments.Where(row => row.Id == deploymentId).ExecuteUpdate(
            set => set.SetProperty(row => row.Status, DeploymentStatus.Succeeded).SetProperty(row => row.EndedAt, now));
        Feed.Publish(deploymentId);
    }

    public async Task SealAsync()
    {
        using var sealer = new LogSealer(Store, this, Feed, TimeProvider.System, NullLogger<LogSealer>.Instance);
        await sealer.SealEndedAsync(CancellationToken.None);
    }

    public async Task AppendAsync(long deploymentId, IEnumerable<string> lines)
    {
        await using var appender = Store.Open(deploymentId, []);
        foreach (var line in lines)
        {
            await appender.AppendAsync(LogStream.Stdout, StepKind.Start, line, CancellationToken.None);
        }
    }

    /// <summary>Bytes of the pages in use.</summary>
    public long UsedBytes()
    {
        using var connection = OpenRaw();
        using var command = connection.CreateCommand();
        command.CommandText =
            "PRAGMA wal_checkpoint(TRUNCATE); SELECT (SELECT page_count FROM pragma_page_count()) - (SELECT freelist_count FROM pragma_freelist_count())";
        using var reader = command.ExecuteReader();
        reader.NextResult();
        reader.Read();
        return reader.GetInt64(0) * 4096;
    }

    public SqliteConnection OpenRaw()
    {
        var connection = new SqliteConnection($"Data Source={Path.Combine(Directory, DataOptions.DatabaseFile)};Pooling=False");
        connection.Open();
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        Search.Dispose();
        await Store.DisposeAsync();
        using (var db = CreateDbContext())
        {
            SqliteConnection.ClearPool((SqliteConnection)db.Database.GetDbConnection());
        }

        if (_ownsDirectory)
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }
    }
}
