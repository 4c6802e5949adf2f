using System.Net;
using System.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;

namespace Deployer.Web.Features.Proxy;

/// <summary>
/// Tells the app whom it serves: <c>X-Forwarded-For</c>, <c>-Proto</c> and <c>-Host</c>. What a client says of itself
/// there is replaced, unless the client is a proxy that is trusted. The Host header stays what the client sent.
/// </summary>
internal sealed class ProxyTransformer(IReadOnlyList<IPNetwork> trusted) : HttpTransformer
{
    private const string ForwardedPrefix = "X-Forwarded-";
    private const string For = "X-Forwarded-For";
    private const string Proto = "X-Forwarded-Proto";
    private const string Host = "X-Forwarded-Host";

    // RFC 7239; what stands there could contradict the headers set here.
    private const string Standard = "Forwarded";

    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        var client = httpContext.Connection.RemoteIpAddress;
        if (client is { IsIPv4MappedToIPv6: true })
        {
            client = client.MapToIPv4();
        }

        var request = httpContext.Request;
        var headers = proxyRequest.Headers;
        if (client is not null && IsTrusted(client))
        {
            // Added to what stands there already: one header, several values (RFC 9110 §5.3).
            headers.TryAddWithoutValidation(For, client.ToString());
            AddIfMissing(request, proxyRequest, Proto, request.Scheme);
            AddIfMissing(request, proxyRequest, Host, request.Host.Value);
            return;
        }

        RemoveClaims(headers);
        headers.TryAddWithoutValidation(For, client?.ToString());
        headers.TryAddWithoutValidation(Proto, request.Scheme);
        headers.TryAddWithoutValidation(Host, request.Host.Value);
    }

    private bool IsTrusted(IPAddress client)
    {
        foreach (var network in trusted)
        {
            if (network.Contains(client))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Takes off what a client says of itself; as a rule it says nothing, and nothing is allocated.</summary>
    private static void RemoveClaims(HttpRequestHeaders headers)
    {
        List<string>? claims = null;
        foreach (var header in headers.NonValidated)
        {
            if (header.Key.StartsWith(ForwardedPrefix, StringComparison.OrdinalIgnoreCase)
                || header.Key.Equals(Standard, StringComparison.OrdinalIgnoreCase))
            {
                (claims ??= []).Add(header.Key);
            }
        }

        foreach (var claim in claims ?? [])
        {
            headers.Remove(claim);
        }
    }

    private static void AddIfMissing(HttpRequest request, HttpRequestMessage proxyRequest, string name, string? value)
    {
        if (!request.Headers.ContainsKey(name))
        {
            proxyRequest.Headers.TryAddWithoutValidation(name, value);
        }
    }
}
