using System.Net;
using System.Text;
using System.Text.Json;
using System.Web;
using Deployer.Core.Access;
using Deployer.Core.Audit;
using Deployer.Tests.Security;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.Tokens;

namespace Deployer.Tests.Web.Account;

/// <summary>Signing in through the organisation's sign-in system, against one that conforms and one that is played by somebody else.</summary>
public sealed class OidcSignInTests : IAsyncLifetime
{
    private static readonly Actor Founder = new(ActorKind.Deployer, "founder", "Founder", null, [new AccessGrant(AccessRole.Owner, null, null)]);

    private OidcProvider _provider = null!;
    private GuardedServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _provider = await OidcProvider.StartAsync();
        _server = await StartAsync(_provider.Settings());
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _provider.DisposeAsync();
    }

    [Fact]
    public async Task SignIn_OfAnInvitedPerson_MakesTheirAccountWithItsRole_AndASessionLikeAnyOther()
    {
        await InviteAsync("dora@example.com", AccessRole.Deployer, "staging");
        _provider.Person = new("dora-1", "Dora@Example.com", EmailVerified: true, "Dora\r\nD.");
        using var browser = new OidcBrowser(_server);
        Assert.Contains("Sign in with Example Login", await browser.ReadAsync("/account/sign-in"), StringComparison.Ordinal);

        var there = await browser.BeginAsync("/activity?x=1");
        var asked = HttpUtility.ParseQueryString(there.Query);
        Assert.Equal(
            ["code", "S256", "query", "openid profile email"],
            new[] { "response_type", "code_challenge_method", "response_mode", "scope" }.Select(name => asked[name] ?? (name == "response_mode" ? "query" : "")));
        Assert.True(asked["state"]!.Length > 40 && asked["nonce"]!.Length > 40 && asked["code_challenge"]!.Length == 43);
        var end = await browser.FollowAsync(await browser.FollowAsync(there));

        Assert.Equal("/activity?x=1", end.OriginalString);
        var me = JsonSerializer.Deserialize<JsonElement>(await browser.ReadAsync("/api/me"));
        Assert.Equal("DoraD.", me.GetProperty("name").GetString());
        Assert.Contains("staging", me.ToString(), StringComparison.Ordinal);
        var account = await browser.ReadAsync("/account");
        Assert.Contains("(this one)", account, StringComparison.Ordinal);
        Assert.Contains("You can also sign in with <strong>Example Login</strong>", account, StringComparison.Ordinal);
        Assert.DoesNotContain("Password now", account, StringComparison.Ordinal);
        Assert.Equal(["session.signed_in", "person.joined", "person.linked"], (await AuditAsync("person:Dora@Example.com")).Select(entry => entry.Action));
    }

    [Fact]
    public async Task SecondSignIn_FindsTheAccountByItsLink_WhateverTheAddressIsNow()
    {
        var (id, email) = await _server.AddPersonAsync(AccessRole.Viewer, environment: null, "Erik", Cancellation);
        _provider.Person = new("erik-1", email.ToUpperInvariant(), EmailVerified: true, "Somebody called otherwise");
        using var first = new OidcBrowser(_server);
        Assert.Equal("/activity", await first.SignInAsync());

        _provider.Person = new("erik-1", "new-name@example.com", EmailVerified: false, "Erik");
        using var second = new OidcBrowser(_server);
        Assert.Equal("/activity", await second.SignInAsync());

        Assert.Contains($"<strong>Erik</strong> · {email}", await second.ReadAsync("/account"), StringComparison.Ordinal);
        Assert.Equal(2, (await _server.Services.GetRequiredService<Sessions>().ListAsync(Founder, id, Cancellation)).Count);

        // The address passes on to somebody else, who does not get the account with it.
        _provider.Person = new("erik-2", email, EmailVerified: true, "Erik the younger");
        await AssertRefusedAsync("linked", "linked to somebody else");
    }

    [Fact]
    public async Task SignIn_OfSomebodyWhoIsNotWanted_IsRefused_AndLeavesNothing()
    {
        var (id, email) = await _server.AddPersonAsync(AccessRole.Admin, environment: null, "Anna", Cancellation);
        var people = await CountPeopleAsync();

        _provider.Person = new("mallory", "mallory@example.com", EmailVerified: true, "Mallory");
        await AssertRefusedAsync("unknown", "Ask an owner to invite exactly that one");
        Assert.Equal(["session.refused"], (await AuditAsync("person:mallory@example.com")).Select(entry => entry.Action));

        foreach (var unproven in new[] { new OidcPerson("mallory", email, EmailVerified: false, "Anna"), new("mallory", email, EmailVerified: null, "Anna"), new("mallory", null, EmailVerified: true, "Anna") })
        {
            _provider.Person = unproven;
            await AssertRefusedAsync("unverified", "does not say that your e-mail address is verified");
        }

        // The token has an address without proof, the user info says of another one that it is verified.
        _provider.Person = new("mallory", "mallory@example.com", EmailVerified: true, "Mallory");
        _provider.Forge = token => _provider.Rewrite(token, claims =>
        {
            claims["email"] = email;
            claims.Remove("email_verified");
        });
        await AssertRefusedAsync("unverified", "does not say");
        _provider.Forge = null;

        Assert.True((await _server.Services.GetRequiredService<Core.Access.People>().DisableAsync(Founder, id, Cancellation)).Done);
        _provider.Person = new("anna-1", email, EmailVerified: true, "Anna");
        await AssertRefusedAsync("shut", "is shut");
        Assert.Equal(people, await CountPeopleAsync());
        await using var db = await _server.DbAsync(Cancellation);
        Assert.Equal(0, await db.Set<Microsoft.AspNetCore.Identity.IdentityUserLogin<string>>().CountAsync(Cancellation));
    }

    [Fact]
    public async Task SignIn_WithWhatOnlyTheUserInfoTells_Succeeds()
    {
        var (_, email) = await _server.AddPersonAsync(AccessRole.Viewer, environment: null, "Uma", Cancellation);
        _provider.Person = new("uma-1", email, EmailVerified: true, "Uma") { InToken = false };
        using var browser = new OidcBrowser(_server);

        Assert.Equal("/activity", await browser.SignInAsync());
        Assert.True(browser.IsIn);
    }

    [Fact]
    public async Task Session_EndedByAnOwner_IsOver()
    {
        var (id, email) = await _server.AddPersonAsync(AccessRole.Viewer, environment: null, "Rita", Cancellation);
        _provider.Person = new("rita-1", email, EmailVerified: true, "Rita");
        using var browser = new OidcBrowser(_server);
        await browser.SignInAsync();

        // Nobody signs another out by a link, as the handler would let them at its usual addresses.
        foreach (var address in new[] { "/signout-oidc", $"/signout-oidc?iss={Uri.EscapeDataString(_provider.Authority)}/", "/signout-callback-oidc" })
        {
            await browser.AskAsync(address);
        }

        Assert.Equal(HttpStatusCode.OK, await browser.AskAsync("/api/me"));

        using var end = await _server.Client.SendAsync(GuardedServer.ByOwner(HttpMethod.Delete, $"/api/people/{id}/sessions"), Cancellation);
        Assert.Equal(HttpStatusCode.NoContent, end.StatusCode);

        Assert.Equal(HttpStatusCode.Unauthorized, await browser.AskAsync("/api/me"));
    }

    [Fact]
    public async Task Token_ThatIsNotTheSystemsAnswerToThisQuestion_LetsNobodyIn()
    {
        var (_, email) = await _server.AddPersonAsync(AccessRole.Owner, environment: null, "Otto", Cancellation);
        _provider.Person = new("otto-1", email, EmailVerified: true, "Otto");
        using var rsa = System.Security.Cryptography.RSA.Create(2048);
        var another = new SigningCredentials(new RsaSecurityKey(rsa) { KeyId = "the-key" }, SecurityAlgorithms.RsaSha256);
        var shared = new SigningCredentials(
            new SymmetricSecurityKey(Encoding.UTF8.GetBytes(OidcProvider.ClientSecret)) { KeyId = "the-key" }, SecurityAlgorithms.HmacSha256);
        var forgeries = new Dictionary<string, Func<string, string>>(StringComparer.Ordinal)
        {
            ["another nonce"] = token => _provider.Rewrite(token, claims => claims["nonce"] = "another"),
            ["no nonce"] = token => _provider.Rewrite(token, claims => claims.Remove("nonce")),
            ["another issuer"] = token => _provider.Rewrite(token, claims => claims["iss"] = "https://evil.test/"),
            ["another audience"] = token => _provider.Rewrite(token, claims => claims["aud"] = "another-client"),
            ["expired"] = token => _provider.Rewrite(token, claims => Shift(claims, TimeSpan.FromHours(-2))),
            ["without end"] = token => _provider.Rewrite(token, claims => claims.Remove("exp")),
            ["not yet valid"] = token => _provider.Rewrite(token, claims => claims["nbf"] = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeSeconds()),
            ["no subject"] = token => _provider.Rewrite(token, claims => claims.Remove("sub")),
            ["another person than the user info"] = token => _provider.Rewrite(token, claims => claims["sub"] = "otto-2"),
            ["another key"] = token => OidcProvider.Sign(token, _ => { }, another),
            ["the client's secret as key"] = token => OidcProvider.Sign(token, _ => { }, shared),
            ["no signature"] = token => OidcProvider.Sign(token, _ => { }, signing: null),
            ["changed after signing"] = token => $"{token.Split('.')[0]}.{Base64UrlEncoder.Encode(Base64UrlEncoder.Decode(token.Split('.')[1]).Replace("otto-1", "otto-3", StringComparison.Ordinal))}.{token.Split('.')[2]}",
        };
        foreach (var (what, forge) in forgeries)
        {
            _provider.Forge = forge;
            using var browser = new OidcBrowser(_server);
            Assert.Equal((what, "/account/sign-in?problem=failed"), (what, await browser.SignInAsync()));
            Assert.False(browser.IsIn, what);
        }

        Assert.Equal(forgeries.Count, _server.Log.Messages.Count(message => message.Contains("A sign-in through Example Login was refused", StringComparison.Ordinal)));

        // The same without forgery, so that nothing else was in the way.
        _provider.Forge = token => _provider.Rewrite(token, _ => { });
        using var honest = new OidcBrowser(_server);
        Assert.Equal("/activity", await honest.SignInAsync());
    }

    [Fact]
    public async Task Answer_WithoutItsQuestion_OrTakenFromAnotherBrowser_OrTwice_LetsNobodyIn()
    {
        var (_, email) = await _server.AddPersonAsync(AccessRole.Owner, environment: null, "Otto", Cancellation);
        _provider.Person = new("otto-1", email, EmailVerified: true, "Otto");
        using var victim = new OidcBrowser(_server);
        using var attacker = new OidcBrowser(_server);

        // Sign-in of the victim as the attacker, and of the attacker as the victim.
        var callback = await attacker.FollowAsync(await attacker.BeginAsync("/"));
        Assert.Equal("/account/sign-in?problem=stale", (await victim.FollowAsync(callback)).OriginalString);
        Assert.Equal("/account/sign-in?problem=stale", (await victim.FollowAsync(new Uri(callback, "?code=x"))).OriginalString);
        Assert.Equal("/account/sign-in?problem=stale", (await victim.FollowAsync(new Uri(callback, "?code=x&state=made-up"))).OriginalString);
        Assert.Equal("/account/sign-in?problem=stale", (await victim.FollowAsync(new Uri(callback, "?error=access_denied&state=made-up"))).OriginalString);
        Assert.False(victim.IsIn);

        // A question that this browser asked, with the answer to another one: the code is bound to the first (PKCE).
        var other = HttpUtility.ParseQueryString((await attacker.BeginAsync("/")).Query)["state"]!;
        var mixed = new Uri(callback, $"?code={Uri.EscapeDataString(HttpUtility.ParseQueryString(callback.Query)["code"]!)}&state={Uri.EscapeDataString(other)}");
        Assert.Equal("/account/sign-in?problem=failed", (await attacker.FollowAsync(mixed)).OriginalString);
        Assert.False(attacker.IsIn);

        Assert.Equal("/", (await attacker.FollowAsync(callback)).OriginalString);
        Assert.Equal("/account/sign-in?problem=stale", (await attacker.FollowAsync(callback)).OriginalString);
        Assert.Contains("begun in another browser", await victim.ReadAsync("/account/sign-in?problem=stale"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusal_BySystem_IsToldInOurOwnWords_AndNoOtherSiteIsReturnedTo()
    {
        _provider.Person = null;
        using var browser = new OidcBrowser(_server);
        var end = await browser.SignInAsync();
        Assert.Equal("/account/sign-in?problem=denied", end);
        var page = await browser.ReadAsync(end);
        Assert.Contains("did not let you in, or you turned back", page, StringComparison.Ordinal);
        Assert.DoesNotContain("alert(", page, StringComparison.Ordinal);
        Assert.DoesNotContain("alert(", await browser.ReadAsync("/account/sign-in?problem=<script>alert(1)</script>"), StringComparison.Ordinal);

        var (_, email) = await _server.AddPersonAsync(AccessRole.Viewer, environment: null, "Rita", Cancellation);
        _provider.Person = new("rita-1", email, EmailVerified: true, "Rita");
        foreach (var evil in new[] { "https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)" })
        {
            Assert.Equal("/", (await browser.FollowAsync(await browser.FollowAsync(await browser.BeginAsync(evil)))).OriginalString);
        }
    }

    [Fact]
    public async Task Answers_FromOneAddress_AreLimited()
    {
        using var browser = new OidcBrowser(_server);
        var ends = new List<string>();
        for (var answer = 0; answer < 40; answer++)
        {
            ends.Add((await browser.FollowAsync(new Uri("/account/external/callback?code=x&state=y", UriKind.Relative))).OriginalString.Split('=')[1]);
        }

        Assert.Equal(["stale", "too-often"], ends.Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Unknown_WhereTheSettingsAdmitThem_ComeInWithoutRole_AndOnlyOnceThereIsAnOwner()
    {
        var settings = _provider.Settings();
        settings["Auth:Oidc:AdmitUnknown"] = "true";
        await using var open = await StartAsync(settings);
        _provider.Person = new("nina-1", "nina@example.com", EmailVerified: true, "Nina");
        using var browser = new OidcBrowser(open);
        Assert.Equal("/account/sign-in?problem=no-owner", await browser.SignInAsync());

        await open.AddPersonAsync(AccessRole.Owner, environment: null, "Olga", Cancellation);
        Assert.Equal("/activity", await browser.SignInAsync());

        Assert.Contains("You have no role yet", await browser.ReadAsync("/account"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, await browser.AskAsync("/api/apps"));
        _provider.Person = new("nils-1", "nils@example.com", EmailVerified: false, "Nils");
        Assert.Equal("/account/sign-in?problem=unverified", await browser.SignInAsync());
    }

    [Fact]
    public async Task System_ThatIsAway_OrNotSet_IsNoFault()
    {
        await using var away = await StartAsync(new(StringComparer.Ordinal) { ["Auth:Oidc:Authority"] = "http://127.0.0.1:1", ["Auth:Oidc:ClientId"] = "deployer" });
        using var browser = new OidcBrowser(away);
        Assert.Equal("/account/sign-in?problem=unreachable", (await browser.BeginAsync("/")).OriginalString);
        Assert.Contains("127.0.0.1 does not answer", await browser.ReadAsync("/account/sign-in?problem=unreachable"), StringComparison.Ordinal);

        await using var without = await StartAsync(new(StringComparer.Ordinal));
        using var other = new OidcBrowser(without);
        Assert.Contains("There is no other sign-in system here", await other.ReadAsync("/account/external"), StringComparison.Ordinal);
        Assert.DoesNotContain("account/external", await other.ReadAsync("/account/sign-in"), StringComparison.Ordinal);
    }

    private static void Shift(System.Text.Json.Nodes.JsonObject claims, TimeSpan by)
    {
        foreach (var name in new[] { "exp", "iat", "nbf" }.Where(claims.ContainsKey))
        {
            claims[name] = claims[name]!.GetValue<long>() + (long)by.TotalSeconds;
        }
    }

    private static async Task<GuardedServer> StartAsync(Dictionary<string, string> settings)
    {
        var server = new GuardedServer(settings);
        await server.InitializeAsync();
        if (!settings.ContainsKey("Auth:Oidc:AdmitUnknown"))
        {
            await server.AddPersonAsync(AccessRole.Owner, environment: null, "Olga", Cancellation);
        }

        return server;
    }

    private async Task AssertRefusedAsync(string problem, string words)
    {
        using var browser = new OidcBrowser(_server);
        var end = await browser.SignInAsync();
        Assert.Equal($"/account/sign-in?problem={problem}", end);
        Assert.False(browser.IsIn);
        Assert.Contains(words, await browser.ReadAsync(end), StringComparison.Ordinal);
    }

    private async Task InviteAsync(string email, AccessRole role, string? environment) =>
        Assert.NotNull(await _server.Services.GetRequiredService<Invitations>().InviteAsync(Founder, email, role, environment, Cancellation));

    private Task<IReadOnlyList<AuditEntry>> AuditAsync(string subject) => _server.Services.GetRequiredService<AuditLog>().SearchAsync(
        AuditQuery.Everything with { Subject = subject }, 100, Cancellation);

    private async Task<int> CountPeopleAsync()
    {
        await using var db = await _server.DbAsync(Cancellation);
        return await db.People.CountAsync(Cancellation);
    }
}
