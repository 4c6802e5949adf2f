using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Deployer.Bench.SwitchOver;

/// <summary>The few calls that the measurement makes, over the public API.</summary>
internal sealed class DeployerApi : IDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    private readonly HttpClient _client;

    public DeployerApi(Uri address, string token)
    {
        _client = new HttpClient { BaseAddress = address };
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public Task AddAppAsync(string name, string image, string host, CancellationToken cancellationToken) =>
        AddAppAsync(new { name, image, hosts = new[] { host } }, cancellationToken);

    public async Task AddAppAsync<T>(T app, CancellationToken cancellationToken)
    {
        using var answer = await _client.PostAsJsonAsync(new Uri("/api/apps", UriKind.Relative), app, cancellationToken);
        await EnsureAsync(answer, cancellationToken);
    }

    public async Task RemoveAppAsync(string name, CancellationToken cancellationToken)
    {
        using var answer = await _client.DeleteAsync(new Uri($"/api/apps/{name}", UriKind.Relative), cancellationToken);
        await EnsureAsync(answer, cancellationToken);
    }

    /// <summary>Deploys an app as it is and follows the log to its end; gives the deployment, or raises unless it succeeded.</summary>
    public async Task<JsonElement> FollowAsync(string app, CancellationToken cancellationToken)
    {
        using var answer = await _client.PostAsJsonAsync(new Uri($"/api/apps/{app}/deployments", UriKind.Relative), new { }, cancellationToken);
        await EnsureAsync(answer, cancellationToken);
        var address = answer.Headers.Location ?? throw new InvalidOperationException("The answer to Deploy has no Location.");
        var after = "";
        while (true)
        {
            var page = await _client.GetFromJsonAsync<JsonElement>(new Uri($"{address}/logs?wait=20{after}", UriKind.Relative), cancellationToken);
            if (page.GetProperty("complete").GetBoolean())
            {
                var deployment = await _client.GetFromJsonAsync<JsonElement>(address, cancellationToken);
                return deployment.GetProperty("status").GetString() == "succeeded"
                    ? deployment
                    : throw new InvalidOperationException($"A deployment did not succeed: {deployment}");
            }

            after = page.GetProperty("next_after").GetString() is { } cursor ? $"&after={Uri.EscapeDataString(cursor)}" : "";
        }
    }

    /// <summary>Deploys and waits for the end; raises unless it succeeded.</summary>
    public async Task DeployAsync(string app, string image, CancellationToken cancellationToken)
    {
        using var answer = await _client.PostAsJsonAsync(
            new Uri($"/api/apps/{app}/deployments", UriKind.Relative), new { image, reason = "measurement" }, cancellationToken);
        await EnsureAsync(answer, cancellationToken);
        var address = answer.Headers.Location ?? throw new InvalidOperationException("The answer to Deploy has no Location.");
        while (true)
        {
            var deployment = await _client.GetFromJsonAsync<JsonElement>(address, cancellationToken);
            switch (deployment.GetProperty("status").GetString())
            {
                case "succeeded":
                    return;
                case "queued" or "running":
                    await Task.Delay(LookInterval, TimeProvider.System, cancellationToken);
                    break;
                default:
                    throw new InvalidOperationException($"A deployment did not succeed: {deployment}");
            }
        }
    }

    public void Dispose() => _client.Dispose();

    private static async Task EnsureAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException(
                $"{answer.RequestMessage?.RequestUri} answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancellationToken)}");
        }
    }
}
