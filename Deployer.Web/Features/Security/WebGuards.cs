using System.Buffers.Text;
using System.Security.Cryptography;
using Deployer.Core.Access;
using Deployer.Web.Features.Problems;
using Microsoft.AspNetCore.Http.Features;

namespace Deployer.Web.Features.Security;

/// <summary>What every request and answer passes: origin checks, the cap on open pages, and the security headers.</summary>
internal static class WebGuards
{
    private const string NonceKey = "deployer:nonce";

    /// <summary>The one-time word by which the page's own inline scripts (the import map) are told from injected ones.</summary>
    public static string ScriptNonce(this HttpContext context)
    {
        if (context.Items.TryGetValue(NonceKey, out var known) && known is string nonce)
        {
            return nonce;
        }

        nonce = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
        context.Items[NonceKey] = nonce;
        return nonce;
    }

    /// <summary>Sets the headers that make browsers careful (OWASP secure headers).</summary>
    public static Task WriteHeadersAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(() =>
        {
            var headers = context.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=(), usb=()";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";

            // Styles may be inline: the component library sets widths and positions that way.
            headers.ContentSecurityPolicy =
                $"default-src 'none'; script-src 'self' 'nonce-{context.ScriptNonce()}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
                + "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";
            return Task.CompletedTask;
        });
        return next(context);
    }

    /// <summary>
    /// Refuses what another site makes a browser send with the caller's cookie or address: requests that change something,
    /// and connections to circuits, which CORS does not cover. Tokens and signatures prove themselves and pass.
    /// </summary>
    public static Task RefuseOtherSitesAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        if (IsCircuit(request))
        {
            return request.Headers.TryGetValue("Origin", out var origin) && !SameSite.IsOwnOrigin(request, origin)
                ? Refusals.Denied("Pages of other sites may not connect here. Behind a proxy, pass Host and X-Forwarded-Proto on and name it in Forwarding:TrustedProxies.")
                    .ExecuteAsync(context)
                : next(context);
        }

        var isSafe = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method);
        if (isSafe || request.Headers.ContainsKey("Authorization")
            || request.Path.StartsWithSegments("/hooks", StringComparison.OrdinalIgnoreCase)
            || (SameSite.IsFromHere(request) && !LacksProof(request)))
        {
            return next(context);
        }

        return Refusals.Denied(
            "The request was sent by a page of another site. Send it from Deployer's own pages, or from a program with an API token. Behind a proxy, pass Host and X-Forwarded-Proto on and name it in Forwarding:TrustedProxies.")
            .ExecuteAsync(context);
    }

    /// <summary>
    /// Whether a request to the API has the cookie of a session and nothing that says where it comes from. Every browser
    /// says so; forms of the account pages carry a token of their own.
    /// </summary>
    private static bool LacksProof(HttpRequest request) =>
        request.Cookies.ContainsKey(SessionCookie.Name)
        && request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase)
        && !request.Headers.ContainsKey("Sec-Fetch-Site") && !request.Headers.ContainsKey("Origin");

    /// <summary>Holds the number of open pages of one person down.</summary>
    public static async Task CapCircuitsAsync(HttpContext context, RequestDelegate next)
    {
        if (!IsCircuit(context.Request) || !HoldsCircuit(context))
        {
            await next(context);
            return;
        }

        var actor = context.Features.Get<Actor>() ?? Actor.Nobody;
        using var place = context.RequestServices.GetRequiredService<CircuitLimit>().TryEnter($"{actor.Id} {actor.Address}");
        if (place is null)
        {
            await Problem.Of(
                StatusCodes.Status429TooManyRequests, "too_many_pages", $"You have {CircuitLimit.PagesAtOnce} pages open; close some.").ExecuteAsync(context);
            return;
        }

        await next(context);
    }

    /// <summary>
    /// Whether the request lasts as long as a circuit's connection: a WebSocket (HTTP/1.1 upgrade, or RFC 8441), or what
    /// stands in for one. WebSockets are known as such only inside the circuit's own endpoint, which comes later.
    /// </summary>
    private static bool HoldsCircuit(HttpContext context) =>
        context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
        || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true }
        || (HttpMethods.IsGet(context.Request.Method) && context.Request.Query.ContainsKey("id"));

    private static bool IsCircuit(HttpRequest request) => request.Path.StartsWithSegments("/_blazor", StringComparison.OrdinalIgnoreCase);
}
