using System.Globalization;
using System.Text.RegularExpressions;
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

    /// <summary>How many lines the log has.</summary>
    public ILocator Count => page.Locator(".console .count");

    /// <summary>The field of the search.</summary>
    public ILocator FindField => page.GetByLabel("Find in the log", new() { Exact = true }).And(page.Locator("input"));

    /// <summary>What the search found.</summary>
    public ILocator FindCount => page.Locator(".find-count");

    /// <summary>Returns to the end.</summary>
    public ILocator NewLines => page.Locator(".console .fresh");

    /// <summary>Id of the deployment, from the address.</summary>
    public long Id => long.Parse(IdInAddress.Match(page.Url).Groups["id"].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("/deployments/(?<id>[0-9]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex IdInAddress { get; }

    /// <summary>The row of a line, where it is painted.</summary>
    public ILocator Line(int number) => Console.Locator($".row:not(.pending)[data-line='{number}']");

    /// <summary>Waits for the page of a deployment.</summary>
    public async Task ArriveAsync()
    {
        await page.WaitForURLAsync("**/deployments/*");
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
}
