using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Logs;
using Deployer.Core.Runner;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace Deployer.Tests.Fakes;

/// <summary>
/// A runner over a real database and log store in a directory of its own, a fake engine and a clock that the test moves.
/// </summary>
internal sealed class RunnerBench : IAsyncDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ServiceProvider _services;
    private readonly bool _ownsDirectory;
    private readonly TimeProvider _time;
    private readonly List<IHostedService> _started = [];

    private RunnerBench(
        string directory, bool ownsDirectory, TimeProvider time, IContainerEngine engine, Dictionary<string, string?> settings,
        OwnContainer own)
    {
        Directory = directory;
        _ownsDirectory = ownsDirectory;
        _time = time;
        settings["Data:Directory"] = directory;
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        services.AddSingleton<IHostEnvironment>(new BareEnvironment(directory));
        services.AddLogging();
        services.AddSingleton(time);
        services.AddSingleton(engine);
        services.AddData();
        services.AddLogs();
        services.AddDeployments();
        services.AddSingleton<AppCatalog>();
        services.AddAppOverviews();
        services.AddRunner();
        services.AddSingleton(own);
        if (engine is FakeContainerEngine)
        {
            services.AddSingleton<IHealthProbe>(Probe);
        }

        _services = services.BuildServiceProvider(validateScopes: true);
    }

    public string Directory { get; }

    public FakeTimeProvider Time => (FakeTimeProvider)_time;

    public FakeHealthProbe Probe { get; } = new();

    public FakeContainerEngine Engine => (FakeContainerEngine)Get<IContainerEngine>();

    public DeploymentQueue Queue => Get<DeploymentQueue>();

    public static Task<RunnerBench> CreateAsync() => CreateAsync(new Dictionary<string, string?>(StringComparer.Ordinal));

    public static async Task<RunnerBench> CreateAsync(Dictionary<string, string?> settings)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("deployer-runner-").FullName;
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(56));

        // The clock runs some twenty times as fast as the machine: what only bounds a fault must not come in between.
        settings.TryAdd("Runner:Lease", "00:10:00");
        var bench = new RunnerBench(directory, true, time, new FakeContainerEngine(time), settings, OwnContainer.Read("/nowhere"));
        await bench.Get<DatabaseStartup>().PrepareAsync(CancellationToken.None);
        return bench;
    }

    /// <summary>The same over a real engine and the machine's clock.</summary>
    public static async Task<RunnerBench> CreateAsync(IContainerEngine engine, Dictionary<string, string?> settings)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("deployer-runner-").FullName;
        var bench = new RunnerBench(directory, true, TimeProvider.System, engine, settings, OwnContainer.Read("/nowhere"));
        await bench.Get<DatabaseStartup>().PrepareAsync(CancellationToken.None);
        return bench;
    }

    /// <summary>Another Deployer on the same directory and engine, as after a restart.</summary>
    public RunnerBench Restart() => Restart(OwnContainer.Read("/nowhere"));

    /// <summary>The same in a container.</summary>
    public RunnerBench Restart(OwnContainer own) =>
        new(Directory, false, Time, Engine, new(StringComparer.Ordinal) { ["Runner:Lease"] = "00:10:00" }, own);

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    /// <summary>Adds an app.</summary>
    public async Task AddAppAsync(string name, AppSpec spec)
    {
        await using var db = await Get<IDbContextFactory<DeployerDb>>().CreateDbContextAsync();
        db.Apps.Add(new App { Name = name, Environment = "production", Spec = spec, CreatedAt = _time.Now(), UpdatedAt = _time.Now() });
        await db.SaveChangesAsync();
    }

    /// <summary>Queues a deployment and gives its id.</summary>
    public async Task<long> EnqueueAsync(string app, string? image) =>
        Assert.IsType<EnqueueResult.Queued>(
            await Queue.EnqueueAsync(app, new DeploymentRequest(image, null, "tester", null), CancellationToken.None)).Deployment.Id;

    /// <summary>Claims a queued deployment and executes it in the background.</summary>
    public async Task<Task> BeginAsync(long id, CancellationToken shutdown)
    {
        var worker = Get<WorkerIdentity>();
        worker.Announce();
        Assert.True(Get<ActiveRuns>().TryAdd(id));
        var claimed = await Get<DeploymentLedger>().ClaimAsync(id, worker.Name, TimeSpan.FromMinutes(10), CancellationToken.None);
        Assert.NotNull(claimed);
        return Task.Run(
            async () =>
            {
                await Get<DeploymentExecutor>().ExecuteAsync(claimed, shutdown);
                Get<ActiveRuns>().Remove(id);
            },
            CancellationToken.None);
    }

    /// <summary>Queues a deployment, executes it to its end and gives what became of it.</summary>
    public async Task<DeploymentView> DeployAsync(string app, string? image)
    {
        var id = await EnqueueAsync(app, image);
        await CompleteAsync(await BeginAsync(id, CancellationToken.None));
        return await ViewAsync(id);
    }

    public async Task<DeploymentView> ViewAsync(long id) =>
        (await Get<DeploymentReader>().FindAsync(id, CancellationToken.None))!;

    public async Task<Deployment> RowAsync(long id)
    {
        await using var db = await Get<IDbContextFactory<DeployerDb>>().CreateDbContextAsync();
        return await db.Deployments.AsNoTracking().SingleAsync(row => row.Id == id);
    }

    public async Task<long?> CurrentAsync(string app)
    {
        await using var db = await Get<IDbContextFactory<DeployerDb>>().CreateDbContextAsync();
        return await db.Apps.Where(row => row.Name == app).Select(row => row.CurrentDeploymentId).SingleAsync();
    }

    /// <summary>The lines of a deployment's log, as <c>stream|text</c>.</summary>
    public async Task<IReadOnlyList<string>> LinesAsync(long id)
    {
        var page = await Get<LogStore>().GetLogsAfter(id, null, 10_000, CancellationToken.None);
        return [.. page!.Lines.Select(line => $"{line.Stream.ToString().ToLowerInvariant()}|{line.Text}")];
    }

    /// <summary>Starts the hosted services.</summary>
    public async Task StartAsync()
    {
        foreach (var service in _services.GetServices<IHostedService>())
        {
            await service.StartAsync(CancellationToken.None);
            _started.Add(service);
        }
    }

    /// <summary>Stops the hosted services as a host does.</summary>
    public async Task StopAsync()
    {
        var stopping = Task.WhenAll(_started.Select(service => service.StopAsync(CancellationToken.None)));
        await CompleteAsync(stopping);
        _started.Clear();
    }

    /// <summary>Moves the clock until the task is done.</summary>
    public async Task CompleteAsync(Task task)
    {
        await UntilAsync(() => Task.FromResult(task.IsCompleted));
        await task;
    }

    /// <summary>Moves the clock until something is so.</summary>
    public async Task UntilAsync(Func<Task<bool>> isSo)
    {
        var began = TimeProvider.System.GetTimestamp();
        using var bell = Get<DeploymentFeed>().WatchAll();
        while (!await isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Patience, "It never came to be.");
            (_time as FakeTimeProvider)?.Advance(Step);
            await bell.WaitAsync(TimeSpan.FromMilliseconds(5), TimeProvider.System, CancellationToken.None);
        }
    }

    /// <summary>As a crash: the worker's lock is gone, its work is not ended.</summary>
    public void Die() => Get<WorkerIdentity>().Dispose();

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _services.DisposeAsync();
        if (_ownsDirectory)
        {
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            System.IO.Directory.Delete(Directory, recursive: true);
        }
    }

    private sealed class BareEnvironment(string root) : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = "Production";

        public string ApplicationName { get; set; } = "Deployer";

        public string ContentRootPath { get; set; } = root;

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
