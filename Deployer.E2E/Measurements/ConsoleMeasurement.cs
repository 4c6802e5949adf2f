using System.Globalization;
using System.Runtime.InteropServices;
using Deployer.E2E.Hosting;
using Deployer.E2E.Measurements.Baselines;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace Deployer.E2E.Measurements;

/// <summary>
/// The deployment page over a log of a million lines, beside a pane that loops over its lines and one of Blazor's
/// <c>Virtualize</c>: how soon lines are seen, what scrolling and following cost, and what a viewer costs the server.
/// The panes take turns.
/// </summary>
internal static class ConsoleMeasurement
{
    private const int Rounds = 3;
    private const int Many = 1_000_000;
    private const int Few = 50_000;
    private const int PerSecond = 1_000;

    private static readonly TimeSpan Following = TimeSpan.FromSeconds(6);

    // A circuit whose page is gone goes soon, so that it is not counted with the next ones.
    private static readonly TimeSpan Retention = TimeSpan.FromSeconds(2);

    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    /// <summary>Measures, and prints a table.</summary>
    public static async Task RunAsync()
    {
        await using var dashboard = Dashboard.StartWithoutRunner(services => services
            .AddSingleton<IStartupFilter, BaselinePages>()
            .Configure<CircuitOptions>(options => options.DisconnectedCircuitRetentionPeriod = Retention));
        var ended = await LongLog.AddAsync(dashboard, "ended", Many, ended: true);
        var running = await LongLog.AddAsync(dashboard, "running", Many, ended: false);
        var fewEnded = await LongLog.AddAsync(dashboard, "few-ended", Few, ended: true);
        var few = await LongLog.AddAsync(dashboard, "few", Few, ended: false);
        using var playwright = await Playwright.CreateAsync();
        await using var chromium = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Settings.Chromium, Args = Arguments });
        Pane[] panes =
        [
            new("console", "/deployments", ended, running, Viewers: 10),
            new("`Virtualize`", "/baseline/virtual", ended, running, Viewers: 10),
            new("`@foreach`", "/baseline/each", fewEnded, few, Viewers: 3),
        ];
        for (var round = 0; round <= Rounds; round++)
        {
            foreach (var pane in panes)
            {
                await Console.Error.WriteLineAsync($"round {round}: {pane.Name}");
                await MeasureAsync(dashboard, chromium, pane, isWarmUp: round == 0);
            }
        }

        // By itself: what the log store keeps for those who follow comes and goes.
        for (var round = 0; round <= Rounds; round++)
        {
            foreach (var pane in panes)
            {
                await Console.Error.WriteLineAsync($"memory, round {round}: {pane.Name}");
                var bytes = await MemoryAsync(dashboard, chromium, pane, round == 0 ? 2 : pane.Viewers);
                if (round > 0)
                {
                    pane.Memory.Add(bytes / 1024);
                }
            }
        }

        Print(panes, chromium.Version);
    }

    private static async Task MeasureAsync(Dashboard dashboard, IBrowser chromium, Pane pane, bool isWarmUp)
    {
        var (opened, openedRunning) = (0.0, 0.0);
        await WithPageAsync(dashboard, chromium, async probe =>
        {
            opened = await probe.OpenAsync($"{pane.Address}/{pane.Ended.Id}");
            await probe.ForgetAsync();
            var jumps = await probe.ScrollAsync();
            Note(pane.Jumps, jumps.Max());
            Note(pane.ScrollTasks, await probe.LongestTaskAsync());
        });
        await WithPageAsync(dashboard, chromium, async probe =>
        {
            openedRunning = await probe.OpenAsync($"{pane.Address}/{pane.Running.Id}");
            await probe.FollowAsync(pane.Running.Lines);
            await probe.ForgetAsync();
            var before = pane.Running.Lines;
            var stamps = await pane.Running.GrowAsync(PerSecond, isWarmUp ? TimeSpan.FromSeconds(2) : Following);
            var frames = await probe.FramesAsync(pane.Running.Lines);
            Note(pane.FollowTasks, await probe.LongestTaskAsync());
            var waits = Waits(before, stamps, frames);
            Note(pane.Waits50, waits[waits.Length / 2]);
            Note(pane.Waits99, waits[(int)(waits.Length * 0.99)]);
        });
        Note(pane.Opened, opened);
        Note(pane.OpenedRunning, openedRunning);

        void Note(List<double> values, double value)
        {
            if (!isWarmUp)
            {
                values.Add(value);
            }
        }
    }

    /// <summary>From the append of each line to the first frame that showed it or a newer one; ascending.</summary>
    private static double[] Waits(long before, double[] stamps, (long Line, double At)[] frames)
    {
        var waits = new double[stamps.Length];
        var frame = 0;
        for (var index = 0; index < stamps.Length; index++)
        {
            while (frame < frames.Length && frames[frame].Line < before + index + 1)
            {
                frame++;
            }

            waits[index] = frame < frames.Length ? frames[frame].At - stamps[index] : double.PositiveInfinity;
        }

        Array.Sort(waits);
        return waits;
    }

    /// <summary>Bytes of the server's managed heap that each viewer of a page adds.</summary>
    private static async Task<double> MemoryAsync(Dashboard dashboard, IBrowser chromium, Pane pane, int viewers)
    {
        await using var context = await OpenContextAsync(dashboard, chromium);
        var pages = new List<IPage>();
        for (var viewer = 0; viewer < viewers; viewer++)
        {
            pages.Add(await context.NewPageAsync());
        }

        var none = await SettledBytesAsync();
        foreach (var page in pages)
        {
            // What lies behind another page draws no frames.
            await page.BringToFrontAsync();
            await new PaneProbe(page).OpenAsync($"{pane.Address}/{pane.Ended.Id}");
        }

        var all = await SettledBytesAsync();

        // Left, not closed: a page that is left tells the server that its circuit can go.
        foreach (var page in pages)
        {
            await page.GotoAsync("about:blank");
        }

        await Task.Delay(Retention * 2, TimeProvider.System);
        return (all - none) / (double)viewers;
    }

    private static async Task<long> SettledBytesAsync()
    {
        for (var pass = 0; pass < 4; pass++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
            await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System);
        }

        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static async Task WithPageAsync(Dashboard dashboard, IBrowser chromium, Func<PaneProbe, Task> measure)
    {
        await using var context = await OpenContextAsync(dashboard, chromium);
        var page = await context.NewPageAsync();
        await measure(new PaneProbe(page));
        await page.GotoAsync("about:blank");
    }

    private static async Task<IBrowserContext> OpenContextAsync(Dashboard dashboard, IBrowser chromium)
    {
        var context = await chromium.NewContextAsync(new() { BaseURL = dashboard.Address.ToString(), ViewportSize = new() { Width = 1440, Height = 900 } });
        await PaneProbe.InstallAsync(context);
        return context;
    }

    private static void Print(Pane[] panes, string chromium)
    {
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors, {RuntimeInformation.FrameworkDescription}, Chromium {chromium}, {TimeProvider.System.GetUtcNow():yyyy-MM-dd}; dotnet run -c Release --project Deployer.E2E -- measure console"));
        Console.WriteLine();
        Console.WriteLine($"| | {string.Join(" | ", panes.Select(pane => string.Create(CultureInfo.InvariantCulture, $"{pane.Name}, {pane.Ended.Lines:N0} lines")))} | goal |");
        Console.WriteLine($"|---|{string.Concat(Enumerable.Repeat("---|", panes.Length))}---|");
        Row("opening one that has failed → first lines painted", pane => pane.Opened, "ms", "≤ 1,500 ms");
        Row("opening one that runs → first lines painted", pane => pane.OpenedRunning, "ms", "≤ 1,500 ms");
        Row("scrolling by wheel, page and jump: longest task", pane => pane.ScrollTasks, "ms", "≤ 100 ms");
        Row("slowest jump → its lines painted", pane => pane.Jumps, "ms", "");
        Row("following 1,000 lines/s: longest task", pane => pane.FollowTasks, "ms", "≤ 100 ms");
        Row("following 1,000 lines/s: append → painted, p50", pane => pane.Waits50, "ms", "≤ 60 ms");
        Row("following 1,000 lines/s: append → painted, p99", pane => pane.Waits99, "ms", "");
        Row("server's heap per viewer", pane => pane.Memory, "KB", "≤ 1,024 KB");

        void Row(string what, Func<Pane, List<double>> values, string unit, string goal) =>
            Console.WriteLine($"| {what} | {string.Join(" | ", panes.Select(pane => Cell(values(pane), unit)))} | {goal} |");
    }

    // The median of the rounds, and the highest. Tasks of 50 ms and less are not told apart by the browser.
    private static string Cell(List<double> values, string unit)
    {
        values.Sort();
        return $"{Text(values[values.Count / 2])} {unit} (most {Text(values[^1])})";

        static string Text(double value) => value switch
        {
            0 => "< 50",
            double.PositiveInfinity => "> 20,000",
            _ => value.ToString("N0", CultureInfo.InvariantCulture),
        };
    }

    /// <summary>A pane and what was measured of it.</summary>
    private sealed record Pane(string Name, string Address, LongLog Ended, LongLog Running, int Viewers)
    {
        public List<double> Opened { get; } = [];

        public List<double> OpenedRunning { get; } = [];

        public List<double> ScrollTasks { get; } = [];

        public List<double> Jumps { get; } = [];

        public List<double> FollowTasks { get; } = [];

        public List<double> Waits50 { get; } = [];

        public List<double> Waits99 { get; } = [];

        public List<double> Memory { get; } = [];
    }
}
