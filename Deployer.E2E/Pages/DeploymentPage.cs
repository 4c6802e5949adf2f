using System.Globalization;
using System.Text.RegularExpressions;
using Deployer.E2E.Hosting;
using Microsoft.Playwright;

namespace Deployer.E2E.Pages;

/// <summary>A deployment's page with its console.</summary>
public sealed partial class DeploymentPage(IPage page)
{
    /// <summary>The status.</summary>
    public ILocator Status => page.Locator(".page-head .badge");

    /// <summary>Why it failed.</summary>
    public ILocator Failure => page.GetByRole(AriaRole.Region, new() { Name = "Why it failed" });

    /// <summary>The console's region.</summary>
    public ILocator Console => page.GetByRole(AriaRole.Log);

    /// <summary>The rows that are painted now.</summary>
    public ILocator Rows => Console.Locator(".row:not(.pending)");

    /// <summary>The rows that are marked.</summary>
    public ILocator Marked => Console.Locator(".row.marked");

    /// <summary>How many lines the log has.</summary>
    public ILocator Count => page.Locator(".console .count");

    /// <summary>The field of the search.</summary>
    public ILocator FindField => page.GetByLabel("Find in the log", new() { Exact = true }).And(page.Locator("input"));

    /// <summary>What the search found.</summary>
    public ILocator FindCount => page.Locator(".find-count");

    /// <summary>The heading of a step in the log.</summary>
    public ILocator Heading(string key) => Console.Locator($".heading[data-section='{key}'] .fold");

    /// <summary>The headings of the steps in the log that are painted now.</summary>
    public ILocator Headings => Console.Locator(".heading .fold");

    /// <summary>Opens every step's part of the log.</summary>
    public ILocator OpenAllSteps => page.GetByRole(AriaRole.Button, new() { Name = "Open all steps" });

    /// <summary>Returns to the end.</summary>
    public ILocator NewLines => page.Locator(".console .fresh");

    /// <summary>Id of the deployment, from the address.</summary>
    public long Id => long.Parse(IdInAddress.Match(page.Url).Groups["id"].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("/deployments/(?<id>[0-9]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex IdInAddress { get; }

    [GeneratedRegex("/deployments/[0-9]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OfDeployment { get; }

    /// <summary>The row of a line, where it is painted.</summary>
    public ILocator Line(int number) => Console.Locator($".row:not(.pending)[data-line='{number}']");

    /// <summary>Waits for the page of a deployment.</summary>
    public async Task ArriveAsync()
    {
        await page.ArriveAtAsync(OfDeployment);
        await Assertions.Expect(Console).ToBeVisibleAsync();
    }

    /// <summary>Waits until the deployment ended in a status.</summary>
    public Task EndsAsync(string status) => Assertions.Expect(Status).ToHaveTextAsync(status, new() { Timeout = 60_000 });

    /// <summary>
    /// Reads the log as a person would: from the first line to the last, a screen at a time, and fails on a number that
    /// is missing or comes twice.
    /// </summary>
    public async Task<IReadOnlyList<string>> ReadAllAsync(int total)
    {
        if (await OpenAllSteps.IsVisibleAsync())
        {
            await OpenAllSteps.ClickAsync();
        }

        await Console.FocusAsync();
        await page.Keyboard.PressAsync("Home");
        var lines = new SortedDictionary<int, string>();
        while (true)
        {
            // All rows of the screen are there, and it shows the line after the last one read.
            await page.WaitForFunctionAsync(
                "next => !document.querySelector('.viewport .row.pending') && document.querySelector(`.viewport .row[data-line='${next}']`)",
                Math.Min(lines.Count + 1, total));
            foreach (var row in await Rows.EvaluateAllAsync<string[][]>("rows => rows.map(row => [row.dataset.line, row.querySelector('.x').textContent])"))
            {
                var number = int.Parse(row[0], CultureInfo.InvariantCulture);
                Assert.True(!lines.TryGetValue(number, out var text) || text == row[1], $"Line {number} was '{lines.GetValueOrDefault(number)}' and is '{row[1]}'.");
                lines[number] = row[1];
            }

            Assert.Equal(Enumerable.Range(1, lines.Count), lines.Keys);
            if (lines.Count == total)
            {
                return [.. lines.Values];
            }

            await page.Keyboard.PressAsync("PageDown");
        }
    }

    /// <summary>
    /// Reads a long log, which has ended, from the first line to the last by moving the scroll bar a screen at a time, and
    /// fails on a row that is not the next one, or that says something else than before.
    /// </summary>
    public async Task<IReadOnlyList<string>> SkimAsync()
    {
        if (await OpenAllSteps.IsVisibleAsync())
        {
            await OpenAllSteps.ClickAsync();
        }

        await Console.FocusAsync();
        await page.Keyboard.PressAsync("g");
        await Assertions.Expect(Line(1)).ToBeVisibleAsync();
        return await page.EvaluateAsync<string[]>(
            """
            async () => {
              const viewport = document.querySelector('.viewport');
              const frame = () => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
              const lines = [];
              let moved = performance.now();
              while (true) {
                // The next line is there, and everything else of the screen, too.
                do {
                  await frame();
                  if (performance.now() - moved > 30000) {
                    throw new Error(`What follows line ${lines.length} is not painted.`);
                  }
                } while (viewport.querySelector('.row.pending') || !viewport.querySelector(`.row[data-line='${lines.length}'], .row[data-line='${lines.length + 1}']`));
                let before = null;
                for (const row of viewport.querySelectorAll('.row')) {
                  const number = Number(row.dataset.line);
                  const text = row.querySelector('.x').textContent;
                  if (before !== null && number !== before + 1 || number > lines.length + 1) {
                    throw new Error(`Line ${number} stands after ${before}; ${lines.length} were read.`);
                  }
                  if (number <= lines.length && lines[number - 1] !== text) {
                    throw new Error(`Line ${number} was '${lines[number - 1]}' and is '${text}'.`);
                  }
                  lines[number - 1] = text;
                  before = number;
                }
                if (viewport.scrollTop >= viewport.scrollHeight - viewport.clientHeight - 1) {
                  return lines;
                }
                moved = performance.now();
                viewport.scrollTop += viewport.clientHeight - 40;
              }
            }
            """);
    }

    /// <summary>Waits until the log has stood still for some frames: a key that scrolls takes effect after it was pressed.</summary>
    public Task StandsStillAsync() => page.EvaluateAsync(
        """
        async () => {
          const viewport = document.querySelector('.viewport');
          for (let still = 0, top = null; still < 10; still = viewport.scrollTop === top ? still + 1 : 0) {
            top = viewport.scrollTop;
            await new Promise(requestAnimationFrame);
          }
        }
        """);

    /// <summary>Looks at every frame from now on.</summary>
    public Task WatchAsync() => page.EvaluateAsync(
        """
        () => {
          const seen = window.seen = new Map();
          const wrong = window.wrong = [];
          const look = () => {
            let before = null;
            for (const row of document.querySelectorAll('.viewport .row')) {
              const number = Number(row.dataset.line);
              const text = row.querySelector('.x')?.textContent;
              if (before !== null && number !== before + 1 || text !== undefined && (seen.get(number) ?? text) !== text) {
                wrong.push(`${number} '${text}' after ${before}`);
              }
              if (text !== undefined) {
                seen.set(number, text);
              }
              before = number;
            }
            requestAnimationFrame(look);
          };
          look();
        }
        """);

    /// <summary>Every line that a frame showed since then; fails when one showed lines out of order or differently from before.</summary>
    public async Task<IReadOnlyDictionary<int, string>> SeenAsync()
    {
        Assert.Empty(await page.EvaluateAsync<string[]>("() => window.wrong"));
        var seen = await page.EvaluateAsync<string[][]>("() => [...window.seen].map(([number, text]) => [String(number), text])");
        return seen.ToDictionary(line => int.Parse(line[0], CultureInfo.InvariantCulture), line => line[1]);
    }
}
