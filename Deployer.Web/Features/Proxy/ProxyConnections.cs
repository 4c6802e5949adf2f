using System.Net;
using System.Text;

namespace Deployer.Web.Features.Proxy;

/// <summary>How the proxy connects to a container: it passes on what it is given and adds nothing of its own.</summary>
internal static class ProxyConnections
{
    // Containers are near: what does not connect at once will not.
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(5);

    // Shorter than what servers keep an idle connection (Node.js 5 s), so that no request is sent into a closing one.
    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(4);

    public static HttpMessageInvoker Open() => new(
        new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            EnableMultipleHttp2Connections = true,
            ActivityHeadersPropagator = null, // the client's trace passes as it is
            ConnectTimeout = ConnectLimit,
            PooledConnectionIdleTimeout = IdleLimit,
            RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = (_, _) => Encoding.Latin1,
        },
        disposeHandler: true);
}
