using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Deployer.Core.Engine;
using Deployer.Core.Engine.Docker;

namespace Deployer.Bench.SwitchOver;

/// <summary>
/// Deploys an app again and again through the public API of the real program while requests come in, and counts those
/// that fail; then compares the proxy with the container itself. Needs a test engine (<c>eng/engine.sh up test</c>).
/// Parts: <c>one</c> (proxy in the same process), <c>two</c> (in its own), <c>overhead</c>; all when none is named.
/// </summary>
internal sealed class SwitchOverBench(string directory, string registry, IContainerEngine engine)
{
    private const string App = "switch-over-bench";
    private const string Host = "bench.example.com";
    private const string Token = "measurement-measurement-measurement";
    private const int RequestsPerSecond = 250;
    private const int Switches = 20;
    private const int Restarts = 4;

    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Control = TimeSpan.FromSeconds(60);

    private readonly Uri _dashboard = new($"http://127.0.0.1:{FreePort()}");
    private readonly Uri _proxy = new($"http://127.0.0.1:{FreePort()}");
    private readonly List<string> _rows = [];

    public static async Task<int> RunAsync(string[] parts)
    {
        if (Environment.GetEnvironmentVariable("DEPLOYER_TEST_DOCKER_HOST") is not { Length: > 0 } endpoint
            || Environment.GetEnvironmentVariable("DEPLOYER_TEST_REGISTRY") is not { Length: > 0 } registry)
        {
            await Console.Error.WriteLineAsync("Bring up a test engine first: eng/engine.sh up test; eval \"$(eng/engine.sh env test)\"");
            return 2;
        }

        var directory = Directory.CreateTempSubdirectory("deployer-bench-").FullName;
        var bench = new SwitchOverBench(directory, registry, new DockerEngine(new Uri(endpoint), TimeProvider.System));
        var clean = true;
        bool Wanted(string part) => parts.Length == 0 || parts.Contains(part, StringComparer.Ordinal);
        if (Wanted("one"))
        {
            clean &= await bench.MeasureOneProcessAsync(endpoint);
        }

        if (Wanted("two"))
        {
            clean &= await bench.MeasureTwoProcessesAsync(endpoint);
        }

        if (Wanted("overhead"))
        {
            await bench.MeasureOverheadAsync(endpoint);
        }

        await bench.RemoveContainersAsync();
        Console.WriteLine($"Output of the processes is in {directory}");
        return clean ? 0 : 1;
    }

    private async Task<bool> MeasureOneProcessAsync(string endpoint)
    {
        await using var all = await StartAsync(endpoint, "one", "web,runner,proxy", [_dashboard, _proxy]);
        using var api = new DeployerApi(_dashboard, Token);
        await BeginAsync(api);

        // What fails without any switch is the machine's or the test image's doing; with that the rest is to be compared.
        await UnderLoadAsync("no switch, for comparison", () => Task.Delay(Control, TimeProvider.System));
        return await SwitchUnderLoadAsync("proxy in the same process", api);
    }

    private async Task<bool> MeasureTwoProcessesAsync(string endpoint)
    {
        await using var proxy = await StartAsync(endpoint, "two", "proxy", [_proxy]);
        var rest = await StartAsync(endpoint, "two", "web,runner", [_dashboard]);
        try
        {
            using var api = new DeployerApi(_dashboard, Token);
            await BeginAsync(api);
            var clean = await SwitchUnderLoadAsync("proxy in its own process", api);
            return clean & await UnderLoadAsync($"own process, dashboard restarted {Restarts} ×", async () =>
            {
                for (var i = 0; i < Restarts; i++)
                {
                    // In turn as an update does it and as a crash does it.
                    await (i % 2 == 0 ? rest.StopAsync(CancellationToken.None) : rest.KillAsync(CancellationToken.None));
                    await Task.Delay(Calm, TimeProvider.System);
                    rest = await StartAsync(endpoint, "two", "web,runner", [_dashboard]);
                }
            });
        }
        finally
        {
            await rest.DisposeAsync();
        }
    }

    private Task<bool> SwitchUnderLoadAsync(string what, DeployerApi api) => UnderLoadAsync($"{what}, {Switches} switches", async () =>
    {
        for (var i = 0; i < Switches; i++)
        {
            await api.DeployAsync(App, Image($"v{1 + ((i + 1) % 3)}"), CancellationToken.None);
        }
    });

    private async Task<bool> UnderLoadAsync(string what, Func<Task> work)
    {
        using var enough = new CancellationTokenSource();
        var load = new Load(_proxy, Host, RequestsPerSecond).RunAsync(enough.Token);
        await Task.Delay(Calm, TimeProvider.System);
        await work();
        await Task.Delay(Calm, TimeProvider.System);
        await enough.CancelAsync();
        var result = await load;
        if (_rows.Count == 0)
        {
            Print("| under load | requests | per second | of these slow (2 s) | failed | p50 ms | p99 ms |");
            Print("|---|---|---|---|---|---|---|");
        }

        Print(string.Create(
            CultureInfo.InvariantCulture,
            $"| {what} | {result.Requests:N0} | {result.Rate:0} | {result.Slow:N0} | {result.Failed} | {result.P50:0.0} | {result.P99:0} |"));
        foreach (var failure in result.Failures)
        {
            Console.WriteLine($"  {failure.Value} × {failure.Key}");
        }

        return result.Failed == 0;
    }

    private async Task MeasureOverheadAsync(string endpoint)
    {
        await using var proxy = await StartAsync(endpoint, "overhead", "proxy", [_proxy]);
        await using var rest = await StartAsync(endpoint, "overhead", "web,runner", [_dashboard]);
        using var api = new DeployerApi(_dashboard, Token);
        await BeginAsync(api);
        Print("| wrk, 2 threads | container directly | through the proxy | ratio | nginx in the proxy's place, ratio |");
        Print("|---|---|---|---|---|");
        await CompareAsync(api, "a server that starts a process for each request", "web:v1", "/");
        await CompareAsync(api, "nginx, a page of 32 KB that it compresses", "static:v1", "/page");
        await CompareAsync(api, "nginx, 18 bytes from memory", "static:v1", "/");
    }

    private async Task CompareAsync(DeployerApi api, string what, string image, string path)
    {
        const int Rounds = 5;
        const int Connections = 32;
        const int Seconds = 3;
        await api.DeployAsync(App, $"{registry}/{image}", CancellationToken.None);
        var container = (await ListContainersAsync()).Single(container => container.Status == ContainerStatus.Running);
        var direct = new Uri($"http://{container.Addresses.Values.First()}:8080{path}");
        await using var nginx = NginxProxy.Start(Path.Combine(directory, "nginx"), direct, FreePort());
        var rounds = new List<(Wrk Direct, Wrk Through, double Ratio, double Nginx)>();

        // The first of each is for the compilers and the caches.
        for (var round = 0; round <= Rounds; round++)
        {
            var without = await Wrk.RunAsync(direct, Host, Connections, Seconds, CancellationToken.None);
            var with = await Wrk.RunAsync(new Uri(_proxy, path), Host, Connections, Seconds, CancellationToken.None);
            var other = await Wrk.RunAsync(new Uri(nginx.Address, path), Host, Connections, Seconds, CancellationToken.None);
            if (round > 0)
            {
                rounds.Add((without, with, with.PerSecond / without.PerSecond, other.PerSecond / without.PerSecond));
            }
        }

        var middle = rounds.OrderBy(round => round.Ratio).ElementAt(Rounds / 2);
        var reference = rounds.Select(round => round.Nginx).Order().ElementAt(Rounds / 2);
        Print(string.Create(
            CultureInfo.InvariantCulture,
            $"| {what}; {Connections} connections, median of {Rounds} × {Seconds} s | {Describe(middle.Direct)} | {Describe(middle.Through)} | {middle.Ratio:0.00} | {reference:0.00} |"));
        Console.WriteLine("  ratios: " + string.Join(' ', rounds.Select(round => string.Create(CultureInfo.InvariantCulture, $"{round.Ratio:0.00}/{round.Nginx:0.00}"))));
    }

    private static string Describe(Wrk run) => string.Create(
        CultureInfo.InvariantCulture, $"{run.PerSecond:N0}/s, p50 {run.P50}, p99 {run.P99}{(run.Errors.Length == 0 ? "" : $" ({run.Errors})")}");

    private async Task BeginAsync(DeployerApi api)
    {
        // What an earlier part left: its names would be in the way.
        await RemoveContainersAsync();
        await api.AddAppAsync(App, Image("v1"), Host, CancellationToken.None);
        await api.DeployAsync(App, Image("v1"), CancellationToken.None);
    }

    private Task<DeployerProcess> StartAsync(string endpoint, string data, string roles, IReadOnlyList<Uri> addresses) =>
        DeployerProcess.StartAsync(
            [
                "--roles", roles,
                "--urls", _dashboard.ToString(),
                "--Proxy:Urls", _proxy.ToString(),
                "--Data:Directory", Path.Combine(directory, data),
                "--Engine:Endpoint", endpoint,
                "--Auth:BootstrapToken", Token,
            ],
            addresses,
            Path.Combine(directory, $"{data}-{roles}.txt"),
            CancellationToken.None);

    private async Task RemoveContainersAsync()
    {
        foreach (var container in await ListContainersAsync())
        {
            await engine.RemoveContainerAsync(container.Id, CancellationToken.None);
        }
    }

    private Task<IReadOnlyList<ContainerDetails>> ListContainersAsync() => engine.ListContainersAsync(
        new Dictionary<string, string>(StringComparer.Ordinal) { ["deployer.app"] = App }, CancellationToken.None);

    private string Image(string tag) => $"{registry}/web:{tag}";

    private void Print(string row)
    {
        _rows.Add(row);
        Console.WriteLine(row);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
