namespace Deployer.Web.Features.Proxy;

/// <summary>Registers the proxy.</summary>
public static class ProxyRegistration
{
    /// <summary>Runs the proxy in this process, on <c>Proxy:Urls</c>.</summary>
    public static void AddProxy(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ProxyHost>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ProxyHost>());
    }
}
