using System.Globalization;
using Deployer.Core.Deployments;
using Deployer.E2E.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace Deployer.E2E.Measurements;

/// <summary>
/// The home page with 500 apps of twenty deployments each: how soon it can be used, and what one update of one app costs
/// on the wire.
/// </summary>
internal static class HomeMeasurement
{
    private const int Apps = 500;
    private const int Loads = 9;
    private const int Updates = 40;

    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(15);

    /// <summary>Measures, and prints a table.</summary>
    public static async Task RunAsync()
    {
        await using var dashboard = Dashboard.StartWithoutRunner();
        await ManyApps.AddAsync(dashboard.Services, Apps);
        using var playwright = await Playwright.CreateAsync();
        await using var chromium = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Settings.Chromium,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });

        var loads = new List<double>();
        var answers = new List<double>();
        for (var load = 0; load <= Loads; load++)
        {
            await using var context = await chromium.NewContextAsync(new() { BaseURL = dashboard.Address.ToString(), ViewportSize = new() { Width = 1440, Height = 900 } });
            var (shown, answered) = await LoadAsync(await context.NewPageAsync());

            // The first load compiles the server's code.
            if (load > 0)
            {
                loads.Add(shown);
                answers.Add(answered - shown);
            }
        }

        var (updates, idle) = await UpdateAsync(dashboard, chromium);
        Print("first 50 of 500 rows painted and alive after", loads, "ms");
        Print("then a search is answered within", answers, "ms");
        Print("one app's update, received", updates, "bytes");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| nothing happens for {Idle.TotalSeconds:0} s, received | {idle:0} bytes | | |"));
    }

    private static async Task<(double Shown, double Answered)> LoadAsync(IPage page)
    {
        await page.GotoAsync("/", new() { WaitUntil = WaitUntilState.Commit });
        await page.WaitForFunctionAsync("() => document.querySelectorAll('.apps tbody tr').length === 50");
        var shown = await page.EvaluateAsync<double>("performance.now()");
        await page.GetByRole(AriaRole.Searchbox).FillAsync("app-49");
        await page.WaitForFunctionAsync("() => document.querySelectorAll('.apps tbody tr').length === 10");
        return (shown, await page.EvaluateAsync<double>("performance.now()"));
    }

    private static async Task<(List<double> Updates, double Idle)> UpdateAsync(Dashboard dashboard, IBrowser chromium)
    {
        await using var context = await chromium.NewContextAsync(new() { BaseURL = dashboard.Address.ToString(), ViewportSize = new() { Width = 1440, Height = 900 } });
        var page = await context.NewPageAsync();
        var received = 0.0;
        var network = await context.NewCDPSessionAsync(page);
        network.Event("Network.webSocketFrameReceived").OnEvent += (_, frame) =>
        {
            var response = frame!.Value.GetProperty("response");
            var payload = response.GetProperty("payloadData").GetString()!.Length;
            received += response.GetProperty("opcode").GetDouble() == 2 ? payload * 3 / 4.0 : payload;
        };
        await network.SendAsync("Network.enable");
        await page.GotoAsync("/");
        await page.WaitForFunctionAsync("() => document.querySelectorAll('.apps tbody tr').length === 50");
        var queue = dashboard.Services.GetRequiredService<DeploymentQueue>();
        var updates = new List<double>();
        for (var update = 0; update < Updates; update++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
            var before = received;
            var app = $"app-{update:000}";
            await queue.EnqueueAsync(app, new DeploymentRequest(null, null, "Ada Lovelace", null), CancellationToken.None);
            await page.WaitForFunctionAsync("app => [...document.querySelectorAll('.apps tbody tr')].some(row => row.textContent.includes(app) && row.textContent.includes('Queued'))", app);
            await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System);
            updates.Add(received - before);
        }

        var quiet = received;
        await Task.Delay(Idle, TimeProvider.System);
        return (updates, received - quiet);
    }

    private static void Print(string what, List<double> values, string unit)
    {
        values.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"| {what} | {values[values.Count / 2]:0} {unit} | {values[(int)(values.Count * 0.95)]:0} | {values[^1]:0} |"));
    }
}
