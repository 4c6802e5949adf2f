using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Deployer.Core.Access;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Api;

/// <summary>Protection, approvals, freezes, comments and the audit log over HTTP.</summary>
public sealed class EnvironmentsApiTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private readonly Team _team = new(server);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Protected_DeploymentWaits_UntilASecondPersonApproves()
    {
        using var owner = await _team.OwnerAsync();
        var app = await AddAppAsync(owner, "guarded");
        await ProtectAsync(owner, "guarded", protect: true);
        using var dora = await _team.TokenAsync(AccessRole.Deployer, "guarded", app: null);
        var id = await DeployAsync(dora, app, new { reason = "new basket" });

        var waiting = await dora.GetFromJsonAsync<JsonElement>($"/api/deployments/{id}", Cancellation);
        Assert.Equal("queued", waiting.GetProperty("status").GetString());
        Assert.Equal("approval", waiting.GetProperty("waiting").GetProperty("reason").GetString());
        using (var own = await dora.PostAsJsonAsync($"/api/deployments/{id}/approve", new { reason = "me too" }, Cancellation))
        {
            Assert.Equal("own_request", (await own.ReadProblemAsync(HttpStatusCode.Conflict, Cancellation)).Code);
        }

        using (var silent = await owner.PostAsJsonAsync($"/api/deployments/{id}/approve", new { reason = " " }, Cancellation))
        {
            Assert.Contains("reason", (await silent.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation)).Errors.Keys);
        }

        using (var viewer = await _team.TokenAsync(AccessRole.Viewer, "guarded", app: null))
        using (var refused = await viewer.PostAsJsonAsync($"/api/deployments/{id}/approve", new { reason = "fine" }, Cancellation))
        {
            await refused.ReadProblemAsync(HttpStatusCode.Forbidden, Cancellation);
        }

        using (var approved = await owner.PostAsJsonAsync($"/api/deployments/{id}/approve", new { reason = "looked at it" }, Cancellation))
        {
            Assert.Equal("looked at it", (await approved.ReadAsync(HttpStatusCode.OK, Cancellation)).GetProperty("approval").GetProperty("reason").GetString());
        }

        await server.EndAsync(id, Cancellation);
        var ended = await dora.GetFromJsonAsync<JsonElement>($"/api/deployments/{id}", Cancellation);
        Assert.Equal("succeeded", ended.GetProperty("status").GetString());
        using var late = await owner.PostAsJsonAsync($"/api/deployments/{id}/approve", new { reason = "again" }, Cancellation);
        Assert.Equal("not_waiting", (await late.ReadProblemAsync(HttpStatusCode.Conflict, Cancellation)).Code);
        await ProtectAsync(owner, "guarded", protect: false);
    }

    [Fact]
    public async Task Limit_SetKeptAndLifted_LeavesTheProtectionAndIsWrittenDown()
    {
        using var owner = await _team.OwnerAsync();
        await AddAppAsync(owner, "narrow");
        await ProtectAsync(owner, "narrow", protect: true);
        foreach (var (asked, answer) in new (object, int?)[] { (new { max_concurrent = 2 }, 2), (new { @protected = false }, 2), (new { max_concurrent = 0 }, null) })
        {
            using var changed = await owner.PutAsJsonAsync("/api/environments/narrow", asked, Cancellation);
            var limit = (await changed.ReadAsync(HttpStatusCode.OK, Cancellation)).GetProperty("max_concurrent");
            Assert.Equal(answer, limit.ValueKind == JsonValueKind.Null ? null : limit.GetInt32());
        }

        foreach (var (wrong, field) in new (object, string)[] { (new { max_concurrent = 257 }, "max_concurrent"), (new { max_concurrent = -1 }, "max_concurrent"), (new { }, "protected") })
        {
            using var refused = await owner.PutAsJsonAsync("/api/environments/narrow", wrong, Cancellation);
            Assert.Contains(field, (await refused.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation)).Errors.Keys);
        }

        var audit = await owner.GetFromJsonAsync<JsonElement>("/api/audit?action=environment.changed&environment=narrow", Cancellation);
        Assert.Equal(
            [(false, "2", "null"), (false, "2", "2"), (true, "null", "2"), (true, "null", "null")],
            audit.GetProperty("entries").EnumerateArray().Select(entry => (
                entry.GetProperty("after").GetProperty("protected").GetBoolean(),
                entry.GetProperty("before").GetProperty("max_concurrent").GetRawText(),
                entry.GetProperty("after").GetProperty("max_concurrent").GetRawText())));
    }

    [Fact]
    public async Task Freeze_StopsDeployers_AndAnAdminsOverrideIsShownAndWrittenDown()
    {
        using var owner = await _team.OwnerAsync();
        var app = await AddAppAsync(owner, "frozen");
        using var dora = await _team.TokenAsync(AccessRole.Deployer, "frozen", app: null);
        using var frozen = await owner.PostAsJsonAsync(
            "/api/environments/frozen/freezes", new { ends_at = "2999-01-01T00:00:00Z", reason = "Release week" }, Cancellation);
        await frozen.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation);
        var end = TimeProvider.System.GetUtcNow().AddDays(7).ToString("O");
        using var set = await owner.PostAsJsonAsync("/api/environments/frozen/freezes", new { ends_at = end, reason = "Release week" }, Cancellation);
        var freeze = (await set.ReadAsync(HttpStatusCode.Created, Cancellation)).GetProperty("id").GetInt64();

        using (var refused = await dora.PostAsJsonAsync($"/api/apps/{app}/deployments", new { }, Cancellation))
        {
            Assert.Contains("Release week", (await refused.ReadProblemAsync(HttpStatusCode.Conflict, Cancellation)).Detail, StringComparison.Ordinal);
        }

        using (var denied = await dora.PostAsJsonAsync($"/api/apps/{app}/deployments", new { override_freeze = true, reason = "hot fix" }, Cancellation))
        {
            await denied.ReadProblemAsync(HttpStatusCode.Forbidden, Cancellation);
        }

        var id = await DeployAsync(owner, app, new { override_freeze = true, reason = "hot fix" });
        var shown = await dora.GetFromJsonAsync<JsonElement>($"/api/deployments/{id}", Cancellation);
        Assert.Equal("Release week", shown.GetProperty("overridden_freeze").GetString());
        var entry = Assert.Single((await owner.GetFromJsonAsync<JsonElement>($"/api/audit?action=freeze.overridden&subject=deployment:{id}", Cancellation))
            .GetProperty("entries").EnumerateArray());
        Assert.Equal(("hot fix", "Release week"), (entry.GetProperty("note").GetString(), entry.GetProperty("after").GetProperty("freeze").GetString()));
        await server.EndAsync(id, Cancellation);

        using (var lifted = await owner.DeleteAsync($"/api/environments/frozen/freezes/{freeze}", Cancellation))
        {
            await lifted.ReadAsync(HttpStatusCode.NoContent, Cancellation);
        }

        // An admin who asks for an override where nothing is frozen overrides nothing.
        var free = await DeployAsync(owner, app, new { override_freeze = true, reason = "hot fix" });
        Assert.Equal(JsonValueKind.Null, (await owner.GetFromJsonAsync<JsonElement>($"/api/deployments/{free}", Cancellation)).GetProperty("overridden_freeze").ValueKind);
        await server.EndAsync(free, Cancellation);
        using var gone = await owner.DeleteAsync($"/api/environments/frozen/freezes/{freeze}", Cancellation);
        Assert.Equal("freeze_unknown", (await gone.ReadProblemAsync(HttpStatusCode.NotFound, Cancellation)).Code);
    }

    [Fact]
    public async Task Environments_ShowACallerWhatItsRolesShow()
    {
        using var owner = await _team.OwnerAsync();
        await AddAppAsync(owner, "red");
        await AddAppAsync(owner, "blue");
        using var dora = await _team.TokenAsync(AccessRole.Deployer, "red", app: null);

        var names = (await dora.GetFromJsonAsync<JsonElement>("/api/environments", Cancellation)).GetProperty("environments").EnumerateArray()
            .Select(environment => environment.GetProperty("name").GetString());

        Assert.Equal(["red"], names);
        using var denied = await dora.PutAsJsonAsync("/api/environments/red", new { @protected = true }, Cancellation);
        await denied.ReadProblemAsync(HttpStatusCode.Forbidden, Cancellation);
    }

    [Theory]
    [InlineData("PUT", "/api/environments/Not%20One", """{"protected":true}""", "environment")]
    [InlineData("PUT", "/api/environments/lab", """{}""", "protected")]
    [InlineData("POST", "/api/environments/lab/freezes", """{"reason":"x"}""", "ends_at")]
    [InlineData("POST", "/api/environments/lab/freezes", """{"starts_at":"2990-01-02T00:00:00Z","ends_at":"2990-01-01T00:00:00Z","reason":"x"}""", "ends_at")]
    [InlineData("POST", "/api/environments/lab/freezes", """{"ends_at":"2001-01-01T00:00:00Z","reason":"x"}""", "ends_at")]
    [InlineData("POST", "/api/environments/lab/freezes", """{"ends_at":"2990-01-01T00:00:00Z"}""", "reason")]
    public async Task Environment_Wrong_NamesTheField(string method, string path, string body, string field)
    {
        using var owner = await _team.OwnerAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
        using var response = await owner.SendAsync(request, Cancellation);

        Assert.Contains(field, (await response.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation)).Errors.Keys);
    }

    [Fact]
    public async Task Comments_PinnedByAViewer_AreMaskedAndRemovedByAuthorOrAdminAlone()
    {
        using var owner = await _team.OwnerAsync();
        var app = await AddAppAsync(owner, "talk");
        using (var secret = await owner.PutAsJsonAsync($"/api/apps/{app}/secrets/TOKEN", new { value = "s3ntinel-value" }, Cancellation))
        {
            await secret.ReadAsync(HttpStatusCode.NoContent, Cancellation);
        }

        var id = await DeployAsync(owner, app, new { });
        await server.EndAsync(id, Cancellation);
        using var vera = await _team.TokenAsync(AccessRole.Viewer, "talk", app: null);
        using var pinned = await vera.PostAsJsonAsync($"/api/deployments/{id}/comments", new { line = 2, text = "<b>why</b> s3ntinel-value?" }, Cancellation);
        var comment = await pinned.ReadAsync(HttpStatusCode.Created, Cancellation);
        var number = comment.GetProperty("id").GetInt64();

        var list = await owner.GetStringAsync($"/api/deployments/{id}/comments", Cancellation);
        Assert.DoesNotContain("s3ntinel-value", list, StringComparison.Ordinal);
        Assert.Equal("<b>why</b> ***?", JsonSerializer.Deserialize<JsonElement>(list).GetProperty("comments")[0].GetProperty("text").GetString());

        foreach (var (line, text, field) in new[] { (0, "x", "line"), (1_000_000, "x", "line"), (1, " ", "text"), (1, new string('x', 2001), "text"), (1, "\u0007", "text") })
        {
            using var wrong = await vera.PostAsJsonAsync($"/api/deployments/{id}/comments", new { line, text }, Cancellation);
            Assert.Contains(field, (await wrong.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation)).Errors.Keys);
        }

        using (var other = await _team.TokenAsync(AccessRole.Deployer, "talk", app: null))
        using (var denied = await other.DeleteAsync($"/api/deployments/{id}/comments/{number}", Cancellation))
        {
            await denied.ReadProblemAsync(HttpStatusCode.Forbidden, Cancellation);
        }

        using (var stranger = await _team.TokenAsync(AccessRole.Admin, "elsewhere", app: null))
        using (var hidden = await stranger.GetAsync($"/api/deployments/{id}/comments", Cancellation))
        {
            await hidden.ReadProblemAsync(HttpStatusCode.NotFound, Cancellation);
        }

        using (var removed = await vera.DeleteAsync($"/api/deployments/{id}/comments/{number}", Cancellation))
        {
            await removed.ReadAsync(HttpStatusCode.NoContent, Cancellation);
        }

        using var again = await owner.DeleteAsync($"/api/deployments/{id}/comments/{number}", Cancellation);
        Assert.Equal("comment_unknown", (await again.ReadProblemAsync(HttpStatusCode.NotFound, Cancellation)).Code);
    }

    [Fact]
    public async Task Audit_EveryAccessToASecretOrALog_IsWrittenDownAndExported()
    {
        using var owner = await _team.OwnerAsync();
        var app = await AddAppAsync(owner, "watched");
        using (var secret = await owner.PutAsJsonAsync($"/api/apps/{app}/secrets/TOKEN", new { value = "s3ntinel-value" }, Cancellation))
        {
            await secret.ReadAsync(HttpStatusCode.NoContent, Cancellation);
        }

        var id = await DeployAsync(owner, app, new { reason = "=HYPERLINK(\"http://evil.example\")" });
        await server.EndAsync(id, Cancellation);
        using var vera = await _team.TokenAsync(AccessRole.Viewer, "watched", app: null);
        await vera.GetStringAsync($"/api/deployments/{id}/logs.txt", Cancellation);

        var page = await owner.GetFromJsonAsync<JsonElement>($"/api/audit?subject=deployment:{id}", Cancellation);
        Assert.Equal(
            [("deployment.requested", "=HYPERLINK(\"http://evil.example\")"), ("log.downloaded", app), ("secret.used", "TOKEN")],
            page.GetProperty("entries").EnumerateArray().Select(entry => (entry.GetProperty("action").GetString()!, entry.GetProperty("note").GetString()!))
                .OrderBy(entry => entry.Item1, StringComparer.Ordinal));
        var first = await owner.GetFromJsonAsync<JsonElement>("/api/audit?environment=watched&limit=1", Cancellation);
        var next = await owner.GetFromJsonAsync<JsonElement>($"/api/audit?environment=watched&limit=1&before={first.GetProperty("next_before").GetInt64()}", Cancellation);
        Assert.NotEqual(first.GetProperty("entries").GetRawText(), next.GetProperty("entries").GetRawText());

        var lines = (await owner.GetStringAsync("/api/audit/export?environment=watched", Cancellation)).TrimEnd('\n').Split('\n');
        Assert.Equal(
            ["app.added", "deployment.requested", "log.downloaded", "secret.set", "secret.used", "token.created"],
            lines.Select(line => JsonSerializer.Deserialize<JsonElement>(line).GetProperty("action").GetString()).Order(StringComparer.Ordinal));
        using var csv = await owner.GetAsync("/api/audit/export?format=csv&environment=watched", Cancellation);
        Assert.Equal("attachment", csv.Content.Headers.ContentDisposition?.DispositionType);
        var text = await csv.Content.ReadAsStringAsync(Cancellation);
        Assert.StartsWith("id,at,actor_kind,", text, StringComparison.Ordinal);
        Assert.Contains(",\"'=HYPERLINK(\"\"http://evil.example\"\")\"\r\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("s3ntinel-value", text, StringComparison.Ordinal);
        Assert.Contains("audit.exported", await owner.GetStringAsync("/api/audit?text=AUDIT_LOG", Cancellation), StringComparison.Ordinal);
        foreach (var query in new[] { "format=xml", "from=yesterday", "colour=red" })
        {
            using var wrong = await owner.GetAsync($"/api/audit/export?{query}", Cancellation);
            Assert.Contains(query.Split('=')[0], (await wrong.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation)).Errors.Keys);
        }
    }

    private static async Task<string> AddAppAsync(HttpClient owner, string environment)
    {
        var name = ServerFixture.NewName();
        using var response = await owner.PostAsJsonAsync("/api/apps", new { name, image = "web:v1", environment }, Cancellation);
        await response.ReadAsync(HttpStatusCode.Created, Cancellation);
        return name;
    }

    private static async Task ProtectAsync(HttpClient owner, string environment, bool protect)
    {
        using var response = await owner.PutAsJsonAsync($"/api/environments/{environment}", new { @protected = protect }, Cancellation);
        Assert.Equal(protect, (await response.ReadAsync(HttpStatusCode.OK, Cancellation)).GetProperty("protected").GetBoolean());
    }

    private static async Task<long> DeployAsync(HttpClient client, string app, object body)
    {
        using var response = await client.PostAsJsonAsync($"/api/apps/{app}/deployments", body, Cancellation);
        return (await response.ReadAsync(HttpStatusCode.Accepted, Cancellation)).GetProperty("id").GetInt64();
    }
}
