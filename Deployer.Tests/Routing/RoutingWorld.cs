using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Routing;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Deployer.Tests.Routing;

/// <summary>A database of its own and the routing over it, as one process has them. Further processes come from <see cref="Another"/>.</summary>
internal sealed class RoutingWorld : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly string _directory;
    private readonly bool _isFirst;
    private readonly TimeProvider _time;

    private RoutingWorld(string directory, bool isFirst, TimeProvider time, Action<IServiceCollection> add)
    {
        _directory = directory;
        _isFirst = isFirst;
        _time = time;
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["Data:Directory"] = directory,
                ["Proxy:Urls"] = "http://127.0.0.1:0",
            })
            .Build());
        services.AddSingleton<IHostEnvironment>(new Environment());
        services.AddSingleton(time);
        services.AddData();
        services.AddTraffic();
        add(services);
        _services = services.BuildServiceProvider();
    }

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public TrafficSwitch Traffic => Get<TrafficSwitch>();

    public ProxyRegister Proxies => Get<ProxyRegister>();

    public RouteReader Routes => Get<RouteReader>();

    public HostBook Hosts => Get<HostBook>();

    public RouteFeed Feed => Get<RouteFeed>();

    public IDbContextFactory<DeployerDb> Databases => Get<IDbContextFactory<DeployerDb>>();

    public static Task<RoutingWorld> StartAsync() => StartAsync(TimeProvider.System, _ => { });

    public static async Task<RoutingWorld> StartAsync(TimeProvider time, Action<IServiceCollection> add)
    {
        var directory = Directory.CreateTempSubdirectory("deployer-routing-").FullName;
        var world = new RoutingWorld(directory, isFirst: true, time, add);
        await world.Get<DatabaseStartup>().PrepareAsync(Stop);
        return world;
    }

    /// <summary>Another process over the same database: no bell of the first rings there.</summary>
    public RoutingWorld Another() => new(_directory, isFirst: false, _time, _ => { });

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    /// <summary>An app with hosts, as the catalog stores it.</summary>
    public async Task<long> AddAppAsync(string name, params string[] hosts)
    {
        await using var db = await Databases.CreateDbContextAsync(Stop);
        var app = new App
        {
            Name = name,
            Environment = "default",
            Spec = new AppSpec { Image = "web:v1", Hosts = hosts },
            CreatedAt = _time.Now(),
            UpdatedAt = _time.Now(),
        };
        db.Apps.Add(app);
        await db.SaveChangesAsync(Stop);
        return app.Id;
    }

    public static NewTarget Target(string containerId, int port) => new(1, containerId, 8080, new TargetAddress("127.0.0.1", port));

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        if (_isFirst)
        {
            SqliteConnection.ClearAllPools();
            Directory.Delete(_directory, recursive: true);
        }
    }

    private sealed class Environment : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = Environments.Development;

        public string ApplicationName { get; set; } = "Deployer.Tests";

        public string ContentRootPath { get; set; } = AppContext.BaseDirectory;

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
