using Deployer.Core;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Diagnostics;
using Deployer.Core.Engine;
using Deployer.Core.Logs;
using Deployer.Core.Notifications;
using Deployer.Core.Routing;
using Deployer.Core.Runner;
using Deployer.Core.Webhooks;
using Deployer.Web.Components;
using Deployer.Web.Features.Account;
using Deployer.Web.Features.Apps;
using Deployer.Web.Features.Audit;
using Deployer.Web.Features.Comments;
using Deployer.Web.Features.Console;
using Deployer.Web.Features.Deploy;
using Deployer.Web.Features.Deployments;
using Deployer.Web.Features.Diagnostics;
using Deployer.Web.Features.Engines;
using Deployer.Web.Features.Environments;
using Deployer.Web.Features.Health;
using Deployer.Web.Features.Logs;
using Deployer.Web.Features.Notifications;
using Deployer.Web.Features.People;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Proxy;
using Deployer.Web.Features.Registries;
using Deployer.Web.Features.Secrets;
using Deployer.Web.Features.Security;
using Deployer.Web.Features.Statistics;
using Deployer.Web.Features.Tokens;
using Deployer.Web.Features.Webhooks;
using Deployer.Web.Startup;
using Microsoft.Extensions.Options;

namespace Deployer.Web;

/// <summary>Puts the application together: every feature registers and maps itself.</summary>
public static class DeployerApp
{
    /// <summary>Runs Deployer until it is stopped.</summary>
    /// <param name="args">Command line, e.g. <c>--urls http://127.0.0.1:9000</c>.</param>
    /// <returns>Exit code: 0 after a stop, 1 when a setting cannot be used (the message on standard error names it).</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            // The app's own directory holds its settings and assets, wherever it is started from.
            var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
            builder.AddDeployer();
            await using var app = builder.Build();
            app.MapDeployer();
            await app.PrepareAsync(CancellationToken.None);
            await app.RunAsync();
            return 0;
        }
        catch (Exception exception) when (StartRefusal.Explain(exception) is { } refusal)
        {
            await Console.Error.WriteLineAsync($"Deployer does not start. {refusal}");
            return 1;
        }
    }

    /// <summary>Registers every feature.</summary>
    public static void AddDeployer(this WebApplicationBuilder builder)
    {
        builder.AddListening();
        builder.AddProblems();
        builder.AddApiDocument();
        builder.Services.AddData();
        builder.Services.AddEngine();
        builder.Services.AddApps();
        builder.Services.AddDeployments();
        builder.Services.AddLogs();
        builder.Services.AddTraffic();
        builder.AddHealth();
        builder.AddEngines();
        builder.AddConsole();
        builder.Services.AddDeploy();
        builder.AddDashboard();
        builder.AddSecurity();
        builder.Services.AddWebhooks();
        builder.Services.AddNotifications();
        builder.Services.AddDiagnostics();
        builder.AddTelemetry();
        builder.AddAccount();
        builder.AddRoles(builder.Configuration.ReadRoles());
    }

    private static void AddRoles(this WebApplicationBuilder builder, ProcessRoles roles)
    {
        if (!roles.HasFlag(ProcessRoles.Web))
        {
            builder.AddNoDashboard();
        }

        if (roles.HasFlag(ProcessRoles.Runner))
        {
            builder.Services.AddRunner();
            builder.Services.AddNotificationSending();
            builder.Services.AddLogKeeping();
            builder.Services.AddRouteKeeper();
        }

        // Last to start and first to stop: it serves only what the others have made ready.
        if (roles.HasFlag(ProcessRoles.Proxy))
        {
            builder.AddProxy();
        }
    }

    /// <summary>Maps every feature.</summary>
    public static void MapDeployer(this WebApplication app)
    {
        app.UseErrorPages();
        app.UseProblems();
        app.UseSecurity();
        app.MapApiDocument();
        app.MapAppsApi();
        app.MapDeploymentsApi();
        app.MapRestoreApi();
        app.MapOperationsApi();
        app.MapSecretsApi();
        app.MapRegistriesApi();
        app.MapApprovalApi();
        app.MapCommentsApi();
        app.MapEnvironmentsApi();
        app.MapPeopleApi();
        app.MapInvitationsApi();
        app.MapTokensApi();
        app.MapAuditApi();
        app.MapLogsApi();
        app.MapLogStreamApi();
        app.MapLogSearchApi();
        app.MapStatisticsApi();
        app.MapWebhooksApi();
        app.MapHookEndpoint();
        app.MapNotificationsApi();
        app.MapDiagnosticsApi();
        app.MapLogPinApi();
        app.MapEngineApi();
        app.MapHealth();
        app.MapAccount();
        app.MapDashboard();
    }

    /// <summary>Checks the settings, makes the database ready and settles what a crash left behind, before the host takes work.</summary>
    /// <exception cref="SettingException">A setting cannot be used.</exception>
    /// <exception cref="OptionsValidationException">A setting cannot be used.</exception>
    private static async Task PrepareAsync(this WebApplication app, CancellationToken cancellationToken)
    {
        app.Services.GetRequiredService<IStartupValidator>().Validate();
        var roles = app.Configuration.ReadRoles();
        if (roles.HasFlag(ProcessRoles.Web))
        {
            app.CheckListening();
        }

        if (roles.HasFlag(ProcessRoles.Proxy))
        {
            app.CheckProxyListening();
        }

        await app.Services.GetRequiredService<DatabaseStartup>().PrepareAsync(cancellationToken);
        if (roles.HasFlag(ProcessRoles.Runner))
        {
            await app.Services.GetRequiredService<RunnerStartup>().SettleAsync(cancellationToken);
        }

        if (roles.HasFlag(ProcessRoles.Web))
        {
            await app.Services.GetRequiredService<FirstRun>().PrepareAsync(cancellationToken);
            await app.Services.GetRequiredService<SampleApp>().AddAsync(cancellationToken);
        }
    }
}
