using Deployer.Core;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace Deployer.Web.Startup;

/// <summary>What a process does. Several processes over one database may share the work.</summary>
[Flags]
public enum ProcessRoles
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Serves the dashboard and the API on <c>Urls</c>.</summary>
    Web = 1,

    /// <summary>Carries out deployments and drives the engine.</summary>
    Runner = 2,

    /// <summary>Serves the apps on <c>Proxy:Urls</c>.</summary>
    Proxy = 4,

    /// <summary>Everything: the default.</summary>
    All = Web | Runner | Proxy,
}

/// <summary>Reads the roles. Configuration key <c>Roles</c> (<c>--roles</c>).</summary>
public static class ProcessRolesSetting
{
    private const string Key = "Roles";

    /// <summary>The roles of this process, e.g. from <c>--roles web,runner</c>; all when nothing is set.</summary>
    /// <exception cref="SettingException">A role is unknown.</exception>
    public static ProcessRoles ReadRoles(this IConfiguration configuration)
    {
        var text = configuration[Key];
        if (string.IsNullOrWhiteSpace(text))
        {
            return ProcessRoles.All;
        }

        var roles = ProcessRoles.None;
        foreach (var word in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            roles |= word.ToUpperInvariant() switch
            {
                "WEB" => ProcessRoles.Web,
                "RUNNER" => ProcessRoles.Runner,
                "PROXY" => ProcessRoles.Proxy,
                _ => throw Unusable(text, $"'{word}' is no role"),
            };
        }

        return roles == ProcessRoles.None ? throw Unusable(text, "that names no role") : roles;
    }

    /// <summary>Keeps a process without the role web from listening where the dashboard would.</summary>
    public static void AddNoDashboard(this IHostApplicationBuilder builder) =>
        builder.Services.AddSingleton<IServer, NoServer>();

    private static SettingException Unusable(string text, string why) => new(
        $"Roles is '{text}', but {why}. Set Roles (--roles) to one or more of web, runner and proxy, separated by commas, e.g. --roles web,runner; leave it out for all.",
        inner: null);

    private sealed class NoServer : IServer
    {
        public IFeatureCollection Features { get; } = new FeatureCollection();

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
            // Nothing was opened.
        }
    }
}
