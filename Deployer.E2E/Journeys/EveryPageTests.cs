using Deployer.E2E.Hosting;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Deployer.E2E.Journeys;

/// <summary>Every page, in both themes and on two sizes of screen: accessible, and with a picture to look at.</summary>
public sealed class EveryPageTests(Browser browser) : Journey(browser)
{
    private static readonly AxeRunOptions LevelAa = new()
    {
        RunOnly = RunOnlyOptions.Tags("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"),
    };

    [Fact]
    public async Task Pages_BeforeTheFirstApp_AreAccessible()
    {
        var dashboard = Keep(Dashboard.Start());
        await LookAtAsync(dashboard, [("home-empty", "/"), ("app-new", "/apps/new"), ("activity-empty", "/activity"), ("not-found", "/no/such/page")]);
    }

    [Fact]
    public async Task Pages_WithAppsAndDeployments_AreAccessible()
    {
        var dashboard = Keep(Dashboard.Start());
        var web = await dashboard.AddAppAsync("web", Settings.Image("web:v1"));
        var sick = await dashboard.AddAppAsync("worker", Settings.Image("unhealthy"));
        await dashboard.AddAppAsync("api", Settings.Image("web:v2"));
        var good = await dashboard.DeployAsync(web);
        var bad = await dashboard.DeployAsync(sick);
        await dashboard.FollowAsync(good);
        await dashboard.FollowAsync(bad);

        await LookAtAsync(dashboard,
        [
            ("home", "/"), ("app", $"/apps/{web}"), ("app-edit", $"/apps/{web}/edit"), ("app-not-deployed", "/apps/nowhere"),
            ("deployment-succeeded", $"/deployments/{good}"), ("deployment-failed", $"/deployments/{bad}"), ("activity", "/activity"),
        ]);
    }

    private async Task LookAtAsync(Dashboard dashboard, IReadOnlyList<(string Name, string Address)> pages)
    {
        var violations = new List<string>();
        foreach (var look in Look.All)
        {
            var window = await OpenAsync(dashboard, look);
            foreach (var (name, address) in pages)
            {
                await window.GoToAsync(address);
                if (name.StartsWith("deployment", StringComparison.Ordinal))
                {
                    await Expect(window.Deployment.Rows.First).ToBeVisibleAsync();
                }

                await window.ScreenshotAsync($"{name}-{look.Name}");
                var result = await window.Page.RunAxe(LevelAa);
                violations.AddRange(result.Violations.Select(violation =>
                    $"{name} ({look.Name}): {violation.Id}: {violation.Help}: {string.Join(" | ", violation.Nodes.Select(node => node.Html))}"));
                var overflow = await window.Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
                if (overflow > 0)
                {
                    violations.Add($"{name} ({look.Name}): {overflow} px wider than the screen");
                }
            }
        }

        Assert.Empty(violations);
    }
}
