using System.Globalization;
using Deployer.E2E.Hosting;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Deployer.E2E.Journeys;

/// <summary>A person with a phone deploys and reads the log, by finger alone.</summary>
public sealed class PhoneTests(Browser browser) : Journey(browser)
{
    // A swipe rolls on, and looks between two swipes would miss lines: every frame is looked at.
    private const string NoteWhatIsPainted =
        """
        () => {
          const seen = window.seenLines = {};
          const look = () => {
            for (const row of document.querySelectorAll('.viewport .row:not(.pending)')) {
              seen[row.dataset.line] = row.querySelector('.x').textContent;
            }

            requestAnimationFrame(look);
          };
          look();
        }
        """;

    [Fact]
    public async Task DeployAndReadTheLog_ByFinger_ShowsEveryLine()
    {
        var dashboard = Keep(Dashboard.Start());
        var app = await dashboard.AddAppAsync(new
        {
            name = $"web-{Guid.NewGuid():N}"[..10],
            image = Settings.Image("web:v1"),
            command = new[] { "/bin/sh", "-c", "seq 1 60; exec /bin/web" },
        });
        var window = await OpenAsync(dashboard, Look.Phone);

        await window.GoToAsync("/");
        await window.Home.Deploy(app).TapAsync();
        await window.Deploy.Deploy.TapAsync();
        await window.Deployment.ArriveAsync();
        await Expect(window.Deployment.Rows.First).ToBeVisibleAsync();
        await window.Deployment.EndsAsync("Succeeded");
        var (lines, _) = await dashboard.FollowAsync(window.Deployment.Id);
        await window.Deployment.OpenAllSteps.TapAsync();
        await window.Deployment.Console.ScrollIntoViewIfNeededAsync();
        await window.ScreenshotAsync("phone-log");

        await window.Page.EvaluateAsync(NoteWhatIsPainted);
        await SwipeUntilAsync(window, 250, seen => seen.ContainsKey(1));
        await SwipeUntilAsync(window, -250, seen => seen.ContainsKey(lines.Count));
        var seen = await SwipeUntilAsync(window, 250, seen => seen.Count == lines.Count);
        Assert.Equal(lines, seen.Values);

        // Nothing is wider than the phone, and every tool can be hit.
        Assert.Equal(0, await window.Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth"));
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Wrap long lines" }).TapAsync();
        await Expect(window.Page.GetByRole(AriaRole.Button, new() { Name = "Wrap long lines" })).ToHaveAttributeAsync("aria-pressed", "true");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Full screen" }).TapAsync();
        await Expect(window.Page.Locator(".console.full")).ToBeVisibleAsync();
        await window.ScreenshotAsync("phone-log-full");
    }

    /// <summary>Swipes one way until what was painted so far is enough, and gives that.</summary>
    private static async Task<SortedDictionary<int, string>> SwipeUntilAsync(Window window, int distance, Func<SortedDictionary<int, string>, bool> isEnough)
    {
        const int MostSwipes = 60;
        const int Steps = 5;
        var finger = await window.Page.Context.NewCDPSessionAsync(window.Page);
        var seen = new SortedDictionary<int, string>();
        for (var swipe = 0; swipe < MostSwipes; swipe++)
        {
            foreach (var row in await window.Page.EvaluateAsync<string[][]>("Object.entries(window.seenLines)"))
            {
                seen[int.Parse(row[0], CultureInfo.InvariantCulture)] = row[1];
            }

            if (isEnough(seen))
            {
                return seen;
            }

            var box = (await window.Deployment.Console.BoundingBoxAsync())!;
            var y = box.Y + (box.Height / 2) - (distance / 2f);
            await TouchAsync("touchStart", box.X + 100, y);
            for (var step = 1; step <= Steps; step++)
            {
                await TouchAsync("touchMove", box.X + 100, y + (distance * step / (float)Steps));
            }

            await TouchAsync("touchEnd", null, null);
        }

        Assert.Fail($"{MostSwipes} swipes led to the lines {string.Join(", ", seen.Keys)} alone.");
        return seen;

        Task TouchAsync(string type, float? x, float? y) => finger.SendAsync("Input.dispatchTouchEvent", new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["type"] = type,
            ["touchPoints"] = x is null ? [] : new[] { new { x, y } },
        });
    }
}
