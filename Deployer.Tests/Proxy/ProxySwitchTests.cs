using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using Deployer.Core.Routing;
using Deployer.Tests.Routing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Deployer.Tests.Proxy;

public sealed class ProxySwitchTests
{
    private const string Host = "shop.example.com";

    private static CancellationToken Stop => ProxyWorld.Stop;

    [Fact]
    public async Task Stop_AskedTwiceWhileARequestRuns_IsOverForBothWhenItIsAnsweredAndTheRegisterLeft()
    {
        await using var world = await ProxyWorld.StartAsync();
        var register = world.Routing.Get<ProxyRegister>();
        var arrived = new TaskCompletionSource();
        var finish = new TaskCompletionSource();
        await world.AddAppAsync(Host, async context =>
        {
            arrived.SetResult();
            await finish.Task;
            await context.Response.WriteAsync("late");
        });
        var slow = world.GetAsync(Host, "/slow");
        await arrived.Task;

        var first = world.Proxy.StopAsync(Stop);
        var second = world.Proxy.StopAsync(Stop);
        Assert.False(second.IsCompleted);
        Assert.Single(await register.ListServingAsync(Stop));
        finish.SetResult();
        using var answer = await slow;

        Assert.Equal("late", await answer.Content.ReadAsStringAsync(Stop));
        await second;
        Assert.Same(first, second); // one end for both: else the host could end what the other still uses
        Assert.Empty(await register.ListServingAsync(Stop));
    }

    [Fact]
    public async Task Switch_RequestUnderWay_EndsAtTheOldWhileNewOnesGoToTheNew()
    {
        await using var world = await ProxyWorld.StartAsync();
        var arrived = new TaskCompletionSource();
        var finish = new TaskCompletionSource();
        var app = await world.AddAppAsync(Host, async context =>
        {
            arrived.SetResult();
            await finish.Task;
            await context.Response.WriteAsync("old");
        });
        var slow = world.GetAsync(Host, "/slow");
        await arrived.Task;

        var moved = await world.ServeAsync(app, Host, await world.AddContainerAsync(context => context.Response.WriteAsync("new"), HttpProtocols.Http1));
        using var quick = await world.GetAsync(Host, "/");
        var meanwhile = await world.Routing.Traffic.DrainAsync(moved.Draining.Single(), TimeSpan.Zero, Stop);
        var drain = world.Routing.Traffic.DrainAsync(moved.Draining.Single(), TimeSpan.FromMinutes(1), Stop);
        finish.SetResult();
        using var slowAnswer = await slow;

        Assert.Equal((1, 0), (moved.Proxies, moved.Behind));
        Assert.Equal(new DrainResult(1, 0), meanwhile);
        Assert.Equal(new DrainResult(0, 0), await drain);
        Assert.Equal("new", await quick.Content.ReadAsStringAsync(Stop));
        Assert.Equal("old", await slowAnswer.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Switch_ProxyInAnotherProcess_IsConfirmedAndDrainedThroughTheDatabase()
    {
        await using var world = await ProxyWorld.StartAsync();
        var elsewhere = await world.AddProxyElsewhereAsync();
        var arrived = new TaskCompletionSource();
        var finish = new TaskCompletionSource();
        var app = await world.AddAppAsync(Host, async context =>
        {
            arrived.SetResult();
            await finish.Task;
            await context.Response.WriteAsync("old");
        });
        var slow = ProxyWorld.SendAsync(elsewhere, HttpMethod.Get, Host, "/slow", _ => { });
        await arrived.Task;

        var moved = await world.ServeAsync(app, Host, await world.AddContainerAsync(context => context.Response.WriteAsync("new"), HttpProtocols.Http1));
        using var quick = await ProxyWorld.SendAsync(elsewhere, HttpMethod.Get, Host, "/", _ => { });
        var meanwhile = await world.Routing.Traffic.DrainAsync(moved.Draining.Single(), TimeSpan.Zero, Stop);
        finish.SetResult();
        var drained = await world.Routing.Traffic.DrainAsync(moved.Draining.Single(), TimeSpan.FromMinutes(1), Stop);
        using var slowAnswer = await slow;

        Assert.Equal((2, 0), (moved.Proxies, moved.Behind));
        Assert.Equal(new DrainResult(1, 0), meanwhile);
        Assert.True(drained.IsEmpty);
        Assert.Equal("new", await quick.Content.ReadAsStringAsync(Stop));
        Assert.Equal("old", await slowAnswer.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Switch_TakenBack_RequestsGoToTheFirstAgain()
    {
        await using var world = await ProxyWorld.StartAsync();
        var app = await world.Routing.AddAppAsync("shop", Host);
        var first = await world.AddContainerAsync(context => context.Response.WriteAsync("v1"), HttpProtocols.Http1);
        var second = await world.AddContainerAsync(context => context.Response.WriteAsync("v2"), HttpProtocols.Http1);
        await world.Routing.Traffic.MoveAsync(app, [Host], RoutingWorld.Target("c1", first.Port), Stop);
        await world.Routing.Traffic.MoveAsync(app, [Host], RoutingWorld.Target("c2", second.Port), Stop);
        using var between = await world.GetAsync(Host, "/");

        await world.Routing.Traffic.MoveAsync(app, [Host], RoutingWorld.Target("c1", first.Port), Stop);

        using var after = await world.GetAsync(Host, "/");
        Assert.Equal("v2", await between.Content.ReadAsStringAsync(Stop));
        Assert.Equal("v1", await after.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Switch_ManyUnderLoad_LosesNoRequest()
    {
        await using var world = await ProxyWorld.StartAsync();
        var app = await world.Routing.AddAppAsync("shop", Host);
        var serving = await world.AddContainerAsync(AnswerSlowly, HttpProtocols.Http1);
        await world.ServeAsync(app, Host, serving);
        var answers = new ConcurrentBag<HttpStatusCode>();
        using var enough = new CancellationTokenSource();
        var load = Enumerable.Range(0, 8).Select(async _ =>
        {
            while (!enough.IsCancellationRequested)
            {
                using var answer = await world.GetAsync(Host, "/");
                await answer.Content.ReadAsStringAsync(Stop);
                answers.Add(answer.StatusCode);
            }
        }).ToList();

        for (var i = 0; i < 20; i++)
        {
            var next = await world.AddContainerAsync(AnswerSlowly, HttpProtocols.Http1);
            var moved = await world.ServeAsync(app, Host, next);
            var old = moved.Draining.Single();
            Assert.True((await world.Routing.Traffic.DrainAsync(old, TimeSpan.FromMinutes(1), Stop)).IsEmpty);
            await serving.KillAsync();
            await world.Routing.Traffic.RetireAsync(old, Stop);
            serving = next;
        }

        await enough.CancelAsync();
        await Task.WhenAll(load);
        Assert.NotEmpty(answers);
        Assert.All(answers, status => Assert.Equal(HttpStatusCode.OK, status));
    }

    [Fact]
    public async Task WebSocket_Open_PassesBothWaysAndCountsUntilTheCap()
    {
        await using var world = await ProxyWorld.StartAsync();
        var app = await world.AddAppAsync(Host, EchoAsync);
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Host", Host);
        await socket.ConnectAsync(new UriBuilder(world.Address) { Scheme = "ws", Path = "/chat" }.Uri, Stop);

        var before = await EchoOfAsync(socket, "one");
        var moved = await world.ServeAsync(app, Host, await world.AddContainerAsync(EchoAsync, HttpProtocols.Http1));
        var old = moved.Draining.Single();
        var capped = await world.Routing.Traffic.DrainAsync(old, TimeSpan.Zero, Stop);
        var after = await EchoOfAsync(socket, "two");
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, statusDescription: null, Stop);
        var closed = await world.Routing.Traffic.DrainAsync(old, TimeSpan.FromMinutes(1), Stop);

        Assert.Equal(("one", "two"), (before, after));
        Assert.Equal(new DrainResult(1, 0), capped);
        Assert.Equal(new DrainResult(0, 0), closed);
    }

    [Fact]
    public async Task EventStream_OneEvent_ArrivesWhileTheStreamIsOpen()
    {
        await using var world = await ProxyWorld.StartAsync();
        var next = new TaskCompletionSource();
        await world.AddAppAsync(Host, async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync("data: first\n\n");
            await next.Task;
            await context.Response.WriteAsync("data: second\n\n");
        });

        using var answer = await world.GetAsync(Host, "/events");
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(Stop));
        var first = await reader.ReadLineAsync(Stop);
        next.SetResult();
        var rest = await reader.ReadToEndAsync(Stop);

        Assert.Equal("data: first", first);
        Assert.Equal("\ndata: second\n\n", rest);
    }

    private static async Task AnswerSlowly(HttpContext context)
    {
        // In two pieces, so that requests are under way whenever a switch comes.
        await context.Response.WriteAsync("one");
        await context.Response.Body.FlushAsync();
        await Task.Yield();
        await context.Response.WriteAsync("two");
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[1024];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, statusDescription: null, CancellationToken.None);
                return;
            }

            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, CancellationToken.None);
        }
    }

    private static async Task<string> EchoOfAsync(ClientWebSocket socket, string text)
    {
        await socket.SendAsync(Encoding.UTF8.GetBytes(text).AsMemory(), WebSocketMessageType.Text, endOfMessage: true, Stop);
        var buffer = new byte[1024];
        var received = await socket.ReceiveAsync(buffer.AsMemory(), Stop);
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }
}
