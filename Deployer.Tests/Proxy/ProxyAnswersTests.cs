using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Tests.Proxy;

public sealed class ProxyAnswersTests
{
    private static CancellationToken Stop => ProxyWorld.Stop;

    [Fact]
    public async Task Get_UnknownHost_IsAPlain404ThatNamesTheHost()
    {
        await using var world = await ProxyWorld.StartAsync();

        using var answer = await world.GetAsync("nobody.example.com", "/");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("text/html", answer.Content.Headers.ContentType?.MediaType);
        Assert.Contains("nobody.example.com", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_HostIsReservedOnly_Is503WithRetryAfter()
    {
        await using var world = await ProxyWorld.StartAsync();
        var app = await world.Routing.AddAppAsync("shop");
        var other = await world.Routing.AddAppAsync("other");
        await world.Routing.Hosts.ReserveAsync(app, ["shop.example.com"], Stop);
        await world.Routing.Traffic.WithdrawAsync(other, Stop);

        using var answer = await world.GetAsync("shop.example.com", "/");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(5), answer.Headers.RetryAfter?.Delta);
    }

    [Fact]
    public async Task Get_AppTakenOutOfService_Is503()
    {
        await using var world = await ProxyWorld.StartAsync();
        var app = await world.AddAppAsync("shop.example.com", context => context.Response.WriteAsync("hello"));
        using var before = await world.GetAsync("shop.example.com", "/");

        await world.Routing.Traffic.WithdrawAsync(app, Stop);

        using var after = await world.GetAsync("shop.example.com", "/");
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable), (before.StatusCode, after.StatusCode));
    }

    [Fact]
    public async Task Get_NobodyListensInTheContainer_Is502WithAPage()
    {
        await using var world = await ProxyWorld.StartAsync();
        var app = await world.Routing.AddAppAsync("shop");
        await world.ServeAsync(app, "shop.example.com", ProxyWorld.FreePort());

        using var answer = await world.GetAsync("shop.example.com", "/");

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Contains("did not answer", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("shop.example.com")]
    [InlineData("SHOP.Example.Com")]
    [InlineData("shop.example.com:8090")]
    [InlineData("shop.example.com.")]
    public async Task Get_HostWrittenOtherwise_ReachesTheSameApp(string host)
    {
        await using var world = await ProxyWorld.StartAsync();
        await world.AddAppAsync("shop.example.com", context => context.Response.WriteAsync(context.Request.Host.Value!));

        using var answer = await world.GetAsync(host, "/");

        // The app sees the Host header as it was sent.
        Assert.Equal(host, await answer.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Get_TwoApps_EachGetsItsOwn()
    {
        await using var world = await ProxyWorld.StartAsync();
        await world.AddAppAsync("shop.example.com", context => context.Response.WriteAsync("shop"));
        await world.AddAppAsync("blog.example.com", context => context.Response.WriteAsync("blog"));

        using var shop = await world.GetAsync("shop.example.com", "/");
        using var blog = await world.GetAsync("blog.example.com", "/");

        Assert.Equal("shop", await shop.Content.ReadAsStringAsync(Stop));
        Assert.Equal("blog", await blog.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Get_RedirectCookieAndPath_PassUntouched()
    {
        await using var world = await ProxyWorld.StartAsync();
        await world.AddAppAsync("shop.example.com", context =>
        {
            context.Response.StatusCode = StatusCodes.Status302Found;
            context.Response.Headers.Location = $"{context.Request.Path}{context.Request.QueryString}";
            context.Response.Headers.SetCookie = "a=1; Path=/";
            return Task.CompletedTask;
        });

        using var answer = await world.GetAsync("shop.example.com", "/a%20b/c?d=%2Fe&f=g");

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Equal("/a%20b/c?d=%2Fe&f=g", answer.Headers.Location?.OriginalString);
        Assert.Equal(["a=1; Path=/"], answer.Headers.GetValues("Set-Cookie"));
        Assert.DoesNotContain(answer.Headers, header => header.Key is "Server" or "Via");
    }

    [Fact]
    public async Task Post_BodyAboveTheServersUsualLimit_PassesWhole()
    {
        await using var world = await ProxyWorld.StartAsync();
        await world.AddAppAsync("shop.example.com", async context =>
        {
            long bytes = 0;
            var buffer = new byte[81920];
            int read;
            while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
            {
                bytes += read;
            }

            await context.Response.WriteAsync($"{bytes}");
        });

        using var answer = await ProxyWorld.SendAsync(
            world.Address, HttpMethod.Post, "shop.example.com", "/", request => request.Content = new ByteArrayContent(new byte[40_000_000]));

        Assert.Equal("40000000", await answer.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Get_ClientIsATrustedProxy_ItsWordIsKeptAndExtended()
    {
        await using var world = await ProxyWorld.StartAsync();
        await world.AddAppAsync("shop.example.com", TellForwarded);

        using var answer = await ProxyWorld.SendAsync(world.Address, HttpMethod.Get, "shop.example.com", "/", Claim);

        Assert.Equal(
            "for=203.0.113.9, 127.0.0.1 proto=https host=front.example.com forwarded=for=203.0.113.9",
            await answer.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Get_ClientIsNotTrusted_ItsWordIsReplaced()
    {
        await using var world = await ProxyWorld.StartAsync(options => options.TrustedProxies.Add(string.Empty));
        await world.AddAppAsync("shop.example.com", TellForwarded);

        using var answer = await ProxyWorld.SendAsync(world.Address, HttpMethod.Get, "shop.example.com", "/", Claim);

        Assert.Equal("for=127.0.0.1 proto=http host=shop.example.com forwarded=", await answer.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Get_Http2WithPriorKnowledge_PassesGrpcWithItsTrailers()
    {
        await using var world = await ProxyWorld.StartAsync(options => options.Urls = "h2c://127.0.0.1:0");
        var app = await world.Routing.AddAppAsync("grpc");
        await world.ServeAsync(app, "grpc.example.com", await world.AddContainerAsync(
            async context =>
            {
                context.Response.ContentType = "application/grpc";
                context.Response.AppendTrailer("grpc-status", "0");
                await context.Response.WriteAsync(context.Request.Protocol);
            },
            HttpProtocols.Http2));

        using var answer = await ProxyWorld.SendAsync(world.Address, HttpMethod.Post, "grpc.example.com", "/service/method", request =>
        {
            request.Version = HttpVersion.Version20;
            request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
            request.Content = new ByteArrayContent([0, 0, 0, 0, 0]);
            request.Content.Headers.ContentType = new("application/grpc");
        });

        Assert.Equal("HTTP/2", await answer.Content.ReadAsStringAsync(Stop));
        Assert.Equal(["0"], answer.TrailingHeaders.GetValues("grpc-status"));
    }

    [Fact]
    public async Task Get_RoutesCannotBeRead_GoesOnServing()
    {
        await using var world = await ProxyWorld.StartAsync();
        var app = await world.AddAppAsync("shop.example.com", context => context.Response.WriteAsync("v1"));
        var next = await world.AddContainerAsync(context => context.Response.WriteAsync("v2"), HttpProtocols.Http1);
        await using var db = await world.Routing.Databases.CreateDbContextAsync(Stop);
        await db.Database.ExecuteSqlRawAsync("ALTER TABLE route_clock RENAME TO lost", Stop);
        world.Routing.Feed.PublishChange();

        using var without = await world.GetAsync("shop.example.com", "/");
        await db.Database.ExecuteSqlRawAsync("ALTER TABLE lost RENAME TO route_clock", Stop);
        var moved = await world.ServeAsync(app, "shop.example.com", next);
        using var after = await world.GetAsync("shop.example.com", "/");

        Assert.Equal(0, moved.Behind);
        Assert.Equal("v1", await without.Content.ReadAsStringAsync(Stop));
        Assert.Equal("v2", await after.Content.ReadAsStringAsync(Stop));
    }

    private static void Claim(HttpRequestMessage request)
    {
        request.Headers.Add("X-Forwarded-For", "203.0.113.9");
        request.Headers.Add("X-Forwarded-Proto", "https");
        request.Headers.Add("X-Forwarded-Host", "front.example.com");
        request.Headers.Add("Forwarded", "for=203.0.113.9");
    }

    private static Task TellForwarded(HttpContext context)
    {
        var headers = context.Request.Headers;
        return context.Response.WriteAsync(
            $"for={headers["X-Forwarded-For"]} proto={headers["X-Forwarded-Proto"]} host={headers["X-Forwarded-Host"]} forwarded={headers["Forwarded"]}");
    }
}
