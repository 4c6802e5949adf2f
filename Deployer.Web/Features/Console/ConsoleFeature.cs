using Deployer.Web.Features.Deployments;

namespace Deployer.Web.Features.Console;

/// <summary>Registers the console pane.</summary>
internal static class ConsoleFeature
{
    /// <summary>Registers what the pane follows and searches logs with.</summary>
    public static void AddConsole(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<LogFollower>();
        builder.Services.AddSingleton<LogFinder>();
        builder.Services.AddSingleton<LogSieve>();
        builder.Services.AddSingleton<DeploymentLogs>();
    }
}
