using System.Net.Http.Json;
using System.Text.Json;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Deployer.Tests.Fakes;

/// <summary>
/// The whole of Deployer as it is started for real: Kestrel on a free loopback port and a SQLite file in a directory of
/// its own. Only the engine is a <see cref="QuietEngine"/>.
/// </summary>
public sealed class ServerFixture : IAsyncLifetime
{
    private readonly Server _server = new();

    /// <summary>Calls the server.</summary>
    public HttpClient Client { get; private set; } = null!;

    /// <summary>The server's services.</summary>
    public IServiceProvider Services => _server.Services;

    internal QuietEngine Engine => _server.Engine;

    public ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(_server.DataDirectory);
        _server.UseKestrel(0);
        _server.StartServer();
        Client = _server.CreateClient();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _server.DisposeAsync();
        Directory.Delete(_server.DataDirectory, recursive: true);
    }

    /// <summary>A name that no other test uses.</summary>
    public static string NewName() => $"app-{Guid.NewGuid():N}"[..20];

    /// <summary>Adds an app with the least that it needs.</summary>
    public Task<string> AddAppAsync(CancellationToken cancellationToken) => AddAppWithAsync(Client, cancellationToken);

    /// <summary>Adds an app with the least that it needs, as somebody.</summary>
    public static async Task<string> AddAppWithAsync(HttpClient caller, CancellationToken cancellationToken)
    {
        var name = NewName();
        using var response = await caller.PostAsJsonAsync("/api/apps", new { name, image = "web:v1" }, cancellationToken);
        response.EnsureSuccessStatusCode();
        return name;
    }

    /// <summary>Waits until a deployment has ended.</summary>
    public async Task EndAsync(long id, CancellationToken cancellationToken)
    {
        using var bell = Services.GetRequiredService<DeploymentFeed>().Watch(id);
        while (await Services.GetRequiredService<DeploymentReader>().FindAsync(id, cancellationToken) is { } deployment && !deployment.Status.IsFinal())
        {
            await bell.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, cancellationToken);
        }
    }

    private sealed class Server : WebApplicationFactory<Program>
    {
        public QuietEngine Engine { get; } = new();

        public string DataDirectory { get; } = Path.Combine(Path.GetTempPath(), $"deployer-tests-{Guid.NewGuid():N}");

        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            builder.UseEnvironment("Development");
            builder.UseSetting("Data:Directory", DataDirectory);
            builder.UseSetting("Urls", "http://127.0.0.1:0");
            builder.UseSetting("Proxy:Urls", "http://127.0.0.1:0");
            builder.UseSetting("Runner:StaysRunning", "00:00:00");
            builder.UseSetting("Runner:ShutdownGrace", "00:00:00");
            builder.ConfigureTestServices(services => services.Replace(ServiceDescriptor.Singleton<IContainerEngine>(Engine)));
        }
    }
}

/// <summary>Reads answers of the API.</summary>
internal static class Answers
{
    /// <summary>The JSON of an answer of that status; fails with the body when the status is another.</summary>
    public static async Task<JsonElement> ReadAsync(this HttpResponseMessage response, System.Net.HttpStatusCode status, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        Assert.True(response.StatusCode == status, $"{(int)response.StatusCode} instead of {(int)status}: {body}");
        return body.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(body);
    }

    /// <summary>The problem details of an answer of that status: checks their form, gives the names of the wrong fields.</summary>
    public static async Task<Refusal> ReadProblemAsync(this HttpResponseMessage response, System.Net.HttpStatusCode status, CancellationToken cancellationToken)
    {
        var json = await response.ReadAsync(status, cancellationToken);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal((int)status, json.GetProperty("status").GetInt32());
        Assert.NotEmpty(json.GetProperty("type").GetString()!);
        Assert.NotEmpty(json.GetProperty("title").GetString()!);
        var errors = json.TryGetProperty("errors", out var fields)
            ? fields.EnumerateObject().ToDictionary(field => field.Name, field => field.Value[0].GetString()!, StringComparer.Ordinal)
            : [];
        return new Refusal(json.GetProperty("code").GetString()!, json.GetProperty("detail").GetString()!, errors);
    }
}

/// <summary>Problem details.</summary>
internal sealed record Refusal(string Code, string Detail, IReadOnlyDictionary<string, string> Errors);
