using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using Deployer.Core.Access;
using Deployer.Core.Audit;
using Deployer.Tests.Fakes;
using Deployer.Web.Features.Security;
using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Tests.Security;

/// <summary>What every request and answer passes, whatever it is about.</summary>
public sealed class WebGuardsTests(GuardedServer server) : IClassFixture<GuardedServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/")]
    [InlineData("/account/sign-in")]
    [InlineData("/api/apps")]
    [InlineData("/api/nothing/here")]
    [InlineData("/no/such/page")]
    [InlineData("/health/ready")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/app.css")]
    [InlineData("/_blazor/negotiate")]
    public async Task Answers_OfEveryKind_CarryTheHeadersThatMakeBrowsersCareful(string path)
    {
        using var response = await server.Client.GetAsync(path, Cancellation);

        Assert.Equal("nosniff", Header(response, "X-Content-Type-Options"));
        Assert.Equal("DENY", Header(response, "X-Frame-Options"));
        Assert.Equal("no-referrer", Header(response, "Referrer-Policy"));
        Assert.Equal("same-origin", Header(response, "Cross-Origin-Opener-Policy"));
        Assert.Equal("same-origin", Header(response, "Cross-Origin-Resource-Policy"));
        Assert.Contains("camera=()", Header(response, "Permissions-Policy"), StringComparison.Ordinal);
        Assert.False(response.Headers.Contains("Server"));
        var policy = Header(response, "Content-Security-Policy").Split("; ").ToDictionary(part => part.Split(' ')[0], StringComparer.Ordinal);
        Assert.Equal("default-src 'none'", policy["default-src"]);
        Assert.Matches("^script-src 'self' 'nonce-[A-Za-z0-9_-]{22}'$", policy["script-src"]);
        Assert.Equal("frame-ancestors 'none'", policy["frame-ancestors"]);
        Assert.Equal("form-action 'self'", policy["form-action"]);
    }

    [Fact]
    public async Task Nonce_OfTheScripts_IsNewForEachAnswer()
    {
        using var one = await server.Client.GetAsync("/account/sign-in", Cancellation);
        using var other = await server.Client.GetAsync("/account/sign-in", Cancellation);

        Assert.NotEqual(Header(one, "Content-Security-Policy"), Header(other, "Content-Security-Policy"));
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site", false)]
    [InlineData("Sec-Fetch-Site", "same-site", false)]
    [InlineData("Origin", "https://evil.test", false)]
    [InlineData("Origin", "null", false)]
    [InlineData("X-Nothing", "nobody says where this comes from", false)]
    [InlineData("Sec-Fetch-Site", "same-origin", true)]
    [InlineData("Origin", "HERE", true)]
    public async Task Cookie_InARequestOfAnotherSite_ChangesNothing(string header, string value, bool passes)
    {
        var cookie = await SignInAsync(AccessRole.Admin);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/apps")
        {
            Content = JsonContent.Create(new { name = ServerFixture.NewName(), image = "web:v1" }),
        };
        request.Headers.Add("Cookie", cookie);
        request.Headers.Add(header, value == "HERE" ? server.Client.BaseAddress!.GetLeftPart(UriPartial.Authority) : value);
        using var response = await server.Client.SendAsync(request, Cancellation);

        if (passes)
        {
            await response.ReadAsync(HttpStatusCode.Created, Cancellation);
        }
        else
        {
            Assert.Contains("another site", (await response.ReadProblemAsync(HttpStatusCode.Forbidden, Cancellation)).Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Form_WithoutItsToken_IsRefused()
    {
        var cookie = await SignInAsync(AccessRole.Viewer);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/account/sessions/end-all") { Content = new FormUrlEncodedContent([new("_", "")]) };
        request.Headers.Add("Cookie", cookie);
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        using var response = await server.Client.SendAsync(request, Cancellation);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        using var still = new HttpRequestMessage(HttpMethod.Get, "/api/apps");
        still.Headers.Add("Cookie", cookie);
        using var known = await server.Client.SendAsync(still, Cancellation);
        Assert.Equal(HttpStatusCode.OK, known.StatusCode);
    }

    [Theory]
    [InlineData("https://evil.test", HttpStatusCode.Forbidden)]
    [InlineData("http://127.0.0.1:1", HttpStatusCode.Forbidden)]
    [InlineData("HERE", HttpStatusCode.OK)]
    public async Task Circuit_FromAPageOfAnotherOrigin_IsRefused(string origin, HttpStatusCode status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/_blazor/negotiate?negotiateVersion=1");
        request.Headers.Add("Cookie", await SignInAsync(AccessRole.Viewer));
        request.Headers.Add("Origin", origin == "HERE" ? server.Client.BaseAddress!.GetLeftPart(UriPartial.Authority) : origin);
        using var response = await server.Client.SendAsync(request, Cancellation);

        Assert.Equal(status, response.StatusCode);
    }

    [Fact]
    public async Task Circuits_OfOnePerson_AreCapped()
    {
        var cookie = await SignInAsync(AccessRole.Viewer);
        var open = new List<ClientWebSocket>();
        try
        {
            for (var page = 0; page < CircuitLimit.PagesAtOnce; page++)
            {
                open.Add(await ConnectAsync(cookie));
            }

            var refusal = await Assert.ThrowsAsync<WebSocketException>(() => ConnectAsync(cookie));
            Assert.Contains("429", refusal.Message, StringComparison.Ordinal);

            // Somebody else still comes in.
            (await ConnectAsync(await SignInAsync(AccessRole.Viewer))).Dispose();
        }
        finally
        {
            open.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task Body_BeyondTheLimit_IsRefusedBeforeItIsRead()
    {
        using var request = GuardedServer.ByOwner(HttpMethod.Post, "/api/apps");
        request.Content = JsonContent.Create(new { name = "web", image = new string('x', 1_100_000) });

        // Told before the body is sent: a connection cut in the midst of it takes the answer along.
        request.Headers.ExpectContinue = true;
        using var response = await server.Client.SendAsync(request, Cancellation);

        Assert.Equal("too_large", (await response.ReadProblemAsync(HttpStatusCode.RequestEntityTooLarge, Cancellation)).Code);
    }

    [Fact]
    public async Task Session_OverPlainHttp_CannotBeReadByScriptsNorSentByOtherSites()
    {
        await using var own = await StartAsync([]);
        var (_, email) = await own.AddPersonAsync(AccessRole.Viewer, environment: null, "Somebody", Cancellation);
        var cookie = await SessionCookieAsync(own, email, proto: null);

        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("secure", cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task BehindATrustedProxyWithTls_CookiesAreSecureHstsIsSentAndTheCallerIsTheProxysCaller()
    {
        await using var own = await StartAsync(new() { ["Forwarding:TrustedProxies:0"] = "127.0.0.0/8" });
        var (_, email) = await own.AddPersonAsync(AccessRole.Viewer, environment: null, "Somebody", Cancellation);

        Assert.Contains("secure", await SessionCookieAsync(own, email, "https"), StringComparison.OrdinalIgnoreCase);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/account/sign-in");
        request.Headers.Add("X-Forwarded-Proto", "https");
        request.Headers.Add("X-Forwarded-Host", "deploy.example.com");
        using var response = await own.Client.SendAsync(request, Cancellation);
        Assert.Equal("max-age=31536000", Header(response, "Strict-Transport-Security"));
        Assert.Equal("203.0.113.9", await AuditedAddressAsync(own));
    }

    [Fact]
    public async Task ForwardedHeaders_FromAnybodyElse_AreNotBelieved()
    {
        await using var own = await StartAsync([]);

        Assert.Equal("127.0.0.1", await AuditedAddressAsync(own));
    }

    [Fact]
    public async Task Guessing_PasswordsAndTokens_IsSlowedDown()
    {
        await using var own = await StartAsync([]);
        var (_, email) = await own.AddPersonAsync(AccessRole.Viewer, environment: null, "Somebody", Cancellation);
        for (var guess = 0; guess < 10; guess++)
        {
            await PostSignInAsync(own, email, "wrong password " + guess, proto: null);
        }

        // Right, but too late.
        using (var late = await PostSignInAsync(own, email, "violet harbour kettle 47", proto: null))
        {
            Assert.Equal(HttpStatusCode.OK, late.StatusCode);
            Assert.False(late.Headers.TryGetValues("Set-Cookie", out var cookies) && cookies.Any(cookie => cookie.StartsWith(SessionCookie.Name, StringComparison.Ordinal)));
        }

        var statuses = new HashSet<HttpStatusCode>();
        for (var guess = 0; guess < 60; guess++)
        {
            using var wrong = new HttpRequestMessage(HttpMethod.Get, "/api/apps");
            wrong.Headers.Add("Authorization", $"Bearer dpl_{guess}");
            using var response = await own.Client.SendAsync(wrong, Cancellation);
            statuses.Add(response.StatusCode);
        }

        using var right = await own.Client.SendAsync(GuardedServer.ByOwner(HttpMethod.Get, "/api/apps"), Cancellation);
        Assert.Equal([HttpStatusCode.Unauthorized], statuses);
        Assert.Equal(HttpStatusCode.Unauthorized, right.StatusCode);
    }

    private static async Task<GuardedServer> StartAsync(Dictionary<string, string> settings)
    {
        var own = new GuardedServer(settings);
        await own.InitializeAsync();
        return own;
    }

    private static async Task<HttpResponseMessage> PostSignInAsync(GuardedServer own, string email, string password, string? proto)
    {
        using var show = new HttpRequestMessage(HttpMethod.Get, "/account/sign-in");
        using var page = await own.Client.SendAsync(Forwarded(show, proto), Cancellation);
        var html = await page.Content.ReadAsStringAsync(Cancellation);
        var request = new HttpRequestMessage(HttpMethod.Post, "/account/sign-in")
        {
            Content = new FormUrlEncodedContent(
            [
                new("__RequestVerificationToken", html.Split("__RequestVerificationToken\" value=\"")[1].Split('"')[0]),
                new("email", email), new("password", password),
            ]),
        };
        request.Headers.Add("Cookie", page.Headers.GetValues("Set-Cookie").First().Split(';')[0]);
        return await own.Client.SendAsync(Forwarded(request, proto), Cancellation);
    }

    private static HttpRequestMessage Forwarded(HttpRequestMessage request, string? proto)
    {
        if (proto is not null)
        {
            request.Headers.Add("X-Forwarded-Proto", proto);
        }

        return request;
    }

    private static async Task<string> SessionCookieAsync(GuardedServer own, string email, string? proto)
    {
        using var response = await PostSignInAsync(own, email, "violet harbour kettle 47", proto);
        return response.Headers.GetValues("Set-Cookie").Single(cookie => cookie.StartsWith(SessionCookie.Name, StringComparison.Ordinal));
    }

    private static async Task<string?> AuditedAddressAsync(GuardedServer own)
    {
        var name = ServerFixture.NewName();
        using var request = GuardedServer.ByOwner(HttpMethod.Post, "/api/apps");
        request.Content = JsonContent.Create(new { name, image = "web:v1" });
        request.Headers.Add("X-Forwarded-For", "203.0.113.9");
        using var response = await own.Client.SendAsync(request, Cancellation);
        await response.ReadAsync(HttpStatusCode.Created, Cancellation);
        return Assert.Single(await own.Services.GetRequiredService<AuditLog>().SearchAsync(
            AuditQuery.Everything with { Subject = AuditSubject.App(name) }, 10, Cancellation)).Address;
    }

    private async Task<string> SignInAsync(AccessRole role)
    {
        var (_, email) = await server.AddPersonAsync(role, environment: null, "Somebody", Cancellation);
        return await server.SignInAsync(email, Cancellation);
    }

    private async Task<ClientWebSocket> ConnectAsync(string cookie)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Cookie", cookie);
        socket.Options.SetRequestHeader("Origin", server.Client.BaseAddress!.GetLeftPart(UriPartial.Authority));
        await socket.ConnectAsync(new UriBuilder(server.Client.BaseAddress!) { Scheme = "ws", Path = "/_blazor" }.Uri, Cancellation);
        return socket;
    }

    private static string Header(HttpResponseMessage response, string name) => Assert.Single(response.Headers.GetValues(name));
}
