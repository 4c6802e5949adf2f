using System.Net;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

namespace Deployer.Web.Features.Security;

/// <summary>Which reverse proxies are believed. Configuration section <c>Forwarding</c>.</summary>
internal sealed class ForwardingOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Forwarding";

    /// <summary>
    /// Addresses or networks (<c>10.0.0.0/8</c>) of the proxies whose <c>X-Forwarded-For</c>, <c>-Proto</c> and
    /// <c>-Host</c> are believed; none unless named. Configuration key <c>Forwarding:TrustedProxies</c>.
    /// </summary>
    public string[] TrustedProxies { get; set; } = [];
}

/// <summary>Makes the forwarded-headers middleware believe the named proxies alone.</summary>
internal sealed class TrustedForwarding(IOptions<ForwardingOptions> forwarding) : IConfigureOptions<ForwardedHeadersOptions>
{
    /// <inheritdoc/>
    public void Configure(ForwardedHeadersOptions options)
    {
        options.ForwardedHeaders = forwarding.Value.TrustedProxies.Length == 0
            ? ForwardedHeaders.None
            : ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost;
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var proxy in forwarding.Value.TrustedProxies)
        {
            if (TryRead(proxy, out var network))
            {
                options.KnownIPNetworks.Add(network);
            }
        }
    }

    /// <summary>Reads an address or a network.</summary>
    internal static bool TryRead(string text, out System.Net.IPNetwork network)
    {
        if (IPAddress.TryParse(text, out var address))
        {
            network = new System.Net.IPNetwork(address, address.GetAddressBytes().Length * 8);
            return true;
        }

        return System.Net.IPNetwork.TryParse(text, out network);
    }
}
