using Microsoft.Extensions.Logging.Abstractions;

namespace Deployer.Web.Features.Proxy;

/// <summary>
/// The process's loggers without the web server's log of each request. As long as anything listens there, each request
/// gets a scope and an activity of its own, and with that a trace of ours in the headers to the app.
/// </summary>
internal sealed class ProxyLoggers(ILoggerFactory loggers) : ILoggerFactory
{
    private const string EachRequest = "Microsoft.AspNetCore.Hosting.Diagnostics";

    public ILogger CreateLogger(string categoryName) =>
        string.Equals(categoryName, EachRequest, StringComparison.Ordinal) ? NullLogger.Instance : loggers.CreateLogger(categoryName);

    public void AddProvider(ILoggerProvider provider) => loggers.AddProvider(provider);

    /// <summary>The loggers are the process's; it ends them.</summary>
    public void Dispose()
    {
    }
}
