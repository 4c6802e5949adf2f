using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Deployer.Tests.Engine.Docker;
using Deployer.Tests.Fakes;
using Deployer.Tests.Proxy;

namespace Deployer.Tests.Deployments.OnEngine;

/// <summary>The real program as a process of its own over the real test engine, driven through its API alone.</summary>
public class DeployerProgram : IAsyncLifetime
{
    private readonly StringBuilder _output = new();
    private readonly int _port = ProxyWorld.FreePort();
    private readonly int _proxyPort = ProxyWorld.FreePort();
    private Process _process = null!;

    /// <summary>Its data directory.</summary>
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("deployer-program-").FullName;

    /// <summary>Calls its API with the owner's token.</summary>
    public HttpClient Client { get; private set; } = null!;

    /// <summary>The engine, asked without any of our code.</summary>
    internal RawEngine Engine { get; } = new();

    /// <summary>The token that it was started with.</summary>
    public virtual string Token => "bootstrap-token-of-the-tests-0123456789";

    /// <summary>Everything that it has written to standard output and standard error.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>Further settings, as environment variables.</summary>
    protected virtual IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>(StringComparer.Ordinal);

    public async ValueTask InitializeAsync()
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Deployer.Web.dll"));
        foreach (var (key, value) in new Dictionary<string, string>(Settings, StringComparer.Ordinal)
        {
            ["Urls"] = $"http://127.0.0.1:{_port}",
            ["Proxy__Urls"] = $"http://127.0.0.1:{_proxyPort}",
            ["Data__Directory"] = Directory,
            ["Engine__Endpoint"] = RawEngine.Endpoint,
            ["Auth__BootstrapToken"] = Token,
            ["Logging__LogLevel__Microsoft.Hosting.Lifetime"] = "Information",
        })
        {
            start.Environment[key] = value;
        }

        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) =>
        {
            Take(line.Data);
            if (line.Data?.Contains("Application started", StringComparison.Ordinal) == true)
            {
                ready.TrySetResult();
            }
        };
        _process.ErrorDataReceived += (_, line) => Take(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Assert.True(await Task.WhenAny(ready.Task, _process.WaitForExitAsync()) == ready.Task, $"Deployer did not start: {Output}");
        Client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_port}"), Timeout = TimeSpan.FromMinutes(2) };
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Engine.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>A name that no other test uses.</summary>
    public static string NewName() => $"p{Guid.NewGuid():N}"[..12];

    /// <summary>An image of the open registry.</summary>
    public static string Image(string name) => $"{TestEngine.Registry}/{name}";

    public Task<JsonElement> GetAsync(string path) => Client.GetFromJsonAsync<JsonElement>(path, TestContext.Current.CancellationToken);

    /// <summary>Sends JSON, or nothing, and gives the JSON of an answer of that status.</summary>
    public async Task<JsonElement> SendAsync(HttpMethod method, string path, object? body, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Content = body is null ? null : JsonContent.Create(body);
        using var response = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        return await response.ReadAsync(expected, TestContext.Current.CancellationToken);
    }

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
    public async Task<(HttpStatusCode Status, string Text)> AskAsync(string host, string path)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get, new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_proxyPort}{path}")));
        request.Headers.Host = host;
        request.Headers.Authorization = null;
        using var response = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private void Take(string? line)
    {
        lock (_output)
        {
            _output.AppendLine(line);
        }
    }
}
