using System.Net;
using System.Net.Sockets;
using Deployer.Core.Routing;
using Deployer.Tests.Routing;
using Deployer.Web.Features.Proxy;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Deployer.Tests.Proxy;

/// <summary>A proxy on a port of its own over a database of its own, and real servers as the containers behind it.</summary>
internal sealed class ProxyWorld : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _owned = [];
    private int _containers;

    private ProxyWorld(RoutingWorld routing) => Routing = routing;

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public RoutingWorld Routing { get; }

    public Uri Address { get; private set; } = new("http://unset");

    /// <summary>The first proxy.</summary>
    public IHostedService Proxy { get; private set; } = null!;

    public static Task<ProxyWorld> StartAsync() => StartAsync(_ => { });

    public static async Task<ProxyWorld> StartAsync(Action<ProxyOptions> configure)
    {
        var world = new ProxyWorld(await RoutingWorld.StartAsync());
        world.Address = await world.AddProxyAsync(world.Routing, configure);
        return world;
    }

    /// <summary>One more proxy over the same database, as if in a process of its own.</summary>
    public Task<Uri> AddProxyElsewhereAsync()
    {
        var elsewhere = Routing.Another();
        _owned.Add(elsewhere);
        return AddProxyAsync(elsewhere, _ => { });
    }

    private async Task<Uri> AddProxyAsync(RoutingWorld routing, Action<ProxyOptions> configure)
    {
        var options = new ProxyOptions { Urls = "http://127.0.0.1:0" };
        configure(options);
        var proxy = ActivatorUtilities.CreateInstance<ProxyHost>(routing.Get<IServiceProvider>(), Options.Create(options));
        await proxy.StartAsync(Stop);
        Proxy ??= proxy;
        _owned.Add(new Stopped(proxy));
        return new Uri(proxy.Addresses.First());
    }

    /// <summary>A real server that stands for a container.</summary>
    public async Task<StandIn> AddContainerAsync(RequestDelegate answer, HttpProtocols protocols)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = protocols);
        });
        var server = builder.Build();
        server.UseWebSockets();
        server.Run(answer);
        await server.StartAsync(Stop);
        _owned.Add(server);
        return new StandIn(server);
    }

    /// <summary>Makes a server the one that serves the app.</summary>
    public Task<SwitchResult> ServeAsync(long app, string host, StandIn container) => ServeAsync(app, host, container.Port);

    public Task<SwitchResult> ServeAsync(long app, string host, int port) =>
        Routing.Traffic.MoveAsync(app, [host], RoutingWorld.Target($"container-{Interlocked.Increment(ref _containers)}", port), Stop);

    /// <summary>An app at a host, served by one server.</summary>
    public async Task<long> AddAppAsync(string host, RequestDelegate answer)
    {
        var app = await Routing.AddAppAsync(host.Split('.')[0]);
        await ServeAsync(app, host, await AddContainerAsync(answer, HttpProtocols.Http1));
        return app;
    }

    public Task<HttpResponseMessage> GetAsync(string host, string path) => SendAsync(Address, HttpMethod.Get, host, path, _ => { });

    /// <summary>Sends one request on a connection of its own and gives the answer as soon as its head is there.</summary>
    public static async Task<HttpResponseMessage> SendAsync(
        Uri proxy, HttpMethod method, string host, string path, Action<HttpRequestMessage> prepare)
    {
        var request = new HttpRequestMessage(method, new Uri(proxy, path));
        request.Headers.Host = host;
        prepare(request);
        return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
    }

    /// <summary>A port on which nothing listens.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        _owned.Reverse();
        foreach (var owned in _owned)
        {
            await owned.DisposeAsync();
        }

        await Routing.DisposeAsync();
    }

    private static readonly HttpClient Client = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false });

    /// <summary>A server that stands for a container.</summary>
    internal sealed class StandIn(WebApplication server)
    {
        public int Port { get; } = new Uri(server.Urls.First()).Port;

        /// <summary>Ends it as an engine does: what is under way is cut off.</summary>
        public Task KillAsync() => server.StopAsync(new CancellationToken(canceled: true));
    }

    private sealed class Stopped(ProxyHost proxy) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await proxy.StopAsync(CancellationToken.None);
            await proxy.DisposeAsync();
        }
    }
}
