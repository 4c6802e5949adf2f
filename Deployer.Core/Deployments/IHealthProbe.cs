using System.Net.Http;

namespace Deployer.Core.Deployments;

/// <summary>What a probe saw.</summary>
/// <param name="Answered">Whether anything answered at all.</param>
/// <param name="Healthy">Whether the answer was 2xx or 3xx.</param>
/// <param name="Says">What came: status line or error, without the address.</param>
internal sealed record ProbeResult(bool Answered, bool Healthy, string Says);

/// <summary>Asks a container over HTTP whether it is well.</summary>
internal interface IHealthProbe
{
    /// <summary>One <c>GET</c>; never raises for what the container does.</summary>
    Task<ProbeResult> ProbeAsync(Uri address, TimeSpan timeout, CancellationToken cancellationToken);
}

/// <summary>Asks over the network.</summary>
internal sealed class HttpHealthProbe(TimeProvider time) : IHealthProbe, IDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.Zero,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public async Task<ProbeResult> ProbeAsync(Uri address, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using var answer = await _client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return new ProbeResult(true, (int)answer.StatusCode is >= 200 and < 400, $"{(int)answer.StatusCode} {answer.ReasonPhrase}".TrimEnd());
        }
        catch (HttpRequestException exception)
        {
            return new ProbeResult(false, false, exception.HttpRequestError == HttpRequestError.ConnectionError
                ? "no connection: nothing listens on the port"
                : exception.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new ProbeResult(true, false, $"no answer within {timeout.TotalSeconds:0.#} s");
        }
    }

    public void Dispose() => _client.Dispose();
}
