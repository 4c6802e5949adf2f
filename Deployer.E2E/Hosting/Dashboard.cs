using System.Net.Http.Json;
using System.Text.Json;
using Deployer.Core.Apps;
using Deployer.Core.Engine;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Deployer.E2E.Hosting;

/// <summary>
/// The whole of Deployer on a free loopback port, over a real engine and a database of its own. Apps that a test made
/// are removed with their containers when it is disposed.
/// </summary>
public sealed class Dashboard : IAsyncDisposable
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(200);

    private const string AllRoles = "web,runner";

    private readonly string _directory;
    private readonly bool _keepsDirectory;
    private readonly Server _server;

    private Dashboard(string directory, bool keepsDirectory, string engine, int port, string roles)
        : this(directory, keepsDirectory, engine, port, roles, _ => { })
    {
    }

    private Dashboard(string directory, bool keepsDirectory, string engine, int port, string roles, Action<IWebHostBuilder> configure)
    {
        _directory = directory;
        _keepsDirectory = keepsDirectory;
        _server = new Server(directory, engine, roles, configure);
        _server.UseKestrel(port);
        _server.StartServer();
        Api = _server.CreateClient();
        Address = Api.BaseAddress!;
    }

    /// <summary>Where it is reached.</summary>
    public Uri Address { get; }

    /// <summary>Its API.</summary>
    public HttpClient Api { get; }

    /// <summary>Its services.</summary>
    public IServiceProvider Services => _server.Services;

    /// <summary>Starts one with an empty database.</summary>
    public static Dashboard Start() => Start(Settings.Engine);

    /// <summary>Starts one over the engine at an address, which may not answer.</summary>
    public static Dashboard Start(string engine) =>
        new(Directory.CreateTempSubdirectory("deployer-e2e-").FullName, keepsDirectory: false, engine, port: 0, AllRoles);

    /// <summary>Starts one over the engine at an address, with a proxy on a free port.</summary>
    public static Dashboard StartWithProxy(string engine) =>
        new(Directory.CreateTempSubdirectory("deployer-e2e-").FullName, keepsDirectory: false, engine, port: 0, $"{AllRoles},proxy");

    /// <summary>Starts one that takes deployments and runs none.</summary>
    public static Dashboard StartWithoutRunner() =>
        new(Directory.CreateTempSubdirectory("deployer-e2e-").FullName, keepsDirectory: false, Settings.Engine, port: 0, "web");

    /// <summary>Starts one that takes deployments and runs none, with services of the caller's own.</summary>
    public static Dashboard StartWithoutRunner(Action<IServiceCollection> configure) =>
        new(Directory.CreateTempSubdirectory("deployer-e2e-").FullName, keepsDirectory: false, Settings.Engine, port: 0, "web", builder => builder.ConfigureServices(configure));

    /// <summary>Starts one that takes deployments and runs none, with further settings.</summary>
    public static Dashboard StartWithoutRunner(IReadOnlyDictionary<string, string> settings) =>
        new(Directory.CreateTempSubdirectory("deployer-e2e-").FullName, keepsDirectory: false, Settings.Engine, port: 0, "web", builder =>
        {
            foreach (var (key, value) in settings)
            {
                builder.UseSetting(key, value);
            }
        });

    /// <summary>Starts one that runs no deployments, on an address and a database that somebody else keeps.</summary>
    public static Dashboard StartWithoutRunner(string directory, int port) => new(directory, keepsDirectory: true, Settings.Engine, port, "web");

    /// <summary>Starts one on an address and a database that somebody else keeps, as after a restart.</summary>
    public static Dashboard Start(string directory, int port, Action<IServiceCollection> configure) =>
        new(directory, keepsDirectory: true, Settings.Engine, port, AllRoles, builder => builder.ConfigureServices(configure));

    /// <summary>Adds an app and gives its name.</summary>
    public async Task<string> AddAppAsync(string stem, string image)
    {
        var name = $"{stem}-{Guid.NewGuid():N}"[..(stem.Length + 7)];
        return await AddAppAsync(new { name, image, ports = new[] { new { container = 8080, host = 0 } } });
    }

    /// <summary>Adds an app, given as its JSON, and gives its name.</summary>
    public async Task<string> AddAppAsync(object app)
    {
        using var response = await Api.PostAsJsonAsync("/api/apps", app, TestContext.Current.CancellationToken);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("name").GetString()!;
    }

    /// <summary>Queues a deployment and gives its id.</summary>
    public async Task<long> DeployAsync(string app)
    {
        using var response = await Api.PostAsJsonAsync($"/api/apps/{app}/deployments", new { }, TestContext.Current.CancellationToken);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("id").GetInt64();
    }

    /// <summary>Follows a deployment's log by its cursor until it is complete: the lines, and the final status.</summary>
    public async Task<(IReadOnlyList<string> Lines, string Status)> FollowAsync(long deployment)
    {
        var lines = new List<string>();
        string? after = null;
        while (true)
        {
            var cursor = after is null ? "" : $"&after={Uri.EscapeDataString(after)}";
            var page = await Api.GetFromJsonAsync<JsonElement>(
                $"/api/deployments/{deployment}/logs?limit=1000{cursor}", TestContext.Current.CancellationToken);
            lines.AddRange(page.GetProperty("logs").EnumerateArray().Select(line => line.GetProperty("output").GetString()!));
            after = page.GetProperty("next_after").GetString();
            if (page.GetProperty("complete").GetBoolean())
            {
                return (lines, page.GetProperty("status").GetString()!);
            }

            if (page.GetProperty("logs").GetArrayLength() == 0)
            {
                await Task.Delay(PollEvery, TestContext.Current.CancellationToken);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_keepsDirectory)
        {
            await RemoveContainersAsync();
        }

        Api.Dispose();
        await _server.DisposeAsync();
        if (!_keepsDirectory)
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    // Through the engine, because a deployment that still runs would hold on to its app.
    private async Task RemoveContainersAsync()
    {
        var engine = Services.GetRequiredService<IContainerEngine>();
        var apps = await Services.GetRequiredService<AppCatalog>().ListAsync(CancellationToken.None);
        try
        {
            foreach (var name in apps.Select(app => app.Name))
            {
                var labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["deployer.app"] = name };
                foreach (var container in await engine.ListContainersAsync(labels, CancellationToken.None))
                {
                    await engine.RemoveContainerAsync(container.Id, CancellationToken.None);
                }
            }
        }
        catch (EngineUnreachableException)
        {
            // A test over an engine that does not answer made no containers.
        }
    }

    private sealed class Server(string directory, string engine, string roles, Action<IWebHostBuilder> configure) : WebApplicationFactory<Program>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            builder.UseEnvironment("Development");
            builder.UseSetting("Data:Directory", directory);
            builder.UseSetting("Engine:Endpoint", engine);
            builder.UseSetting("Roles", roles);
            builder.UseSetting("Proxy:Urls", "http://127.0.0.1:0");
            builder.UseSetting("Logging:LogLevel:Default", "Warning");
            configure(builder);
        }
    }
}
