using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace Deployer.Core.Notifications;

/// <summary>
/// Sends by HTTP POST to an address that an admin chose. It follows no redirects, reads nothing of the answer but its
/// status, keeps no cookies, and never connects to link-local addresses, where clouds hand out keys.
/// </summary>
internal sealed class WebSender : IDisposable
{
    private static readonly TimeSpan AttemptLimit = TimeSpan.FromSeconds(10);

    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly ResiliencePipeline _pipeline;

    public WebSender(IOptions<NotificationOptions> options, TimeProvider time)
    {
        _time = time;
        var publicOnly = options.Value.PublicAddressesOnly;
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = AttemptLimit,
            MaxResponseHeadersLength = 16,
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            ConnectCallback = (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, publicOnly, cancellationToken),
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };

        // One quick second try for a connection that did not come about; what takes longer is for the outbox.
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddTimeout(AttemptLimit)
            .AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = 1,
                Delay = TimeSpan.Zero,
                ShouldHandle = new PredicateBuilder().Handle<HttpRequestException>(fault => fault.HttpRequestError == HttpRequestError.ConnectionError
                    && fault.InnerException is not AddressRefusedException),
            })
            .Build();
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Sends once.</summary>
    /// <param name="kind">The form.</param>
    /// <param name="address">Where to.</param>
    /// <param name="secret">Signing secret; <see langword="null"/> for forms without signature.</param>
    /// <param name="message">What to tell.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<NotificationAttempt> SendAsync(
        NotificationKind kind, Uri address, string? secret, NotificationMessage message, CancellationToken cancellationToken)
    {
        var body = NotificationForms.Body(kind, message);
        try
        {
            return await _pipeline.ExecuteAsync(
                async token =>
                {
                    using var request = Request(kind, address, secret, message, body);
                    using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
                    return Judge(response);
                },
                cancellationToken);
        }
        catch (TimeoutRejectedException)
        {
            return NotificationAttempt.Failed($"No answer within {AttemptLimit.TotalSeconds:0} seconds.");
        }
        catch (HttpRequestException exception) when (exception.InnerException is AddressRefusedException refused)
        {
            return NotificationAttempt.Refused(refused.Message);
        }
        catch (HttpRequestException exception)
        {
            // The message may hold the address, which is a key; its kind says enough.
            return NotificationAttempt.Failed($"The receiver could not be reached: {Words(exception.HttpRequestError)}.");
        }
    }

    private HttpRequestMessage Request(NotificationKind kind, Uri address, string? secret, NotificationMessage message, byte[] body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Deployer", "1"));
        if (kind != NotificationKind.Webhook)
        {
            return request;
        }

        var at = _time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        request.Headers.Add("X-Deployer-Delivery", message.Id);
        request.Headers.Add("X-Deployer-Event", NotificationForms.EventName(message.Event));
        request.Headers.Add("X-Deployer-Timestamp", at);
        if (secret is not null)
        {
            request.Headers.Add("X-Deployer-Signature-256", Sign(secret, at, body));
        }

        return request;
    }

    /// <summary>The HMAC-SHA256 of time, dot and body: a receiver can tell when it was made, and refuse old ones.</summary>
    internal static string Sign(string secret, string at, ReadOnlySpan<byte> body) =>
        "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), (byte[])[.. Encoding.ASCII.GetBytes(at + "."), .. body]));

    private static NotificationAttempt Judge(HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        return status switch
        {
            >= 200 and < 300 => NotificationAttempt.Delivered,
            >= 300 and < 400 => NotificationAttempt.Refused($"The receiver answered {status}, which leads elsewhere; redirects are not followed. Enter the final address."),
            408 or 425 or 429 or >= 500 => NotificationAttempt.Failed($"The receiver answered {status}.") with { RetryAfter = response.Headers.RetryAfter?.Delta },
            404 or 410 => NotificationAttempt.Refused($"The receiver answered {status}: there is no such address any more."),
            _ => NotificationAttempt.Refused($"The receiver answered {status} and will not take it."),
        };
    }

    private static string Words(HttpRequestError error) => error switch
    {
        HttpRequestError.NameResolutionError => "its name is unknown",
        HttpRequestError.ConnectionError => "no connection",
        HttpRequestError.SecureConnectionError => "no secure connection; see to its certificate",
        _ => "the connection broke",
    };

    // The address is looked at after the name was resolved, and that address is connected to: a name that changes its
    // meaning in between gains nothing.
    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint endpoint, bool publicOnly, CancellationToken cancellationToken)
    {
        var addresses = IPAddress.TryParse(endpoint.Host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(endpoint.Host, cancellationToken);
        if (Array.Find(addresses, address => !ReceiverAddress.IsAllowed(address, publicOnly)) is not null)
        {
            throw new AddressRefusedException(publicOnly);
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, endpoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>A notification was to go where none may.</summary>
internal sealed class AddressRefusedException(bool publicOnly) : Exception(publicOnly
    ? "The receiver's address is not public, and Notifications:PublicAddressesOnly allows no other."
    : "The receiver's address is link-local or stands for no machine; no notification goes there.");

/// <summary>Which addresses a receiver may have.</summary>
internal static class ReceiverAddress
{
    private static readonly IPNetwork[] Never =
    [
        IPNetwork.Parse("0.0.0.0/8"), IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("224.0.0.0/3"),
        IPNetwork.Parse("::/128"), IPNetwork.Parse("fe80::/10"), IPNetwork.Parse("ff00::/8"),

        // Where clouds answer questions of their machines by IPv6.
        IPNetwork.Parse("fd00:ec2::254/128"),
    ];

    private static readonly IPNetwork[] Private =
    [
        IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("100.64.0.0/10"), IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("172.16.0.0/12"),
        IPNetwork.Parse("192.168.0.0/16"), IPNetwork.Parse("::1/128"), IPNetwork.Parse("fc00::/7"),
    ];

    /// <summary>Whether a notification may go there.</summary>
    public static bool IsAllowed(IPAddress address, bool publicOnly)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return !Array.Exists(Never, network => network.Contains(plain))
            && !(publicOnly && Array.Exists(Private, network => network.Contains(plain)));
    }
}
