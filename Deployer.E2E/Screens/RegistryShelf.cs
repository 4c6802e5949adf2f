using System.Net.Http.Headers;
using System.Text.Json;
using Deployer.E2E.Hosting;

namespace Deployer.E2E.Screens;

/// <summary>Puts images of the test registry under other names, as a team would have pushed them.</summary>
internal sealed class RegistryShelf : IDisposable
{
    private const string Manifest = "application/vnd.docker.distribution.manifest.v2+json";

    private readonly HttpClient _http = new() { BaseAddress = new Uri($"http://{Settings.Registry}/v2/") };

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>Makes <paramref name="name"/> with those tags lead to an image that is there.</summary>
    public async Task PutAsync(string from, string tag, string name, params string[] tags)
    {
        using var ask = new HttpRequestMessage(HttpMethod.Get, $"{from}/manifests/{tag}");
        ask.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(Manifest));
        using var found = await _http.SendAsync(ask);
        found.EnsureSuccessStatusCode();
        var manifest = await found.Content.ReadAsStringAsync();
        var root = JsonDocument.Parse(manifest).RootElement;
        foreach (var blob in root.GetProperty("layers").EnumerateArray().Append(root.GetProperty("config")).Select(part => part.GetProperty("digest").GetString()).Distinct(StringComparer.Ordinal))
        {
            using var mounted = await _http.PostAsync($"{name}/blobs/uploads/?mount={blob}&from={from}", content: null);
            mounted.EnsureSuccessStatusCode();
        }

        foreach (var wanted in tags)
        {
            using var content = new StringContent(manifest, new MediaTypeHeaderValue(Manifest));
            using var put = await _http.PutAsync($"{name}/manifests/{wanted}", content);
            put.EnsureSuccessStatusCode();
        }
    }
}
