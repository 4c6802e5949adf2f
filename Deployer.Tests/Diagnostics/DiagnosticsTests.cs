using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Deployer.Core.Data;
using Deployer.Core.Engine;
using Deployer.Tests.Fakes;
using Deployer.Tests.Notifications;
using Deployer.Tests.Security;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Deployer.Tests.Diagnostics;

/// <summary>What the doctor finds, and what goes out by OpenTelemetry.</summary>
public sealed class DiagnosticsTests(GuardedServer server) : IClassFixture<GuardedServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Doctor_FindsWhatIsNotWell_AndSaysTheRemedy()
    {
        var well = await LookAsync();
        Assert.True(well.GetProperty("state").GetString() == "ok", well.GetRawText());
        Assert.Equal(["clock", "database", "disk", "engine", "keys", "proxy"], Parts(well).Keys.Order(StringComparer.Ordinal));

        var engine = (QuietEngine)server.Services.GetRequiredService<IContainerEngine>();
        await SendAsync(HttpMethod.Put, "/api/registries/registry.test", new { user_name = "ann", password = "s3ntinel" });
        await SendAsync(HttpMethod.Post, "/api/apps", new { name = "hosted", image = "web:v1", hosts = new[] { "hosted.example.com" }, ports = new[] { new { container = 80, host = (int?)null } } });
        var target = await server.AddTargetAsync("staging", Cancellation);
        await using (var db = await server.DbAsync(Cancellation))
        {
            var later = TimeProvider.System.Now() + Duration.FromHours(1);
            await db.Deployments.Where(row => row.Id == target.Deployment).ExecuteUpdateAsync(set => set.SetProperty(row => row.CreatedAt, later), Cancellation);
        }

        var key = Directory.EnumerateFiles(Path.Combine(server.DataDirectory, "keys"), "*.xml").First();
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        engine.IsGone = true;
        try
        {
            var ill = await LookAsync();
            var parts = Parts(ill);
            Assert.Equal("failed", ill.GetProperty("state").GetString());
            Assert.Equal(("failed", true), (parts["engine"].State, parts["engine"].Remedy!.Contains("Engine:Endpoint", StringComparison.Ordinal)));
            Assert.Equal(("failed", true), (parts["proxy"].State, parts["proxy"].Remedy!.Contains("--roles", StringComparison.Ordinal)));
            Assert.Equal(("warning", $"Run: chmod 600 {key}"), parts["keys"]);
            Assert.Equal(("warning", true), (parts["clock"].State, parts["clock"].Remedy!.Contains("NTP", StringComparison.Ordinal)));
            Assert.NotEqual("ok", parts["registry registry.test"].State);
            Assert.Equal("ok", parts["database"].State);
            Assert.DoesNotContain("s3ntinel", ill.GetRawText(), StringComparison.Ordinal);
        }
        finally
        {
            engine.IsGone = false;
            File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    [Fact]
    public async Task Telemetry_WithAnEndpoint_TellsOfADeploymentBySpanAndMetrics()
    {
        await using var collector = await WebReceiver.StartAsync();
        await using var own = new GuardedServer(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Telemetry:OtlpEndpoint"] = collector.Address,
            ["Telemetry:Protocol"] = "http",
            ["Telemetry:IntervalSeconds"] = "1",
            ["Roles"] = "web,runner",
            ["Runner:StaysRunning"] = "00:00:00",
        });
        await own.InitializeAsync();
        var target = await own.AddTargetAsync("staging", Cancellation);

        // Collected as text: names stand in the protocol's messages as they are.
        var wanted = new HashSet<string>(
            [
                "/v1/traces deployer.deployment.number", $"/v1/traces {target.App}", "/v1/metrics deployer.deployments", "/v1/metrics deployer.deployment.duration",
                "/v1/metrics deployer.log.lines", "/v1/metrics deployer.queue.length", "/v1/metrics succeeded",
            ],
            StringComparer.Ordinal);
        while (wanted.Count > 0)
        {
            var sent = await collector.NextAsync(Cancellation);
            wanted.RemoveWhere(what => what.Split(' ') is [var path, var name] && sent.Path == path && sent.Body.Contains(name, StringComparison.Ordinal));
            Assert.DoesNotContain(GuardedServer.OwnerToken, sent.Body, StringComparison.Ordinal);
        }
    }

    private async Task<JsonElement> LookAsync()
    {
        using var response = await server.Client.SendAsync(GuardedServer.ByOwner(HttpMethod.Get, "/api/diagnostics"), Cancellation);
        return await response.ReadAsync(HttpStatusCode.OK, Cancellation);
    }

    private async Task SendAsync(HttpMethod method, string path, object body)
    {
        using var request = GuardedServer.ByOwner(method, path);
        request.Content = JsonContent.Create(body);
        using var response = await server.Client.SendAsync(request, Cancellation);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }

    private static Dictionary<string, (string State, string? Remedy)> Parts(JsonElement diagnostics) =>
        diagnostics.GetProperty("findings").EnumerateArray().ToDictionary(
            finding => finding.GetProperty("part").GetString()!,
            finding => (finding.GetProperty("state").GetString()!, finding.GetProperty("remedy").GetString()),
            StringComparer.Ordinal);
}
