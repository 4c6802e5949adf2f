using System.Net.Http.Json;
using Deployer.E2E.Hosting;
using static Microsoft.Playwright.Assertions;

namespace Deployer.E2E.Journeys;

/// <summary>Every page, in both themes and on two sizes of screen: accessible, and with a picture to look at.</summary>
public sealed class EveryPageTests(Browser browser) : Journey(browser)
{
    [Fact]
    public async Task Pages_BeforeTheFirstApp_AreAccessible()
    {
        var dashboard = Keep(Dashboard.Start());
        await LookAtAsync(dashboard,
        [
            ("home-empty", "/"), ("app-new", "/apps/new"), ("activity-empty", "/activity"), ("search-empty", "/search"),
            ("environments-empty", "/environments"), ("registries-empty", "/registries"), ("notifications-empty", "/notifications"),
            ("not-found", "/no/such/page"),
        ]);
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
        await AddTargetAndWebhookAsync(dashboard, web);

        using (var saved = await dashboard.Api.PutAsJsonAsync(
            "/api/registries/registry.example.com:5000", new { user_name = "deployer", password = "pw-of-the-test" }, TestContext.Current.CancellationToken))
        {
            saved.EnsureSuccessStatusCode();
        }

        await LookAtAsync(dashboard,
        [
            ("home", "/"), ("app", $"/apps/{web}"), ("app-log", $"/apps/{web}/log"), ("app-compare-nothing", $"/apps/{web}/compare"), ("app-edit", $"/apps/{web}/edit"), ("app-not-deployed", "/apps/nowhere"),
            ("deployment-succeeded", $"/deployments/{good}"), ("deployment-failed", $"/deployments/{bad}"), ("activity", "/activity"),
            ("activity-filtered", $"/activity?app={web}&status=failed"), ("search", "/search?q=container"), ("search-nothing", "/search?q=nosuchtext&case=true"),
            ("webhook", $"/apps/{web}/webhook"), ("notifications", "/notifications"), ("diagnostics", "/diagnostics"),
            ("search-wrong", "/search?q=(&regex=true"), ("environments", "/environments"), ("registries", "/registries"),
        ]);
    }

    private static async Task AddTargetAndWebhookAsync(Dashboard dashboard, string app)
    {
        using var target = await dashboard.Api.PostAsJsonAsync(
            "/api/notifications",
            new { name = "Team chat", kind = "slack", address = "https://hooks.chat.test/services/T1/B2/key", events = new[] { "failed", "approval_wanted" } },
            TestContext.Current.CancellationToken);
        target.EnsureSuccessStatusCode();
        using var webhook = await dashboard.Api.PostAsJsonAsync(
            $"/api/apps/{app}/webhook", new { tags = "v*", address_key = true }, TestContext.Current.CancellationToken);
        webhook.EnsureSuccessStatusCode();
    }

    private async Task LookAtAsync(Dashboard dashboard, IReadOnlyList<(string Name, string Address)> pages)
    {
        var faults = new List<string>();
        foreach (var look in new[] { Look.Desktop, Look.DarkPhone })
        {
            var window = await OpenAsync(dashboard, look);
            foreach (var (name, address) in pages)
            {
                await window.GoToAsync(address);
                if (name.StartsWith("deployment", StringComparison.Ordinal))
                {
                    await Expect(window.Deployment.Headings.First).ToBeVisibleAsync();
                }

                if (name == "search")
                {
                    await Expect(window.Page.Locator("mark").First).ToBeVisibleAsync();
                }
                else if (name == "diagnostics")
                {
                    await Expect(window.Page.Locator(".findings")).ToBeVisibleAsync();
                }
                else if (name == "app-log")
                {
                    await Expect(window.Deployment.Rows.First).ToBeVisibleAsync();
                }
                else if (name == "environments")
                {
                    await Expect(window.Page.Locator(".engine .facts")).ToBeVisibleAsync();
                }
                else if (name == "activity")
                {
                    await Expect(window.Page.Locator("figure").First).ToBeVisibleAsync();
                }

                faults.AddRange(await window.FaultsAsync(name));
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }
}
