using System.Globalization;
using Deployer.Core.Apps;
using Deployer.Core.Routing;
using Microsoft.Extensions.Options;

namespace Deployer.Web.Features.Home;

/// <summary>Where people reach what an app serves.</summary>
internal sealed class AppAddress(IOptions<ProxyOptions> options)
{
    /// <summary>The app's address; <see langword="null"/> when it has neither host name nor published port.</summary>
    /// <param name="app">The app.</param>
    /// <param name="dashboard">Where the reader reached the dashboard: published ports are on the same machine.</param>
    public string? Find(AppOverview app, Uri dashboard)
    {
        if (app.Serving is not { } serving)
        {
            return null;
        }

        if (app.Hosts.Count > 0)
        {
            return OfHost(app.Hosts[0], dashboard);
        }

        return serving.Ports.Count > 0 ? string.Create(CultureInfo.InvariantCulture, $"http://{dashboard.Host}:{serving.Ports[0].Host}") : null;
    }

    /// <summary>The address of a host name that the proxy serves.</summary>
    /// <param name="host">The host name.</param>
    /// <param name="dashboard">Where the reader reached the dashboard.</param>
    // Away from the machine itself, what stands in front of the proxy has the usual port.
    public string OfHost(string host, Uri dashboard) => dashboard.IsLoopback && ProxyPort() is { } port
        ? string.Create(CultureInfo.InvariantCulture, $"http://{host}:{port}")
        : $"{dashboard.Scheme}://{host}";

    private int? ProxyPort() => options.Value.ListenAddresses is [var first, ..] ? first.Port : null;
}
