using System.Net;
using System.Net.Sockets;
using Deployer.Core;
using Deployer.Core.Routing;
using Microsoft.Extensions.Options;

namespace Deployer.Web.Features.Proxy;

/// <summary>Registers the proxy.</summary>
public static class ProxyRegistration
{
    /// <summary>Runs the proxy in this process, on <c>Proxy:Urls</c>.</summary>
    public static void AddProxy(this IHostApplicationBuilder builder)
    {
        // The forwarder would tell of every request; what fails is told by the proxy itself, with the app's name.
        builder.Logging.AddFilter("Yarp", LogLevel.Error);
        builder.Services.AddSingleton<ProxyHost>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ProxyHost>());
    }

    /// <summary>Finds out, before anything starts, whether the proxy will be able to listen.</summary>
    /// <exception cref="SettingException">An address is taken or not this machine's.</exception>
    public static void CheckProxyListening(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<IOptions<ProxyOptions>>().Value;
        foreach (var address in options.ListenAddresses.Where(address => address.Port != 0))
        {
            try
            {
                using var probe = new TcpListener(address.Ip ?? IPAddress.Any, address.Port);
                probe.Start();
            }
            catch (SocketException exception)
            {
                var cause = exception.SocketErrorCode switch
                {
                    SocketError.AddressAlreadyInUse => "another program listens there",
                    SocketError.AccessDenied => "ports below 1024 need more rights",
                    SocketError.AddressNotAvailable => "this machine has no such address",
                    _ => $"the system says: {exception.Message}",
                };
                throw new SettingException(
                    $"Proxy:Urls is '{options.Urls}', but on port {address.Port} {cause}. Set Proxy:Urls to free addresses of this machine, e.g. --Proxy:Urls http://127.0.0.1:9090, or leave the role proxy out of Roles.",
                    exception);
            }
        }
    }
}
