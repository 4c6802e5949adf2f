using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Deployments.OnEngine;

/// <summary>The test engine through its HTTP API, in its own JSON: what is proved with it is proved without our code.</summary>
internal sealed class RawEngine : IDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Endpoint["unix://".Length..]), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://engine"),
    };

    /// <summary>Where it is.</summary>
    public static string Endpoint => Environment.GetEnvironmentVariable("DEPLOYER_TEST_DOCKER_HOST")
        ?? throw new InvalidOperationException("DEPLOYER_TEST_DOCKER_HOST is not set: this test needs a real engine; run ./test.sh.");

    /// <summary>All the engine knows of a container.</summary>
    public Task<JsonElement> InspectAsync(string container) => GetAsync($"/containers/{container}/json");

    public Task<JsonElement> GetAsync(string path) => _client.GetFromJsonAsync<JsonElement>(path, TestContext.Current.CancellationToken);

    public async Task<bool> HasAsync(string path)
    {
        using var response = await _client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return response.StatusCode != HttpStatusCode.NotFound;
    }

    /// <summary>Ids of the containers of an app, running or not.</summary>
    public async Task<IReadOnlyList<string>> ContainersOfAsync(string app) =>
        [.. (await GetAsync($"/containers/json?all=true&filters={Uri.EscapeDataString($"{{\"label\":[\"deployer.app={app}\"]}}")}"))
            .EnumerateArray().Select(container => container.GetProperty("Id").GetString()!)];

    /// <summary>Sends JSON, or nothing, and reads the answer to its end.</summary>
    public async Task<string> SendAsync(HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Content = body is null ? null : JsonContent.Create(body);
        if (path.EndsWith("/push", StringComparison.Ordinal) || path.Contains("/push?", StringComparison.Ordinal))
        {
            request.Headers.Add("X-Registry-Auth", Convert.ToBase64String("{}"u8));
        }

        using var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {(int)response.StatusCode} {text}");
        return text;
    }

    public void Dispose() => _client.Dispose();
}
