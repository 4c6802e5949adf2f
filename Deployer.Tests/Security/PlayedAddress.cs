using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace Deployer.Tests.Security;

/// <summary>
/// Lets a request of a test come from another network address: all of them come from loopback otherwise. What the
/// connection says is changed before any of the product sees it.
/// </summary>
internal sealed class PlayedAddress : IStartupFilter
{
    /// <summary>The header in which a test says the address; the product does not see it.</summary>
    public const string Header = "X-Played-Address";

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use((context, rest) =>
        {
            if (context.Request.Headers.TryGetValue(Header, out var address))
            {
                context.Request.Headers.Remove(Header);
                context.Connection.RemoteIpAddress = IPAddress.Parse(address.ToString());
            }

            return rest(context);
        });
        next(app);
    };
}
