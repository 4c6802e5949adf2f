using System.Net;
using System.Net.Http.Json;
using Deployer.Core.Access;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Security;

/// <summary>What a stranger could write, where it comes out again: headers, files and the server's own log.</summary>
public sealed class InjectionTests(GuardedServer server) : IClassFixture<GuardedServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("=HYPERLINK(\"http://evil.test\",\"x\")")]
    [InlineData("+1+cmd|' /C calc'!A0")]
    [InlineData("-2+3")]
    [InlineData("@SUM(A1)")]
    [InlineData("\t=1+1")]
    [InlineData("a\"b,c\r\nforged,row")]
    public async Task AuditCsv_OfAReasonThatIsAFormula_HoldsItAsText(string reason)
    {
        var app = await AddAppAsync();
        using (var deploy = GuardedServer.ByOwner(HttpMethod.Post, $"/api/apps/{app}/deployments"))
        {
            deploy.Content = JsonContent.Create(new { reason });
            using var queued = await server.Client.SendAsync(deploy, Cancellation);
            queued.EnsureSuccessStatusCode();
        }

        using var export = GuardedServer.ByOwner(HttpMethod.Get, "/api/audit/export?format=csv");
        using var response = await server.Client.SendAsync(export, Cancellation);
        var rows = ReadCsv(await response.Content.ReadAsStringAsync(Cancellation));

        Assert.Single(rows.Select(row => row.Count).Distinct());
        var cell = Assert.Single(rows.SelectMany(row => row), cell => cell.Contains(reason.Trim(), StringComparison.Ordinal));
        Assert.DoesNotContain(cell[0], "=+-@\t\r");
        Assert.All(rows.SelectMany(row => row).Where(other => other.Length > 0 && !double.TryParse(other, out _)), other => Assert.DoesNotContain(other[0], "=+-@\t\r"));
    }

    [Theory]
    [InlineData("/account/sign-in?return=/%0d%0aX-Injected:%201")]
    [InlineData("/apps/%0d%0aX-Injected:%201")]
    [InlineData("/no%0d%0aX-Injected:%201?a=%0d%0aX-Injected:%201")]
    [InlineData("/api/apps/%0d%0aX-Injected:%201")]
    [InlineData("/api/deployments/1%0d%0aX-Injected:%201/logs.txt")]
    public async Task Address_WithLineEnds_MakesNoHeader(string address)
    {
        using var response = await server.Client.GetAsync(address, Cancellation);
        using var byOwner = await server.Client.SendAsync(GuardedServer.ByOwner(HttpMethod.Get, address), Cancellation);

        Assert.False(response.Headers.Contains("X-Injected") || byOwner.Headers.Contains("X-Injected"));
        Assert.All(response.Headers.Concat(byOwner.Headers).SelectMany(header => header.Value), value => Assert.DoesNotContain('\n', value));
    }

    [Fact]
    public async Task Return_AfterSignIn_LeadsToNoOtherSite()
    {
        foreach (var back in new[] { "https://evil.test/", "//evil.test", "/\\evil.test", "/\r\nX: y", "javascript:alert(1)" })
        {
            using var page = await server.Client.GetAsync("/account/sign-in?return=" + Uri.EscapeDataString(back), Cancellation);
            var html = await page.Content.ReadAsStringAsync(Cancellation);
            Assert.DoesNotContain("evil.test", html, StringComparison.Ordinal);
            Assert.DoesNotContain("javascript:", html, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ServerLog_OfRequestsWithLineEndsAndSecrets_HoldsNeitherForgedLinesNorSecrets()
    {
        const string Forged = "forged-line";
        const string Text = "x\r\n" + Forged + "\u001b[2J";
        var app = await AddAppAsync();
        var escaped = Uri.EscapeDataString(Text);
        var token = await server.AddTokenAsync(AccessRole.Owner, null, null, Cancellation);
        foreach (var address in new[] { $"/api/apps/{escaped}", $"/api/deployments?app={escaped}", $"/{escaped}", $"/apps/{escaped}", $"/api/deployments/{escaped}/logs?after={escaped}" })
        {
            using var get = new HttpRequestMessage(HttpMethod.Get, address);
            get.Headers.Add("Authorization", $"Bearer {token}");
            using var answer = await server.Client.SendAsync(get, Cancellation);
        }

        foreach (var (path, body) in new (string, object)[]
        {
            ($"/api/apps/{app}/deployments", new { reason = Text }),
            ($"/api/apps/{app}/deployments", new { image = Text }),
            ("/api/apps", new { name = Text, image = Text }),
            ("/api/notifications", new { name = Text, kind = "slack", address = $"https://chat.test/{Text}", events = new[] { "failed" } }),
        })
        {
            using var post = GuardedServer.ByOwner(HttpMethod.Post, path);
            post.Content = JsonContent.Create(body);
            using var answer = await server.Client.SendAsync(post, Cancellation);
        }

        using (var secret = GuardedServer.ByOwner(HttpMethod.Put, $"/api/apps/{app}/secrets/TOKEN"))
        {
            secret.Content = JsonContent.Create(new { value = "s3ntinel-of-the-app" });
            using var stored = await server.Client.SendAsync(secret, Cancellation);
            stored.EnsureSuccessStatusCode();
        }

        using (var wrong = new HttpRequestMessage(HttpMethod.Get, "/api/apps"))
        {
            wrong.Headers.Add("Authorization", "Bearer dpl_s3ntinel-wrong");
            using var refused = await server.Client.SendAsync(wrong, Cancellation);
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        }

        var log = server.Log.Messages.ToArray();
        Assert.NotEmpty(log);
        Assert.DoesNotContain(log, message => message.Split('\n').Skip(1).Any(line => line.StartsWith(Forged, StringComparison.Ordinal)));
        Assert.DoesNotContain(log, message => message.Contains('\u001b', StringComparison.Ordinal));
        Assert.DoesNotContain(log, message => message.Contains("s3ntinel", StringComparison.Ordinal)
            || message.Contains(token, StringComparison.Ordinal) || message.Contains(GuardedServer.OwnerToken, StringComparison.Ordinal));
    }

    private async Task<string> AddAppAsync()
    {
        var name = ServerFixture.NewName();
        using var request = GuardedServer.ByOwner(HttpMethod.Post, "/api/apps");
        request.Content = JsonContent.Create(new { name, image = "web:v1" });
        using var response = await server.Client.SendAsync(request, Cancellation);
        response.EnsureSuccessStatusCode();
        return name;
    }

    /// <summary>Reads CSV (RFC 4180).</summary>
    private static List<List<string>> ReadCsv(string text)
    {
        var rows = new List<List<string>> { new() };
        var cell = new System.Text.StringBuilder();
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '"' when quoted && i + 1 < text.Length && text[i + 1] == '"':
                    cell.Append('"');
                    i++;
                    break;
                case '"':
                    quoted = !quoted;
                    break;
                case ',' when !quoted:
                    rows[^1].Add(cell.ToString());
                    cell.Clear();
                    break;
                case '\n' when !quoted:
                    rows[^1].Add(cell.ToString().TrimEnd('\r'));
                    cell.Clear();
                    rows.Add([]);
                    break;
                case var character:
                    cell.Append(character);
                    break;
            }
        }

        return [.. rows.Where(row => row.Count > 0)];
    }
}
