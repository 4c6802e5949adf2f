using System.Collections.Concurrent;
using System.Diagnostics;

namespace Deployer.Bench.SwitchOver;

/// <summary>What a load came to.</summary>
/// <param name="Requests">Requests sent and answered.</param>
/// <param name="Slow">Those among them that take two seconds at the app.</param>
/// <param name="Seconds">How long it lasted.</param>
/// <param name="Failures">What went wrong, with how often; empty when nothing did.</param>
/// <param name="P50">Median time of the quick requests, in milliseconds.</param>
/// <param name="P99">99th percentile of the same.</param>
internal sealed record LoadResult(
    int Requests, int Slow, double Seconds, IReadOnlyDictionary<string, int> Failures, double P50, double P99)
{
    public int Failed => Failures.Values.Sum();

    public double Rate => Requests / Seconds;
}

/// <summary>
/// Sends requests through the proxy at a fixed rate, whether earlier ones are answered or not, until it is stopped. A
/// request fails when it is not answered in full with 200 and the app's own words.
/// </summary>
internal sealed class Load(Uri proxy, string host, int rate)
{
    private const int SlowEvery = 50;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ConcurrentBag<double> _quick = [];
    private readonly ConcurrentDictionary<string, int> _failures = new(StringComparer.Ordinal);
    private int _slow;
    private int _answered;

    /// <summary>Runs until <paramref name="enough"/>, then waits for the last answers.</summary>
    public async Task<LoadResult> RunAsync(CancellationToken enough)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1) })
        {
            Timeout = Patience,
        };
        var pending = new List<Task>();
        var begun = Stopwatch.GetTimestamp();
        var sent = 0;
        using var timer = new PeriodicTimer(Tick, TimeProvider.System);
        while (!enough.IsCancellationRequested)
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
            for (var due = (int)(Stopwatch.GetElapsedTime(begun).TotalSeconds * rate); sent < due; sent++)
            {
                pending.Add(SendAsync(client, isSlow: sent % SlowEvery == 0));
            }

            pending.RemoveAll(request => request.IsCompleted);
        }

        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        await Task.WhenAll(pending);
        var sorted = _quick.Order().ToArray();
        return new LoadResult(_answered, _slow, seconds, _failures, Percentile(sorted, 0.5), Percentile(sorted, 0.99));
    }

    private static double Percentile(double[] sorted, double part) =>
        sorted.Length == 0 ? 0 : sorted[(int)((sorted.Length - 1) * part)];

    private async Task SendAsync(HttpClient client, bool isSlow)
    {
        var begun = Stopwatch.GetTimestamp();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(proxy, isSlow ? "/cgi-bin/slow?2" : "/"));
        request.Headers.Host = host;
        try
        {
            using var answer = await client.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            if (!answer.IsSuccessStatusCode || !text.StartsWith(isSlow ? "slow 2 from" : "hello from", StringComparison.Ordinal))
            {
                Fail($"{(int)answer.StatusCode}");
            }
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
        {
            Fail(exception.GetBaseException().Message);
        }

        Interlocked.Increment(ref _answered);
        if (isSlow)
        {
            Interlocked.Increment(ref _slow);
        }
        else
        {
            _quick.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }
    }

    private void Fail(string why) => _failures.AddOrUpdate(why, 1, (_, count) => count + 1);
}
