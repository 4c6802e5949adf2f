using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Deployer.Bench.SwitchOver;

/// <summary>One run of wrk.</summary>
/// <param name="PerSecond">Requests per second.</param>
/// <param name="P50">Median latency, as wrk writes it.</param>
/// <param name="P99">99th percentile, as wrk writes it.</param>
/// <param name="Errors">wrk's own words on socket errors and answers other than 2xx and 3xx; empty when there were none.</param>
internal sealed partial record Wrk(double PerSecond, string P50, string P99, string Errors)
{
    public static async Task<Wrk> RunAsync(Uri address, string host, int connections, int seconds, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("wrk") { RedirectStandardOutput = true, UseShellExecute = false };
        string[] arguments = ["-t2", $"-c{connections}", $"-d{seconds}s", "--latency", "-H", $"Host: {host}", "-H", "Accept-Encoding: gzip", address.ToString()];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException("wrk could not be started; install it (Debian: wrk).");
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return new Wrk(
            double.Parse(Rate().Match(output).Groups["value"].Value, CultureInfo.InvariantCulture),
            Median().Match(output).Groups["value"].Value,
            Tail().Match(output).Groups["value"].Value,
            string.Join(' ', Faults().Matches(output).Select(match => match.Value.Trim())));
    }

    // Requests/sec:   3508.21
    [GeneratedRegex(@"Requests/sec:\s+(?<value>[0-9.]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Rate();

    //      50%    8.90ms
    [GeneratedRegex(@"50%\s+(?<value>\S+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Median();

    [GeneratedRegex(@"99%\s+(?<value>\S+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Tail();

    // Socket errors: connect 0, read 12, write 0, timeout 0      Non-2xx or 3xx responses: 5
    [GeneratedRegex("(?:Socket errors:|Non-2xx).*", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Faults();
}
