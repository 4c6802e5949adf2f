using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Deployer.Core.Access;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Api;

/// <summary>People, invitations, sessions and tokens over HTTP.</summary>
public sealed class PeopleApiTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private readonly Team _team = new(server);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Invitation_LinkUsed_MakesAPersonWithTheRoleThatWasOffered()
    {
        using var owner = await _team.OwnerAsync();
        using var response = await owner.PostAsJsonAsync(
            "/api/invitations", new { email = "dora@example.com", role = "deployer", environment = "staging" }, Cancellation);
        var made = await response.ReadAsync(HttpStatusCode.Created, Cancellation);
        var link = new Uri(made.GetProperty("link").GetString()!);
        Assert.Equal(server.Client.BaseAddress!.Authority, link.Authority);

        using var browser = _team.Browser();
        using (var joined = await Team.PostAsync(browser, link.PathAndQuery, link.PathAndQuery, ("name", "Dora"), ("password", Team.Password)))
        {
            Assert.Equal(HttpStatusCode.Redirect, joined.StatusCode);
        }

        var me = await browser.GetFromJsonAsync<JsonElement>("/api/me", Cancellation);
        Assert.Equal(("person", "Dora"), (me.GetProperty("kind").GetString(), me.GetProperty("name").GetString()));
        Assert.Equal("""[{"role":"deployer","environment":"staging","app":null}]""", me.GetProperty("grants").GetRawText());
        using (var again = await Team.PostAsync(_team.Browser(), "/account/sign-in", link.PathAndQuery, ("name", "Eve"), ("password", Team.Password)))
        {
            Assert.Contains("used, withdrawn or too old", await again.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        }

        using var twice = await owner.PostAsJsonAsync("/api/invitations", new { email = "Dora@example.com", role = "viewer" }, Cancellation);
        Assert.Contains("has an account", (await twice.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation)).Errors["email"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invitation_Withdrawn_IsListedNoMoreAndItsLinkIsDead()
    {
        using var owner = await _team.OwnerAsync();
        using var response = await owner.PostAsJsonAsync("/api/invitations", new { email = "wanda@example.com", role = "viewer" }, Cancellation);
        var made = await response.ReadAsync(HttpStatusCode.Created, Cancellation);
        var id = made.GetProperty("invitation").GetProperty("id").GetInt64();
        Assert.Contains("wanda@example.com", await owner.GetStringAsync("/api/invitations", Cancellation), StringComparison.Ordinal);

        using (var withdrawn = await owner.DeleteAsync($"/api/invitations/{id}", Cancellation))
        {
            await withdrawn.ReadAsync(HttpStatusCode.NoContent, Cancellation);
        }

        var list = await owner.GetStringAsync("/api/invitations", Cancellation);
        Assert.DoesNotContain("wanda@example.com", list, StringComparison.Ordinal);
        Assert.Contains("used, withdrawn or too old", await _team.Browser().GetStringAsync(new Uri(made.GetProperty("link").GetString()!).PathAndQuery, Cancellation), StringComparison.Ordinal);
        using var again = await owner.DeleteAsync($"/api/invitations/{id}", Cancellation);
        Assert.Equal("invitation_unknown", (await again.ReadProblemAsync(HttpStatusCode.NotFound, Cancellation)).Code);
    }

    [Theory]
    [InlineData("nobody", "viewer", null, "email")]
    [InlineData("x@example.com", null, null, "role")]
    [InlineData("x@example.com", "viewer", "Not A Label", "environment")]
    [InlineData("x@example.com", "owner", "staging", "environment")]
    public async Task Invitation_Wrong_NamesTheField(string email, string? role, string? environment, string field)
    {
        using var owner = await _team.OwnerAsync();
        using var response = await owner.PostAsJsonAsync("/api/invitations", new { email, role, environment }, Cancellation);

        Assert.Contains(field, (await response.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation)).Errors.Keys);
    }

    [Fact]
    public async Task Roles_GrantedAndTaken_CountAtOnce()
    {
        using var owner = await _team.OwnerAsync();
        var person = await _team.JoinAsync("gerd@example.com", AccessRole.Viewer, "staging");
        using var browser = await _team.SignInAsync("gerd@example.com");
        var app = await ServerFixture.AddAppWithAsync(owner, Cancellation);
        await RefusesAsync(browser, app, HttpStatusCode.NotFound);

        using (var granted = await owner.PutAsJsonAsync($"/api/people/{person}/roles", new { role = "deployer", environment = "production" }, Cancellation))
        {
            Assert.Equal(2, (await granted.ReadAsync(HttpStatusCode.OK, Cancellation)).GetProperty("roles").GetArrayLength());
        }

        using (var deployed = await browser.PostAsJsonAsync($"/api/apps/{app}/deployments", new { }, Cancellation))
        {
            await deployed.ReadAsync(HttpStatusCode.Accepted, Cancellation);
        }

        using (var lowered = await owner.PutAsJsonAsync($"/api/people/{person}/roles", new { role = "viewer", environment = "production" }, Cancellation))
        {
            await lowered.ReadAsync(HttpStatusCode.OK, Cancellation);
        }

        await RefusesAsync(browser, app, HttpStatusCode.Forbidden);
        using (var taken = await owner.DeleteAsync($"/api/people/{person}/roles?environment=production", Cancellation))
        {
            await taken.ReadAsync(HttpStatusCode.OK, Cancellation);
        }

        await RefusesAsync(browser, app, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task LastOwner_CannotBeShutRemovedOrLowered()
    {
        using var owner = await _team.OwnerAsync();
        var people = (await owner.GetFromJsonAsync<JsonElement>("/api/people", Cancellation)).GetProperty("people").EnumerateArray()
            .Where(person => person.GetProperty("roles").GetRawText().Contains("owner", StringComparison.Ordinal)).ToList();
        var olga = Assert.Single(people).GetProperty("id").GetString();

        foreach (var attempt in new Func<Task<HttpResponseMessage>>[]
        {
            () => owner.PostAsync($"/api/people/{olga}/disable", content: null, Cancellation),
            () => owner.DeleteAsync($"/api/people/{olga}", Cancellation),
            () => owner.DeleteAsync($"/api/people/{olga}/roles", Cancellation),
            () => owner.PutAsJsonAsync($"/api/people/{olga}/roles", new { role = "admin" }, Cancellation),
        })
        {
            using var response = await attempt();
            Assert.Equal("last_owner", (await response.ReadProblemAsync(HttpStatusCode.Conflict, Cancellation)).Code);
        }
    }

    [Fact]
    public async Task Person_ShutThenRemoved_IsOutAtOnceAndStaysInTheAuditLog()
    {
        using var owner = await _team.OwnerAsync();
        var person = await _team.JoinAsync("paul@example.com", AccessRole.Viewer, environment: null);
        using var browser = await _team.SignInAsync("paul@example.com");
        using (var shut = await owner.PostAsync($"/api/people/{person}/disable", content: null, Cancellation))
        {
            Assert.Equal(JsonValueKind.String, (await shut.ReadAsync(HttpStatusCode.OK, Cancellation)).GetProperty("disabled_at").ValueKind);
        }

        await IsOutAsync(browser);
        using (var refused = await Team.SignInAsync(_team.Browser(), "paul@example.com", Team.Password))
        {
            Assert.Equal(HttpStatusCode.OK, refused.StatusCode);
        }

        using (var open = await owner.PostAsync($"/api/people/{person}/enable", content: null, Cancellation))
        {
            await open.ReadAsync(HttpStatusCode.OK, Cancellation);
        }

        using var second = await _team.SignInAsync("paul@example.com");
        using (var removed = await owner.DeleteAsync($"/api/people/{person}", Cancellation))
        {
            await removed.ReadAsync(HttpStatusCode.NoContent, Cancellation);
        }

        await IsOutAsync(second);
        using (var gone = await owner.GetAsync($"/api/people/{person}", Cancellation))
        {
            Assert.Equal("person_unknown", (await gone.ReadProblemAsync(HttpStatusCode.NotFound, Cancellation)).Code);
        }

        var actions = (await owner.GetFromJsonAsync<JsonElement>("/api/audit?subject=person:paul@example.com", Cancellation)).GetProperty("entries")
            .EnumerateArray().Select(entry => entry.GetProperty("action").GetString());
        Assert.Equal(
            [
                "person.removed", "session.signed_in", "person.enabled", "session.refused", "person.disabled", "session.signed_in", "person.joined",
                "person.invited",
            ],
            actions);
    }

    [Fact]
    public async Task Sessions_ListedEndedOneByOneAndAllAtOnce()
    {
        using var owner = await _team.OwnerAsync();
        var person = await _team.JoinAsync("sven@example.com", AccessRole.Viewer, environment: null);
        using var first = await _team.SignInAsync("sven@example.com");
        using var second = await _team.SignInAsync("sven@example.com");
        var sessions = (await owner.GetFromJsonAsync<JsonElement>($"/api/people/{person}/sessions", Cancellation)).GetProperty("sessions");
        Assert.Equal(2, sessions.GetArrayLength());

        var newest = sessions.EnumerateArray().MaxBy(session => session.GetProperty("created_at").GetString())!.GetProperty("id").GetString();
        using (var ended = await owner.DeleteAsync($"/api/people/{person}/sessions/{newest}", Cancellation))
        {
            await ended.ReadAsync(HttpStatusCode.NoContent, Cancellation);
        }

        await IsOutAsync(second);
        Assert.Equal("sven", (await first.GetFromJsonAsync<JsonElement>("/api/me", Cancellation)).GetProperty("name").GetString());
        using (var all = await owner.DeleteAsync($"/api/people/{person}/sessions", Cancellation))
        {
            await all.ReadAsync(HttpStatusCode.NoContent, Cancellation);
        }

        await IsOutAsync(first);
        using var again = await owner.DeleteAsync($"/api/people/{person}/sessions/{newest}", Cancellation);
        Assert.Equal("session_unknown", (await again.ReadProblemAsync(HttpStatusCode.NotFound, Cancellation)).Code);
    }

    [Fact]
    public async Task Token_OfOneAppAndRole_MayThatAloneUntilRevoked()
    {
        using var owner = await _team.OwnerAsync();
        var app = await ServerFixture.AddAppWithAsync(owner, Cancellation);
        var other = await ServerFixture.AddAppWithAsync(owner, Cancellation);
        using var response = await owner.PostAsJsonAsync("/api/tokens", new { name = "CI", role = "deployer", app, expires_in_days = 30 }, Cancellation);
        var made = await response.ReadAsync(HttpStatusCode.Created, Cancellation);
        var token = made.GetProperty("token").GetString()!;
        Assert.StartsWith("dpl_", token, StringComparison.Ordinal);
        var id = made.GetProperty("details").GetProperty("id").GetInt64();
        Assert.DoesNotContain(token, await owner.GetStringAsync("/api/tokens", Cancellation), StringComparison.Ordinal);

        using var bearer = _team.Bearing(token);
        using (var deployed = await bearer.PostAsJsonAsync($"/api/apps/{app}/deployments", new { }, Cancellation))
        {
            await deployed.ReadAsync(HttpStatusCode.Accepted, Cancellation);
        }

        await RefusesAsync(bearer, other, HttpStatusCode.NotFound);
        using (var tokens = await bearer.GetAsync("/api/tokens", Cancellation))
        {
            Assert.Equal("access_denied", (await tokens.ReadProblemAsync(HttpStatusCode.Forbidden, Cancellation)).Code);
        }

        var listed = (await owner.GetFromJsonAsync<JsonElement>("/api/tokens", Cancellation)).GetProperty("tokens").EnumerateArray()
            .Single(row => row.GetProperty("id").GetInt64() == id);
        Assert.Equal(JsonValueKind.String, listed.GetProperty("last_used_at").ValueKind);
        using (var revoked = await owner.DeleteAsync($"/api/tokens/{id}", Cancellation))
        {
            await revoked.ReadAsync(HttpStatusCode.NoContent, Cancellation);
        }

        using var late = await bearer.GetAsync($"/api/apps/{app}", Cancellation);
        Assert.Equal("sign_in_required", (await late.ReadProblemAsync(HttpStatusCode.Unauthorized, Cancellation)).Code);
        Assert.Contains("token.refused", await owner.GetStringAsync("/api/audit?action=token", Cancellation), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "viewer", null, null, null, "name")]
    [InlineData("bootstrap", "viewer", null, null, null, "name")]
    [InlineData("t", null, null, null, null, "role")]
    [InlineData("t", "owner", "staging", null, null, "role")]
    [InlineData("t", "viewer", "No", null, null, "environment")]
    [InlineData("t", "viewer", null, "nowhere", null, "app")]
    [InlineData("t", "viewer", null, null, 0, "expires_in_days")]
    [InlineData("t", "viewer", null, null, 4000, "expires_in_days")]
    public async Task Token_Wrong_NamesTheField(string name, string? role, string? environment, string? app, int? days, string field)
    {
        using var owner = await _team.OwnerAsync();
        using var response = await owner.PostAsJsonAsync("/api/tokens", new { name, role, environment, app, expires_in_days = days }, Cancellation);

        Assert.Contains(field, (await response.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation)).Errors.Keys);
    }

    [Theory]
    [InlineData("GET", "/api/people")]
    [InlineData("GET", "/api/invitations")]
    [InlineData("GET", "/api/tokens")]
    [InlineData("GET", "/api/audit")]
    [InlineData("GET", "/api/audit/export")]
    public async Task Management_ByAnAdmin_IsDenied(string method, string path)
    {
        using var owner = await _team.OwnerAsync();
        using var admin = await _team.TokenAsync(AccessRole.Admin, environment: null, app: null);
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await admin.SendAsync(request, Cancellation);

        Assert.Contains("owner", (await response.ReadProblemAsync(HttpStatusCode.Forbidden, Cancellation)).Detail, StringComparison.Ordinal);
    }

    private static async Task RefusesAsync(HttpClient client, string app, HttpStatusCode status)
    {
        using var response = await client.PostAsJsonAsync($"/api/apps/{app}/deployments", new { }, Cancellation);
        await response.ReadProblemAsync(status, Cancellation);
    }

    private static async Task IsOutAsync(HttpClient browser)
    {
        using var response = await browser.GetAsync("/api/me", Cancellation);
        await response.ReadProblemAsync(HttpStatusCode.Unauthorized, Cancellation);
    }
}
