using System.Net;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Routing;

/// <summary>How the proxy reaches containers.</summary>
public enum ContainerReach
{
    /// <summary>By the container's address on its network where that answers, else by its published port.</summary>
    Auto = 0,

    /// <summary>Only by the container's address on its network.</summary>
    Network = 1,

    /// <summary>Only by its published port, on the engine's machine.</summary>
    Published = 2,
}

/// <summary>Settings of the proxy. Configuration section <c>Proxy</c>.</summary>
public sealed class ProxyOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Proxy";

    /// <summary>
    /// Addresses to listen on, separated by semicolons: <c>http://</c> speaks HTTP/1.1, <c>h2c://</c> speaks HTTP/2 with
    /// prior knowledge (RFC 9113 §3.3), for gRPC clients. Host is an IP address, <c>localhost</c> or <c>*</c>; port 0
    /// lets the system choose. Configuration key <c>Proxy:Urls</c>.
    /// </summary>
    public string Urls { get; set; } = "http://127.0.0.1:8090";

    /// <summary>How containers are reached. Configuration key <c>Proxy:Reach</c>.</summary>
    public ContainerReach Reach { get; set; }

    /// <summary>
    /// Seconds after which a forwarded request, WebSocket or event stream on which nothing moves in either direction is
    /// given up. Configuration key <c>Proxy:IdleSeconds</c>.
    /// </summary>
    public int IdleSeconds { get; set; } = 600;

    /// <summary>
    /// Longest time, in seconds, that requests under way at the old container may take to end after a switch, before it is
    /// stopped; WebSockets and event streams that are still open then are cut. Configuration key <c>Proxy:DrainSeconds</c>.
    /// </summary>
    public int DrainSeconds { get; set; } = 30;

    /// <summary>
    /// Address ranges (CIDR) of proxies in front of this one, whose <c>X-Forwarded-*</c> headers are believed and
    /// extended; of others they are replaced. Configuration key <c>Proxy:TrustedProxies</c>, a list. Left out, it is
    /// <see cref="LoopbackRanges"/>; a single empty entry trusts nobody.
    /// </summary>
    public IList<string> TrustedProxies { get; init; } = [];

    /// <summary>This machine itself: what is trusted unless <see cref="TrustedProxies"/> says otherwise.</summary>
    public static IReadOnlyList<string> LoopbackRanges { get; } = ["127.0.0.0/8", "::1/128"];

    /// <summary>The addresses to listen on. Valid once the options are validated.</summary>
    public IReadOnlyList<ListenAddress> ListenAddresses =>
        [.. Urls.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(url => ListenAddress.TryParse(url, out var address) ? address : throw new FormatException(url))];

    /// <summary>The ranges to trust. Valid once the options are validated.</summary>
    public IReadOnlyList<IPNetwork> TrustedNetworks =>
        [.. (TrustedProxies.Count == 0 ? LoopbackRanges : TrustedProxies.Where(range => range.Length > 0))
            .Select(range => IPNetwork.Parse(range))];
}

/// <summary>Checks <see cref="ProxyOptions"/>; each message names the configuration key and the remedy.</summary>
internal sealed class ProxyOptionsValidation : IValidateOptions<ProxyOptions>
{
    public ValidateOptionsResult Validate(string? name, ProxyOptions options)
    {
        var errors = new List<string>();
        var urls = options.Urls.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (urls.Length == 0)
        {
            errors.Add("Proxy:Urls is empty; set it to the address the proxy listens on, such as http://127.0.0.1:8090, or leave the role proxy out of Roles.");
        }

        errors.AddRange(urls
            .Where(url => !ListenAddress.TryParse(url, out _))
            .Select(url => $"Proxy:Urls holds '{url}'; write http://<IP address, localhost or *>:<port>, or h2c:// for HTTP/2 without TLS."));
        if (options.IdleSeconds < 1)
        {
            errors.Add($"Proxy:IdleSeconds is {options.IdleSeconds}; set it to at least 1.");
        }

        if (options.DrainSeconds < 0)
        {
            errors.Add($"Proxy:DrainSeconds is {options.DrainSeconds}; set it to 0 or more.");
        }

        if (!Enum.IsDefined(options.Reach))
        {
            errors.Add("Proxy:Reach is unknown; set it to auto, network or published.");
        }

        errors.AddRange(options.TrustedProxies
            .Where(range => range.Length > 0 && !IPNetwork.TryParse(range, out _))
            .Select(range => $"Proxy:TrustedProxies holds '{range}'; write an address range such as 10.0.0.0/8."));
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
