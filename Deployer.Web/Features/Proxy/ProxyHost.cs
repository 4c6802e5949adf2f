using System.Net;
using System.Text;
using Deployer.Core.Routing;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Deployer.Web.Features.Proxy;

/// <summary>
/// Runs the proxy as a web server of its own inside the process: own addresses, own limits, no middleware and no endpoint
/// of the dashboard, and nothing of the proxy on the dashboard's addresses.
/// </summary>
internal sealed partial class ProxyHost(
    IOptions<ProxyOptions> options, RouteReader routes, ProxyRegister register, RouteFeed feed, TimeProvider time,
    ILoggerFactory loggers) : IHostedService, IAsyncDisposable
{
    /// <summary>How long requests under way may take to end when the process stops.</summary>
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(10);

    private readonly ILogger<ProxyHost> _logger = loggers.CreateLogger<ProxyHost>();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly ProxyTable _table = new(ProxyConnections.Open);
    private WebApplication? _server;
    private ProxyFollower? _follower;
    private Task _following = Task.CompletedTask;
    private Task? _stopped;
    private int _disposed;

    /// <summary>Addresses it really listens on, once started.</summary>
    public IReadOnlyCollection<string> Addresses { get; private set; } = [];

    /// <summary>Reads the routes, then listens.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _follower = new ProxyFollower(_table, routes, register, feed, time, loggers.CreateLogger<ProxyFollower>());
        await _follower.EnterAsync(options.Value.Urls, cancellationToken);
        _server = Build();
        try
        {
            await _server.StartAsync(cancellationToken);
        }
        catch
        {
            await _follower.LeaveAsync(CancellationToken.None);
            throw;
        }

        _following = _follower.RunAsync(_stopping.Token);
        Addresses = [.. _server.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses];
        LogListening(string.Join(" and ", Addresses));
    }

    /// <summary>
    /// Takes no more requests, lets those under way end, and only then leaves the register. Called again, it is over when
    /// the first call is: a host that is asked to stop twice ends its services once the later call is through.
    /// </summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return _stopped ??= StopOnceAsync(cancellationToken);
        }
    }

    private async Task StopOnceAsync(CancellationToken cancellationToken)
    {
        if (_server is null || _follower is null)
        {
            return;
        }

        using var grace = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        grace.CancelAfter(StopGrace);
        await _server.StopAsync(grace.Token);
        await _stopping.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _follower.LeaveAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stopping.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _table.Dispose();
        _stopping.Dispose();
    }

    private WebApplication Build()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(Configure);
        builder.Services.AddSingleton<ILoggerFactory>(new ProxyLoggers(loggers));
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<IHostLifetime, OuterLifetime>();
        builder.Services.AddHttpForwarder();
        builder.Services.AddSingleton(_table);
        builder.Services.AddSingleton<ProxyForwarder>();
        var server = builder.Build();
        server.Run(server.Services.GetRequiredService<ProxyForwarder>().ForwardAsync);
        return server;
    }

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;

        // What is too big or too slow is for the app to say.
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;

        // Header bytes pass as they are; Latin-1 keeps each of them.
        kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
        kestrel.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
        foreach (var address in options.Value.ListenAddresses)
        {
            var protocols = address.IsHttp2 ? HttpProtocols.Http2 : HttpProtocols.Http1;
            if (address.Ip is { } ip)
            {
                kestrel.Listen(new IPEndPoint(ip, address.Port), listen => listen.Protocols = protocols);
            }
            else
            {
                kestrel.ListenAnyIP(address.Port, listen => listen.Protocols = protocols);
            }
        }
    }

    [LoggerMessage(LogLevel.Information, "The proxy listens at {Addresses}")]
    private partial void LogListening(string addresses);

    /// <summary>The process's own host alone listens to signals and decides when this one starts and stops.</summary>
    private sealed class OuterLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
