using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using NodaTime;

namespace Deployer.Tests.Logs;

/// <summary>A real database file with its migrations, and log stores over it.</summary>
internal sealed class LogTestBed : IAsyncDisposable, IDbContextFactory<DeployerDb>
{
    private static readonly Lazy<byte[]> Empty = new(MakeEmpty);

    private readonly DbContextOptions<DeployerDb> _options;
    private readonly List<LogStore> _stores = [];
    private long _appId;
    private int _number;

    // In memory where the system offers that: these tests are not about the disk, and a thousand cases sync often.
    public LogTestBed()
        : this(System.IO.Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath())
    {
    }

    public LogTestBed(string parent)
    {
        Directory = System.IO.Directory.CreateDirectory(Path.Combine(parent, $"deployer-logs-{Guid.NewGuid():N}")).FullName;
        File.WriteAllBytes(DatabaseFile, Empty.Value);
        _options = (DbContextOptions<DeployerDb>)new DbContextOptionsBuilder<DeployerDb>().UseDeployerSqlite(Directory).Options;
    }

    public string Directory { get; }

    public string DatabaseFile => Path.Combine(Directory, DataOptions.DatabaseFile);

    public DeploymentFeed Feed { get; } = new();

    public DeployerDb CreateDbContext() => new(_options);

    public LogStore OpenStore() => OpenStore(TimeProvider.System);

    public LogStore OpenStore(TimeProvider time) => OpenStore(time, new LogOptions());

    public LogStore OpenStore(TimeProvider time, LogOptions options)
    {
        var store = new LogStore(this, Feed, time, Options.Create(options), NullLogger<LogStore>.Instance);
        _stores.Add(store);
        return store;
    }

    /// <summary>Adds a running deployment of an app of its own.</summary>
    public async Task<long> AddDeploymentAsync() => await AddDeploymentAsync(DeploymentStatus.Running, "web");

    public async Task<long> AddDeploymentAsync(DeploymentStatus status, string image)
    {
        await using var db = CreateDbContext();
        var app = new App
        {
            Name = $"app-{Interlocked.Increment(ref _appId)}",
            Environment = "production",
            Spec = new AppSpec { Image = image },
            CreatedAt = Instant.FromUnixTimeSeconds(0),
            UpdatedAt = Instant.FromUnixTimeSeconds(0),
        };
        db.Apps.Add(app);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        return await AddDeploymentAsync(app.Id, status, Instant.FromUnixTimeSeconds(0));
    }

    public async Task<long> AddDeploymentAsync(long appId, DeploymentStatus status, Instant created)
    {
        await using var db = CreateDbContext();
        var deployment = new Deployment
        {
            AppId = appId,
            Number = Interlocked.Increment(ref _number),
            Status = status,
            Spec = new AppSpec { Image = "web" },
            CreatedAt = created,
            EndedAt = status.IsFinal() ? created : null,
        };
        db.Deployments.Add(deployment);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        return deployment.Id;
    }

    /// <summary>Ends a deployment, as the runner does: one conditional update, then the bell.</summary>
    public async Task EndAsync(long deploymentId)
    {
        await using var db = CreateDbContext();
        await db.Deployments.Where(deployment => deployment.Id == deploymentId).ExecuteUpdateAsync(
            set => set.SetProperty(deployment => deployment.Status, DeploymentStatus.Succeeded),
            TestContext.Current.CancellationToken);
        Feed.Publish(deploymentId);
    }

    /// <summary>Removes a deployment, so that a thousand of them do not slow what looks at all.</summary>
    public async Task RemoveAsync(long deploymentId)
    {
        await using var db = CreateDbContext();
        await db.Deployments.Where(deployment => deployment.Id == deploymentId).ExecuteDeleteAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
        {
            await store.DisposeAsync();
        }

        using (var connection = new SqliteConnection(CreateDbContext().Database.GetConnectionString()))
        {
            SqliteConnection.ClearPool(connection);
        }

        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private static byte[] MakeEmpty()
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("deployer-empty-");
        try
        {
            var options = new DbContextOptionsBuilder<DeployerDb>().UseDeployerSqlite(directory.FullName).Options;
            using (var db = new DeployerDb((DbContextOptions<DeployerDb>)options))
            {
                db.Database.Migrate();
                db.Database.ExecuteSqlRaw("PRAGMA journal_mode=WAL");
                SqliteConnection.ClearPool((SqliteConnection)db.Database.GetDbConnection());
            }

            return File.ReadAllBytes(Path.Combine(directory.FullName, DataOptions.DatabaseFile));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
