using System.Globalization;
using System.Text.Encodings.Web;
using Microsoft.Net.Http.Headers;

namespace Deployer.Web.Features.Proxy;

/// <summary>
/// What the proxy says itself: one plain page each, without style or script, because whoever reads it came for the app.
/// </summary>
internal static class ProxyPages
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    public static Task UnknownHostAsync(HttpContext context) => WriteAsync(
        context, StatusCodes.Status404NotFound, "Not found", $"No app answers at {context.Request.Host.Value}.");

    public static Task NotRunningAsync(HttpContext context) => WriteAsync(
        context, StatusCodes.Status503ServiceUnavailable, "Not available", "The app is not running at the moment.");

    /// <summary>The status is what the forwarder made of the failure: 502, 503 or 504.</summary>
    public static Task NoAnswerAsync(HttpContext context) => WriteAsync(
        context,
        context.Response.StatusCode,
        context.Response.StatusCode == StatusCodes.Status504GatewayTimeout ? "No answer in time" : "No answer",
        "The app is there but did not answer.");

    private static Task WriteAsync(HttpContext context, int status, string title, string sentence)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.Headers[HeaderNames.CacheControl] = "no-store";
        if (status is StatusCodes.Status502BadGateway or StatusCodes.Status503ServiceUnavailable)
        {
            response.Headers[HeaderNames.RetryAfter] = RetryAfter.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        }

        var heading = $"{status} {title}";
        return response.WriteAsync(
            $"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{heading}</title><h1>{heading}</h1><p>{HtmlEncoder.Default.Encode(sentence)}</p></html>\n",
            context.RequestAborted);
    }
}
