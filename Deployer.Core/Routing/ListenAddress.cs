using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Deployer.Core.Routing;

/// <summary>An address that the proxy listens on, e.g. <c>http://127.0.0.1:8090</c>, <c>http://*:80</c>, <c>h2c://[::1]:8091</c>.</summary>
/// <param name="Ip">Address to bind; <see langword="null"/> for all of the machine's.</param>
/// <param name="Port">TCP port; 0 lets the system choose.</param>
/// <param name="IsHttp2">Whether clients speak HTTP/2 with prior knowledge (RFC 9113 §3.3) rather than HTTP/1.1.</param>
public sealed record ListenAddress(IPAddress? Ip, int Port, bool IsHttp2)
{
    private const string Http = "http://";
    private const string Http2 = "h2c://";

    /// <summary>Reads an address as written in <see cref="ProxyOptions.Urls"/>.</summary>
    public static bool TryParse(string url, [NotNullWhen(true)] out ListenAddress? address)
    {
        address = null;
        var isHttp2 = url.StartsWith(Http2, StringComparison.OrdinalIgnoreCase);
        if (!isHttp2 && !url.StartsWith(Http, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var rest = url[(isHttp2 ? Http2 : Http).Length..].TrimEnd('/');
        var colon = rest.LastIndexOf(':');
        if (colon < 1 || !ushort.TryParse(rest[(colon + 1)..], out var port))
        {
            return false;
        }

        var host = rest[..colon];
        if (host is "*" or "+")
        {
            address = new ListenAddress(null, port, isHttp2);
        }
        else if (string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase))
        {
            address = new ListenAddress(IPAddress.Loopback, port, isHttp2);
        }
        else if (IPAddress.TryParse(host.Trim('[', ']'), out var ip))
        {
            address = new ListenAddress(ip, port, isHttp2);
        }

        return address is not null;
    }
}
