using System.Net;
using System.Net.Sockets;
using Deployer.Core;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Deployer.Web.Startup;

/// <summary>The addresses on which Deployer listens. Configuration key <c>Urls</c> (<c>--urls</c>).</summary>
public static partial class Listening
{
    /// <summary>Where Deployer listens unless told otherwise: this machine alone.</summary>
    public const string DefaultUrls = "http://127.0.0.1:8080";

    /// <summary>Largest request body, in bytes. No request of the API or of the dashboard comes near it.</summary>
    internal const long MaxRequestBytes = 1024 * 1024;

    private static readonly string[] AddressKeys =
        [WebHostDefaults.ServerUrlsKey, WebHostDefaults.HttpPortsKey, WebHostDefaults.HttpsPortsKey];

    /// <summary>Sets the default address, which loses against every configured one, and the server's limits.</summary>
    public static void AddListening(this WebApplicationBuilder builder)
    {
        if (!HasEndpoints(builder.Configuration) && AddressKeys.All(key => string.IsNullOrWhiteSpace(builder.Configuration[key])))
        {
            builder.WebHost.UseUrls(DefaultUrls);
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxRequestBytes;
        });
    }

    /// <summary>Finds out, before the server starts, whether it will be able to listen; announces the addresses when it does.</summary>
    /// <exception cref="SettingException">An address is malformed, taken or not this machine's.</exception>
    public static void CheckListening(this WebApplication app)
    {
        foreach (var url in Urls(app.Configuration))
        {
            CheckUrl(url);
        }

        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(DeployerApp));
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
            LogReady(logger, string.Join(" and ", addresses));
        });
    }

    /// <summary>Whether the server's own section names its end points; it then ignores <c>Urls</c>.</summary>
    private static bool HasEndpoints(IConfiguration configuration) => configuration.GetSection("Kestrel:Endpoints").GetChildren().Any();

    private static string[] Urls(IConfiguration configuration) =>
        HasEndpoints(configuration)
            ? []
            : (configuration[WebHostDefaults.ServerUrlsKey] ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static void CheckUrl(string url)
    {
        const string Remedy = "Set --urls (or Urls) to addresses such as http://127.0.0.1:8080, several parted by semicolons.";
        BindingAddress address;
        try
        {
            address = BindingAddress.Parse(url);
        }
        catch (FormatException exception)
        {
            throw new SettingException($"Urls holds '{url}', which is no address to listen on. {Remedy}", exception);
        }

        if (address.Scheme is not ("http" or "https") || address.PathBase.Length > 0 || address.Port is < 0 or > IPEndPoint.MaxPort)
        {
            throw new SettingException($"Urls holds '{url}', which is no address to listen on: it has a scheme (http or https), a host and a port alone. {Remedy}", inner: null);
        }

        if (!address.IsUnixPipe && Endpoint(address) is { } endpoint)
        {
            TryListen(url, endpoint);
        }
    }

    /// <summary>The one end point behind an address; <see langword="null"/> where the server picks one, or any interface.</summary>
    private static IPEndPoint? Endpoint(BindingAddress address)
    {
        if (address.Port == 0)
        {
            return null;
        }

        if (string.Equals(address.Host, "localhost", StringComparison.OrdinalIgnoreCase))
        {
            return new IPEndPoint(IPAddress.Loopback, address.Port);
        }

        // As the server does: what is no IP address means every interface.
        return new IPEndPoint(IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) ? ip : IPAddress.Any, address.Port);
    }

    private static void TryListen(string url, IPEndPoint endpoint)
    {
        try
        {
            using var probe = new TcpListener(endpoint);
            probe.Start();
        }
        catch (SocketException exception)
        {
            var cause = exception.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => "another program listens there. Stop it, or choose another port",
                SocketError.AccessDenied => "ports below 1024 need more rights. Choose a higher port",
                SocketError.AddressNotAvailable => "this machine has no such address. Choose one of its own",
                _ => $"the system says: {exception.Message}. Choose another address",
            };
            throw new SettingException($"Urls holds '{url}', but {cause}, e.g. --urls http://127.0.0.1:9000.", exception);
        }
    }

    [LoggerMessage(LogLevel.Information, "Deployer is ready at {Addresses}")]
    private static partial void LogReady(ILogger logger, string addresses);
}
