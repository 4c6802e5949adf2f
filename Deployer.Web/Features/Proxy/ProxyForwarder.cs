using System.Net;
using Deployer.Core.Routing;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace Deployer.Web.Features.Proxy;

/// <summary>Answers every request on the proxy's addresses: forwards it to the container that serves the host.</summary>
internal sealed partial class ProxyForwarder(
    ProxyTable table, IHttpForwarder forwarder, IOptions<ProxyOptions> options, ILogger<ProxyForwarder> logger)
{
    private readonly ProxyTransformer _transformer = new(options.Value.TrustedNetworks);

    private readonly ForwarderRequestConfig _http1 = new()
    {
        ActivityTimeout = TimeSpan.FromSeconds(options.Value.IdleSeconds),
        Version = HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
    };

    // gRPC needs HTTP/2 all the way, and without TLS there is nothing to negotiate it with.
    private readonly ForwarderRequestConfig _http2 = new()
    {
        ActivityTimeout = TimeSpan.FromSeconds(options.Value.IdleSeconds),
        Version = HttpVersion.Version20,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    public async Task ForwardAsync(HttpContext context)
    {
        while (true)
        {
            var route = table.Find(context.Request.Host.Host);
            if (route is null)
            {
                await ProxyPages.UnknownHostAsync(context);
                return;
            }

            if (route.Live is not { } target)
            {
                await ProxyPages.NotRunningAsync(context);
                return;
            }

            if (target.TryEnter())
            {
                try
                {
                    await ForwardAsync(context, route.App, target);
                    return;
                }
                finally
                {
                    target.Leave();
                }
            }
        }
    }

    private static bool IsGrpc(HttpRequest request) =>
        HttpProtocol.IsHttp2(request.Protocol)
        && request.ContentType is { } type
        && type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase);

    private async Task ForwardAsync(HttpContext context, string app, ProxyTarget target)
    {
        var error = await forwarder.SendAsync(
            context, target.Prefix, target.Client, IsGrpc(context.Request) ? _http2 : _http1, _transformer);
        if (error == ForwarderError.None || context.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        var cause = context.GetForwarderErrorFeature()?.Exception;
        LogFailed(app, target.Address, error, cause?.GetBaseException().Message ?? string.Empty);
        if (!context.Response.HasStarted && context.Response.StatusCode >= StatusCodes.Status500InternalServerError)
        {
            await ProxyPages.NoAnswerAsync(context);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Forwarding to {App} at {Address} failed: {Error} {Cause}")]
    private partial void LogFailed(string app, TargetAddress address, ForwarderError error, string cause);
}
