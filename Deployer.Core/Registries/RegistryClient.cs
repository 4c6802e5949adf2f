using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Deployer.Core.Engine;
using Microsoft.Extensions.Logging;

namespace Deployer.Core.Registries;

/// <summary>
/// Asks a registry what an engine cannot tell: which tags there are, and whether a digest is still there. Speaks the OCI
/// distribution API (https://github.com/opencontainers/distribution-spec/blob/main/spec.md) with basic authentication and
/// the token service. What it cannot find out is <see langword="null"/>: its answers help, nothing depends on them.
/// </summary>
public sealed partial class RegistryClient(TimeProvider time, ILogger<RegistryClient> logger) : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private static readonly string[] ManifestTypes =
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ];

    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = true, UseCookies = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Tags of the image's repository, at most 1,000; <see langword="null"/> when the registry does not tell.</summary>
    public async Task<IReadOnlyList<string>?> ListTagsAsync(
        ImageReference image, RegistryCredentials? credentials, CancellationToken cancellationToken)
    {
        using var answer = await AskAsync(HttpMethod.Get, image, $"{image.Path}/tags/list?n=1000", credentials, cancellationToken);
        if (answer is not { IsSuccessStatusCode: true })
        {
            return null;
        }

        try
        {
            return (await answer.Content.ReadFromJsonAsync<TagList>(JsonSerializerOptions.Web, cancellationToken))?.Tags;
        }
        catch (JsonException exception)
        {
            LogNoAnswer(exception, image.Domain);
            return null;
        }
    }

    /// <summary>Whether the registry has the image's digest, or else its tag; <see langword="null"/> when it does not tell.</summary>
    public async Task<bool?> HasAsync(ImageReference image, RegistryCredentials? credentials, CancellationToken cancellationToken)
    {
        var name = image.Digest ?? image.Tag ?? ImageReference.DefaultTag;
        using var answer = await AskAsync(HttpMethod.Head, image, $"{image.Path}/manifests/{name}", credentials, cancellationToken);
        return answer?.StatusCode switch
        {
            HttpStatusCode.OK => true,
            HttpStatusCode.NotFound => false,
            _ => null,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<HttpResponseMessage?> AskAsync(
        HttpMethod method, ImageReference image, string path, RegistryCredentials? credentials, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        foreach (var root in Roots(image.Domain))
        {
            try
            {
                return await AskAsync(method, new Uri($"{root}/v2/{path}"), image, credentials, either.Token);
            }
            catch (Exception exception) when (exception is HttpRequestException or JsonException
                || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                LogNoAnswer(exception, image.Domain);
            }
        }

        return null;
    }

    private async Task<HttpResponseMessage> AskAsync(
        HttpMethod method, Uri address, ImageReference image, RegistryCredentials? credentials, CancellationToken cancellationToken)
    {
        var answer = await SendAsync(method, address, authorization: null, cancellationToken);
        if (answer.StatusCode != HttpStatusCode.Unauthorized
            || answer.Headers.WwwAuthenticate.FirstOrDefault() is not { } challenge
            || await AuthorizeAsync(challenge, image, credentials, cancellationToken) is not { } authorization)
        {
            return answer;
        }

        answer.Dispose();
        return await SendAsync(method, address, authorization, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, Uri address, AuthenticationHeaderValue? authorization, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, address);
        request.Headers.Authorization = authorization;
        foreach (var type in ManifestTypes)
        {
            request.Headers.Accept.ParseAdd(type);
        }

        request.Headers.Accept.ParseAdd("application/json");
        return await _client.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
    }

    // Basic realm="x"
    // Bearer realm="https://auth.example.com/token",service="registry.example.com",scope="repository:team/web:pull"
    private async Task<AuthenticationHeaderValue?> AuthorizeAsync(
        AuthenticationHeaderValue challenge, ImageReference image, RegistryCredentials? credentials, CancellationToken cancellationToken)
    {
        var basic = credentials is null
            ? null
            : new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credentials.UserName}:{credentials.Password}")));
        if (!string.Equals(challenge.Scheme, "Bearer", StringComparison.OrdinalIgnoreCase))
        {
            return basic;
        }

        var parameters = ChallengeParameter().Matches(challenge.Parameter ?? "")
            .ToDictionary(match => match.Groups["name"].Value, match => match.Groups["value"].Value, StringComparer.OrdinalIgnoreCase);

        // A password goes to the token service over TLS alone, or not beyond this machine.
        if (!parameters.TryGetValue("realm", out var realm) || !Uri.TryCreate(realm, UriKind.Absolute, out var service)
            || (service.Scheme != Uri.UriSchemeHttps && !service.IsLoopback))
        {
            return null;
        }

        var query = $"service={Uri.EscapeDataString(parameters.GetValueOrDefault("service", ""))}&scope={Uri.EscapeDataString($"repository:{image.Path}:pull")}";
        using var answer = await SendAsync(
            HttpMethod.Get, new Uri($"{realm}{(service.Query.Length == 0 ? '?' : '&')}{query}"), basic, cancellationToken);
        if (!answer.IsSuccessStatusCode)
        {
            return null;
        }

        var token = await answer.Content.ReadFromJsonAsync<Token>(JsonSerializerOptions.Web, cancellationToken);
        return (token?.Value ?? token?.AccessToken) is { } value ? new AuthenticationHeaderValue("Bearer", value) : null;
    }

    // Engines speak to registries on loopback without TLS too, and to the default one at another host than its name.
    private static IEnumerable<string> Roots(string domain)
    {
        var host = string.Equals(domain, ImageReference.DefaultDomain, StringComparison.Ordinal) ? $"registry-1.{domain}" : domain;
        if (Uri.TryCreate($"http://{host}", UriKind.Absolute, out var address) && address.IsLoopback)
        {
            return [$"http://{host}", $"https://{host}"];
        }

        return [$"https://{host}"];
    }

    [GeneratedRegex("(?<name>[a-z_]+)=\"(?<value>[^\"]*)\"", RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ChallengeParameter();

    [LoggerMessage(LogLevel.Debug, "The registry {Domain} did not tell")]
    private partial void LogNoAnswer(Exception exception, string domain);

    private sealed record TagList(IReadOnlyList<string>? Tags);

    private sealed record Token(
        [property: System.Text.Json.Serialization.JsonPropertyName("token")] string? Value,
        [property: System.Text.Json.Serialization.JsonPropertyName("access_token")] string? AccessToken);
}
