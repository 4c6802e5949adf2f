using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Deployer.E2E.Hosting;
using static Microsoft.Playwright.Assertions;

namespace Deployer.E2E.Journeys;

/// <summary>A container that writes as much as it can while somebody watches.</summary>
public sealed class StormTests(Browser browser) : Journey(browser)
{
    private const int Lines = 50_000;

    // Begins when somebody knocks, and crashes when it is through, so that the log ends. Nothing answers the health check.
    private static readonly string[] Command =
        ["/bin/sh", "-c", $"nc -l -p 8080 >/dev/null </dev/null; awk 'BEGIN {{ for (i = 1; i <= {Lines}; i++) print \"storm \" i }}'; exit 7"];

    private static readonly TimeSpan KnockEvery = TimeSpan.FromMilliseconds(200);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Storm_FiftyThousandLinesOfAContainerWhileWatched_IsPaintedAsTheApiGivesIt()
    {
        var dashboard = Keep(Dashboard.Start());
        var app = await dashboard.AddAppAsync(new
        {
            name = $"storm-{Guid.NewGuid():N}"[..12],
            image = Settings.Image("nohealth:v1"),
            command = Command,
            restart = "no",
            ports = new[] { new { container = 8080, host = 0 } },
            health = new { path = "/", port = 9090, interval_seconds = 1, retries = 100 },
        });
        var id = await dashboard.DeployAsync(app);
        var window = await OpenAsync(dashboard, Look.Tall);
        await window.GoToAsync($"/deployments/{id}");
        await Expect(window.Deployment.Heading("health_check")).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await window.Deployment.WatchAsync();

        await KnockUntilItBeginsAsync(dashboard, id);
        await window.Deployment.EndsAsync("Failed");
        var (lines, _) = await dashboard.FollowAsync(id);
        Assert.Equal(Enumerable.Range(1, Lines).Select(number => $"storm {number}"), lines.Where(line => line.StartsWith("storm ", StringComparison.Ordinal)));
        await Expect(window.Deployment.Line(lines.Count)).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await window.ScreenshotAsync("storm");

        // Whatever a frame showed was right, from the first line of the storm on.
        var seen = await window.Deployment.SeenAsync();
        Assert.All(seen, line => Assert.Equal(lines[line.Key - 1], line.Value));
        Assert.Contains(seen, line => line.Value.StartsWith("storm ", StringComparison.Ordinal) && line.Key < lines.Count - 1_000);

        Assert.Equal(lines, await window.Deployment.SkimAsync());
        await window.GoToAsync($"/deployments/{id}#L25000");
        await window.Page.ReloadAsync();
        Assert.Equal(lines[24_999], await window.Deployment.Line(25_000).Locator(".x").TextContentAsync());
    }

    private static async Task KnockUntilItBeginsAsync(Dashboard dashboard, long id)
    {
        while (true)
        {
            var deployment = await dashboard.Api.GetFromJsonAsync<JsonElement>($"/api/deployments/{id}", Cancel);
            var ports = deployment.GetProperty("ports");
            if (ports.GetArrayLength() > 0)
            {
                try
                {
                    using var knock = new TcpClient();
                    await knock.ConnectAsync("127.0.0.1", ports[0].GetProperty("host").GetInt32(), Cancel);
                }
                catch (SocketException)
                {
                    // It does not listen yet, or has ended.
                }
            }

            var tail = await dashboard.Api.GetFromJsonAsync<JsonElement>($"/api/deployments/{id}/logs?tail=1", Cancel);
            if (tail.GetProperty("logs")[0].GetProperty("output").GetString()!.StartsWith("storm ", StringComparison.Ordinal) || tail.GetProperty("complete").GetBoolean())
            {
                return;
            }

            await Task.Delay(KnockEvery, Cancel);
        }
    }
}
