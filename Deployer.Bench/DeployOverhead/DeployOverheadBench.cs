using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Deployer.Bench.SwitchOver;

namespace Deployer.Bench.DeployOverhead;

/// <summary>
/// What a deployment takes over <c>docker pull &amp;&amp; docker run</c> of the same image with the same command: the command
/// line, the command line with a network of its own as Deployer uses one, and Deployer in turn, on one engine. Needs a test
/// engine (<c>eng/engine.sh up test</c>).
/// </summary>
internal sealed class DeployOverheadBench(string endpoint, string registry, DeployerApi api)
{
    private const string App = "deploy-overhead-bench";
    private const string Network = "deploy-overhead-bench";
    private const string Token = "measurement-measurement-measurement";

    private static readonly Case[] Cases =
    [
        new("150 MB that the engine does not hold", "big:latest", ["/bin/httpd", "-f", "-p", "8080", "-h", "/etc"], "/passwd", Fresh: true, Rounds: 5),
        new("an image that the engine holds", "nohealth:v1", [], "/", Fresh: false, Rounds: 9),
    ];

    public static async Task<int> RunAsync()
    {
        if (Environment.GetEnvironmentVariable("DEPLOYER_TEST_DOCKER_HOST") is not { Length: > 0 } endpoint
            || Environment.GetEnvironmentVariable("DEPLOYER_TEST_REGISTRY") is not { Length: > 0 } registry)
        {
            await Console.Error.WriteLineAsync("Bring up a test engine first: eng/engine.sh up test; eval \"$(eng/engine.sh env test)\"");
            return 2;
        }

        var directory = Directory.CreateTempSubdirectory("deployer-bench-").FullName;
        var dashboard = new Uri($"http://127.0.0.1:{FreePort()}");
        await using var program = await DeployerProcess.StartAsync(
            [
                "--urls", dashboard.ToString(),
                "--Proxy:Urls", $"http://127.0.0.1:{FreePort()}",
                "--Data:Directory", Path.Combine(directory, "data"),
                "--Engine:Endpoint", endpoint,
                "--Auth:BootstrapToken", Token,
            ],
            [dashboard],
            Path.Combine(directory, "output.txt"),
            CancellationToken.None);
        using var api = new DeployerApi(dashboard, Token);
        var bench = new DeployOverheadBench(endpoint, registry, api);
        Console.WriteLine("| image | command line, s | the same with a network, s | Deployer, s | ratio | ratio to that with a network |");
        Console.WriteLine("|---|---|---|---|---|---|");
        await bench.DockerAsync(["network", "create", Network]);
        try
        {
            foreach (var one in Cases)
            {
                await bench.MeasureAsync(one);
            }
        }
        finally
        {
            await bench.DockerAsync(["network", "rm", Network]);
        }

        return 0;
    }

    private async Task MeasureAsync(Case one)
    {
        var image = $"{registry}/{one.Image}";
        var byHand = new List<double>();
        var withNetwork = new List<double>();
        var deployed = new List<double>();
        var steps = new Dictionary<string, List<double>>(StringComparer.Ordinal);

        // The first of each warms compilers and caches.
        for (var round = 0; round <= one.Rounds; round++)
        {
            var manual = await RunByHandAsync(one, image, []);
            var attached = await RunByHandAsync(one, image, ["--network", Network]);

            await PrepareAsync(one, image);
            await api.AddAppAsync(
                new { name = App, image, command = one.Command, health = new { path = one.Probe, port = 8080, interval_seconds = 1 } }, CancellationToken.None);
            var begun = Stopwatch.GetTimestamp();
            var deployment = await api.FollowAsync(App, CancellationToken.None);
            var automatic = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            await api.RemoveAppAsync(App, CancellationToken.None);
            if (round > 0)
            {
                byHand.Add(manual);
                withNetwork.Add(attached);
                deployed.Add(automatic);
                Note(deployment, steps);
            }
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {one.What}, median of {one.Rounds} | {Median(byHand):0.00} | {Median(withNetwork):0.00} | {Median(deployed):0.00} | {Median(deployed) / Median(byHand):0.00} | {Median(deployed) / Median(withNetwork):0.00} |"));
        Console.WriteLine("  steps: " + string.Join(", ", steps.Select(step => string.Create(CultureInfo.InvariantCulture, $"{step.Key} {Median(step.Value):0.000}"))));
        Console.WriteLine($"  each: {Each(byHand)} | {Each(withNetwork)} | {Each(deployed)}");
    }

    private async Task<double> RunByHandAsync(Case one, string image, string[] options)
    {
        await PrepareAsync(one, image);
        var begun = Stopwatch.GetTimestamp();
        await DockerAsync(["pull", "--quiet", image]);
        await DockerAsync(["run", "--detach", "--name", App, .. options, image, .. one.Command]);
        var took = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        await DockerAsync(["rm", "--force", App]);
        return took;
    }

    private async Task PrepareAsync(Case one, string image)
    {
        if (one.Fresh)
        {
            await DockerAsync(["image", "prune", "--all", "--force"]);
        }
        else
        {
            await DockerAsync(["pull", "--quiet", image]);
        }
    }

    private static void Note(JsonElement deployment, Dictionary<string, List<double>> steps)
    {
        foreach (var step in deployment.GetProperty("steps").EnumerateArray())
        {
            var kind = step.GetProperty("kind").GetString()!;
            (steps.TryGetValue(kind, out var times) ? times : steps[kind] = []).Add(
                (step.GetProperty("ended_at").GetDateTimeOffset() - step.GetProperty("started_at").GetDateTimeOffset()).TotalSeconds);
        }
    }

    private static string Each(List<double> seconds) =>
        string.Join(' ', seconds.Select(value => value.ToString("0.00", CultureInfo.InvariantCulture)));

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private async Task DockerAsync(IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo("docker") { RedirectStandardOutput = true, UseShellExecute = false };
        start.ArgumentList.Add("--host");
        start.ArgumentList.Add(endpoint);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException("docker could not be started.");
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"docker {string.Join(' ', arguments)} ended with code {process.ExitCode}.");
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Something to deploy.</summary>
    /// <param name="What">In words.</param>
    /// <param name="Image">Repository and tag.</param>
    /// <param name="Command">Its command; empty for the image's own.</param>
    /// <param name="Probe">Path that answers once it is up.</param>
    /// <param name="Fresh">Whether the engine must not hold the image.</param>
    /// <param name="Rounds">How often it is measured.</param>
    private sealed record Case(string What, string Image, string[] Command, string Probe, bool Fresh, int Rounds);
}
