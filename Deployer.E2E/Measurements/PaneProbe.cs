using System.Globalization;
using Microsoft.Playwright;

namespace Deployer.E2E.Measurements;

/// <summary>
/// Looks at a pane of log lines from inside the browser: after every frame it notes which line stands at the pane's lower
/// edge, and it collects the tasks that kept the main thread busy for more than 50 ms. It knows nothing of a pane but
/// <c>.viewport</c>, <c>.row[data-line]</c> and <c>.heading</c>, and that a row without its text is <c>.pending</c>.
/// </summary>
internal sealed class PaneProbe(IPage page)
{
    // A message that is posted in a frame is answered after the frame was drawn.
    private const string Script = """
        (() => {
          const probe = window.probe = { painted: null, frames: [], tasks: [], scripts: [], newest: 0 };
          const lineAt = (viewport, box, y) => {
            const row = document.elementFromPoint(box.left + 60, y)?.closest('.row, .heading');
            return row && !row.classList.contains('pending') && viewport.contains(row) ? Number(row.dataset.line ?? -1) : 0;
          };
          const look = () => {
            const viewport = document.querySelector('.viewport');
            const box = viewport?.getBoundingClientRect();
            if (!box || box.height === 0) {
              return;
            }
            probe.top = lineAt(viewport, box, box.top + 12);
            probe.bottom = [12, 32, 52].map(up => lineAt(viewport, box, box.bottom - up)).find(line => line !== 0) ?? 0;
            if (probe.painted === null && (probe.top > 0 || probe.bottom > 0)) {
              probe.painted = performance.now();
            }
            if (probe.bottom > probe.newest) {
              probe.newest = probe.bottom;
              probe.frames.push(probe.bottom, Date.now());
            }
          };
          const channel = new MessageChannel();
          channel.port1.onmessage = look;
          const frame = () => {
            channel.port2.postMessage(0);
            requestAnimationFrame(frame);
          };
          requestAnimationFrame(frame);
          new PerformanceObserver(list => probe.tasks.push(...list.getEntries().map(entry => entry.duration)))
            .observe({ type: 'longtask', buffered: true });
          new PerformanceObserver(list => probe.scripts.push(...list.getEntries().map(entry =>
            `${Math.round(entry.duration)} ms (blocking ${Math.round(entry.blockingDuration)}): ` + entry.scripts.map(script =>
              `${script.invoker} ${script.sourceFunctionName} ${Math.round(script.duration)} ms, layout ${Math.round(script.forcedStyleAndLayoutDuration)} ms`).join('; '))))
            .observe({ type: 'long-animation-frame', buffered: true });
        })()
        """;

    /// <summary>What to install in a browser's context before its pages open.</summary>
    public static Task InstallAsync(IBrowserContext context) => context.AddInitScriptAsync(Script);

    /// <summary>Opens an address and gives the milliseconds from there until lines are on the screen.</summary>
    public async Task<double> OpenAsync(string address)
    {
        await page.GotoAsync(address, new() { WaitUntil = WaitUntilState.Commit, Timeout = 120_000 });
        await page.WaitForFunctionAsync("() => window.probe?.painted", null, new() { Timeout = 120_000 });
        return await page.EvaluateAsync<double>("() => probe.painted");
    }

    /// <summary>Forgets the tasks so far.</summary>
    public Task ForgetAsync() => page.EvaluateAsync("() => { probe.tasks = []; probe.scripts = []; }");

    /// <summary>The longest task since then; 0 when none was longer than 50 ms.</summary>
    public async Task<double> LongestTaskAsync()
    {
        // The browser hands entries on in its own time.
        await page.EvaluateAsync("() => new Promise(resolve => setTimeout(resolve, 300))");
        foreach (var script in await page.EvaluateAsync<string[]>("() => probe.scripts"))
        {
            await Console.Error.WriteLineAsync($"  {page.Url[(page.Url.IndexOf('/', 8) + 1)..]}: {script}");
        }

        return await page.EvaluateAsync<double>("() => Math.max(0, ...probe.tasks)");
    }

    /// <summary>Scrolls by wheel, by page and by jumps, as a reader in a hurry would; gives the milliseconds of each jump until its lines were there.</summary>
    public async Task<List<double>> ScrollAsync()
    {
        await page.Locator(".viewport").FocusAsync();
        await page.Locator(".viewport").HoverAsync();
        await JumpAsync(0.5);
        foreach (var (key, wheel) in new[] { ("PageUp", -600), ("PageDown", 600) })
        {
            for (var step = 0; step < 60; step++)
            {
                await page.Mouse.WheelAsync(0, wheel);
            }

            for (var step = 0; step < 30; step++)
            {
                await page.Keyboard.PressAsync(key);
            }
        }

        var jumps = new List<double>();
        foreach (var part in new[] { 0, 0.5, 1, 0.25, 0.75, 0 })
        {
            jumps.Add(await JumpAsync(part));
        }

        return jumps;
    }

    /// <summary>Goes to the end and stays there.</summary>
    public async Task FollowAsync(long last)
    {
        await page.EvaluateAsync(
            """
            () => {
              window.following = true;
              document.querySelector('.console .tool[title^="Last line"]')?.click();
              const viewport = document.querySelector('.viewport');
              viewport.scrollTop = viewport.scrollHeight;
            }
            """);
        await page.WaitForFunctionAsync("last => probe.newest >= last", last, new() { Timeout = 60_000 });
        await page.EvaluateAsync("() => { probe.frames = []; }");
    }

    /// <summary>For every frame that showed a newer line than those before: that line, and the time in milliseconds since 1970.</summary>
    public async Task<(long Line, double At)[]> FramesAsync(long last)
    {
        try
        {
            await page.WaitForFunctionAsync("last => probe.newest >= last", last, new() { Timeout = 20_000 });
        }
        catch (TimeoutException)
        {
            await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"  line {last} was not painted in time"));
        }

        return [.. (await page.EvaluateAsync<double[]>("() => probe.frames")).Chunk(2).Select(pair => ((long)pair[0], pair[1]))];
    }

    private Task<double> JumpAsync(double part) => page.EvaluateAsync<double>(
        """
        async part => {
          const viewport = document.querySelector('.viewport');
          const start = performance.now();
          viewport.scrollTop = part * (viewport.scrollHeight - viewport.clientHeight);
          do {
            await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
          } while (performance.now() - start < 10000 && !(probe.top && probe.bottom));
          return performance.now() - start;
        }
        """,
        part);
}
