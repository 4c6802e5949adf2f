using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Deployer.Tests.Engine.Docker;
using Deployer.Tests.Runner.Crashes;

namespace Deployer.Tests.Deployments.OnEngine;

/// <summary>The real program as a process of its own over the real test engine, driven through its API alone.</summary>
public class DeployerProgram : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("deployer-program-").FullName;
    private DeployerProcess _process = null!;

    /// <summary>Its data directory.</summary>
    public string DataDirectory => _process.DataDirectory;

    /// <summary>Calls its API with the owner's token.</summary>
    public HttpClient Client => _process.Client;

    /// <summary>The engine, asked without any of our code.</summary>
    internal RawEngine Engine { get; } = new();

    /// <summary>The token that it was started with.</summary>
    public virtual string Token => "bootstrap-token-of-the-tests-0123456789";

    /// <summary>Everything that it has written to standard output and standard error.</summary>
    public string Output => _process.Output;

    /// <summary>Further settings, by their configuration keys.</summary>
    protected virtual IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>(StringComparer.Ordinal);

    public async ValueTask InitializeAsync()
    {
        _process = new DeployerProcess(
            _directory, RawEngine.Endpoint, new Dictionary<string, string>(Settings, StringComparer.Ordinal) { ["Auth:BootstrapToken"] = Token });
        Client.Timeout = TimeSpan.FromMinutes(2);
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        await _process.StartAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Engine.Dispose();
        await _process.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>A name that no other test uses.</summary>
    public static string NewName() => $"p{Guid.NewGuid():N}"[..12];

    /// <summary>An image of the open registry.</summary>
    public static string Image(string name) => $"{TestEngine.Registry}/{name}";

    public Task<JsonElement> GetAsync(string path) => _process.GetAsync(path, TestContext.Current.CancellationToken);

    /// <summary>Sends JSON, or nothing, and gives the JSON of an answer of that status.</summary>
    public Task<JsonElement> SendAsync(HttpMethod method, string path, object? body, HttpStatusCode expected) =>
        _process.SendAsync(method, path, body, expected, TestContext.Current.CancellationToken);

    /// <summary>Adds an app; what it takes beside its name and image is in <paramref name="more"/>.</summary>
    public Task AddAppAsync(string name, string image, object more)
    {
        var app = JsonSerializer.SerializeToNode(more)!.AsObject();
        app["name"] = name;
        app["image"] = image;
        return SendAsync(HttpMethod.Post, "/api/apps", app, HttpStatusCode.Created);
    }

    /// <summary>Presses Deploy.</summary>
    public async Task<long> BeginAsync(string app, string? image) => (await SendAsync(
        HttpMethod.Post, $"/api/apps/{app}/deployments", new { image }, HttpStatusCode.Accepted)).GetProperty("id").GetInt64();

    /// <summary>Deploys, follows the log to its end, and gives the deployment.</summary>
    public async Task<JsonElement> DeployAsync(string app, string? image) => await EndAsync(await BeginAsync(app, image));

    /// <summary>The same, which must succeed.</summary>
    public async Task<JsonElement> SucceedAsync(string app, string? image)
    {
        var deployment = await DeployAsync(app, image);
        Assert.True(deployment.GetProperty("status").GetString() == "succeeded", deployment.ToString());
        return deployment;
    }

    /// <summary>Follows a deployment's log to its end, and gives the deployment.</summary>
    public async Task<JsonElement> EndAsync(long id)
    {
        var after = "";
        while (true)
        {
            var page = await GetAsync($"/api/deployments/{id}/logs?wait=20{after}");
            if (page.GetProperty("complete").GetBoolean())
            {
                return await GetAsync($"/api/deployments/{id}");
            }

            after = page.GetProperty("next_after").GetString() is { } cursor ? $"&after={Uri.EscapeDataString(cursor)}" : "";
        }
    }

    /// <summary>The lines of a deployment's log, as <c>stream|text</c>.</summary>
    public async Task<IReadOnlyList<string>> LinesAsync(long id) =>
        [.. (await GetAsync($"/api/deployments/{id}/logs?limit=5000")).GetProperty("logs").EnumerateArray()
            .Select(line => $"{line.GetProperty("stream").GetString()}|{line.GetProperty("output").GetString()}")];

    /// <summary>Asks an app through the proxy.</summary>
    public Task<(HttpStatusCode Status, string Text)> AskAsync(string host, string path) =>
        _process.AnswerAsync(host, path, TestContext.Current.CancellationToken);
}
