using System.Net.Http.Json;
using Deployer.E2E.Hosting;
using static Microsoft.Playwright.Assertions;

namespace Deployer.E2E.Journeys;

/// <summary>
/// What strangers could write, on every page that shows it, in a real browser: it stands there as text, and no script of
/// it runs.
/// </summary>
public sealed class InjectionTests(Browser browser) : Journey(browser)
{
    // Closes whatever it may stand in, and would run in an element, an attribute, a script or an address.
    private const string Payload =
        "\"'>--></script></style></title><img src=x onerror=\"window.pwned=1\"><svg onload=\"window.pwned=1\"><script>window.pwned=1</script><a href=\"javascript:window.pwned=1\">x</a>{{7*7}}${7*7}";

    [Fact]
    public async Task Pages_ShowingWhatOthersWrote_RunNoneOfIt()
    {
        var dashboard = Keep(Dashboard.Start());
        const string Name = "injected";
        await PostAsync(dashboard, "/api/apps", new
        {
            name = Name,
            image = Settings.Image("crash"),
            command = new[] { "/bin/sh", "-c", $"cat <<'END'\n{Payload}\nEND\nsleep 0.2; exit 3" },
            env = new Dictionary<string, string>(StringComparer.Ordinal) { ["TEXT"] = Payload },
        });
        var deployed = await PostAsync(dashboard, $"/api/apps/{Name}/deployments", new { reason = Payload });
        var id = deployed.GetProperty("id").GetInt64();
        var (lines, status) = await dashboard.FollowAsync(id);
        Assert.Equal("failed", status);
        Assert.Contains(lines, line => line.Contains("<script>window.pwned=1</script>", StringComparison.Ordinal));
        await PostAsync(dashboard, $"/api/deployments/{id}/comments", new { line = 1, text = Payload });
        await PostAsync(dashboard, "/api/notifications", new { name = Payload[..90], kind = "slack", address = "https://chat.test/x", events = new[] { "failed" } });

        var window = await OpenAsync(dashboard);
        var blocked = new List<string>();
        window.Page.Console += (_, message) =>
        {
            if (message.Text.Contains("Content Security Policy", StringComparison.OrdinalIgnoreCase))
            {
                blocked.Add(message.Text);
            }
        };
        window.Page.Dialog += (_, _) => blocked.Add("a dialog opened");
        foreach (var address in new[]
        {
            "/", "/activity", $"/apps/{Name}", $"/apps/{Name}/edit", $"/deployments/{id}", $"/search?q={Uri.EscapeDataString("<script>window.pwned=1")}", "/notifications", "/audit",
            $"/apps/{Uri.EscapeDataString(Payload[..60])}",
        })
        {
            await window.GoToAsync(address);
            if (address.StartsWith("/deployments", StringComparison.Ordinal))
            {
                await Expect(window.Deployment.Rows.First).ToBeVisibleAsync();
                await Expect(window.Deployment.Failure).ToBeVisibleAsync();
            }

            Assert.Null(await window.Page.EvaluateAsync<int?>("window.pwned ?? null"));
            Assert.Equal(0, await window.Page.Locator("img[src='x'], svg[onload], a[href^='javascript:']").CountAsync());
        }

        // Nothing even tried: what is text asks the policy for nothing.
        Assert.Empty(blocked);

        // The policy stands behind that: an element that got in all the same would not run.
        await window.Page.EvaluateAsync(
            """
            new Promise(settled => {
              document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.pwned=1">');
              const image = document.querySelector("img[src='x']");
              image.addEventListener('error', () => settled());
              image.addEventListener('load', () => settled());
            })
            """);
        Assert.Null(await window.Page.EvaluateAsync<int?>("window.pwned ?? null"));
    }

    private static async Task<System.Text.Json.JsonElement> PostAsync(Dashboard dashboard, string path, object body)
    {
        using var response = await dashboard.Api.PostAsJsonAsync(path, body, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"{path}: {(int)response.StatusCode} {text}");
        return System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>(text);
    }
}
