using System.Net;

namespace Deployer.Web.Features.Security;

/// <summary>
/// Tells whether a request comes from the machine itself, straight from a program or a browser tab that somebody opened
/// there. Only such callers count before the installation has an owner.
/// </summary>
internal static class AtTheMachine
{
    // What proxies add, and what the forwarded-headers middleware makes of it.
    private static readonly string[] ProxyHeaders =
    [
        "Forwarded", "Via", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix",
        "X-Original-For", "X-Original-Host", "X-Original-Proto", "X-Original-Prefix", "CF-Connecting-IP", "True-Client-IP",
    ];

    /// <summary>
    /// Whether the connection ends on loopback at both sides, no proxy stands between, the name in the address is
    /// loopback's too (a page of another site may point its own name here: DNS rebinding), and no other site sent it.
    /// </summary>
    public static bool IsCaller(HttpContext context)
    {
        var request = context.Request;
        return context.Connection.RemoteIpAddress is { } remote && IPAddress.IsLoopback(remote)

            // Proxies with bare settings still speak HTTP/1.0 to what they serve; no browser or client does.
            && !string.Equals(request.Protocol, "HTTP/1.0", StringComparison.OrdinalIgnoreCase)
            && !ProxyHeaders.Any(request.Headers.ContainsKey)
            && IsLoopbackName(request.Host.Host)
            && (SameSite.IsFromHere(request) || SameSite.IsNavigation(request));
    }

    private static bool IsLoopbackName(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}

/// <summary>Tells requests of our own pages and of programs from those which other sites make a browser send.</summary>
internal static class SameSite
{
    /// <summary>
    /// Whether the request comes from our own pages or from no page at all. Browsers say where a request comes from in
    /// <c>Sec-Fetch-Site</c> (Fetch Metadata) and, where its method changes something, in <c>Origin</c> (RFC 6454);
    /// scripts can set neither. Programs send neither.
    /// </summary>
    public static bool IsFromHere(HttpRequest request)
    {
        if (request.Headers.TryGetValue("Sec-Fetch-Site", out var site))
        {
            return site is ["same-origin" or "none"];
        }

        return !request.Headers.TryGetValue("Origin", out var origin) || IsOwnOrigin(request, origin);
    }

    /// <summary>Whether somebody followed a link: it may come from anywhere, since the other site learns nothing of the answer.</summary>
    public static bool IsNavigation(HttpRequest request) =>
        HttpMethods.IsGet(request.Method)
        && request.Headers["Sec-Fetch-Mode"] is ["navigate"]
        && request.Headers["Sec-Fetch-Dest"] is ["document"];

    /// <summary>Whether an <c>Origin</c> header names the scheme, host and port that the request was sent to.</summary>
    public static bool IsOwnOrigin(HttpRequest request, string? origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && string.Equals(uri.GetLeftPart(UriPartial.Authority), $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
}
