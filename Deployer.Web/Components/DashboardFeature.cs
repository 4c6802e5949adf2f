using Deployer.Web.Components.Time;
using Microsoft.AspNetCore.Components.Server.Circuits;
using MudBlazor;
using MudBlazor.Services;

namespace Deployer.Web.Components;

/// <summary>Registers and maps the dashboard: Blazor, its assets, its error pages.</summary>
internal static class DashboardFeature
{
    /// <summary>Registers Blazor, MudBlazor and what pages share.</summary>
    public static void AddDashboard(this WebApplicationBuilder builder)
    {
        // A build that was not published serves the assets from where they lie, in any environment.
        builder.WebHost.UseStaticWebAssets();
        builder.Services.AddRazorComponents().AddInteractiveServerComponents(circuits =>
        {
            // A tab that went away keeps its circuit for a while; few and not for long, so that no idle reader costs.
            circuits.DisconnectedCircuitMaxRetained = 50;
            circuits.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(2);
        });
        builder.Services.AddMudServices(mud =>
        {
            mud.SnackbarConfiguration.PositionClass = Defaults.Classes.Position.BottomRight;
            mud.SnackbarConfiguration.VisibleStateDuration = 6000;
            mud.SnackbarConfiguration.ShowTransitionDuration = 150;
            mud.SnackbarConfiguration.HideTransitionDuration = 150;
        });
        builder.Services.AddHttpContextAccessor();
        builder.Services.AddScoped<CircuitPresence>();
        builder.Services.AddScoped<CircuitHandler>(circuit => circuit.GetRequiredService<CircuitPresence>());
        builder.Services.AddScoped<LiveReload>();
    }

    /// <summary>
    /// Shows a page for an address that leads nowhere and for a fault. Comes before whatever answers errors of the API,
    /// which then has the first word on those.
    /// </summary>
    public static void UseErrorPages(this WebApplication app)
    {
        if (!app.Environment.IsDevelopment())
        {
            app.UseExceptionHandler(new ExceptionHandlerOptions
            {
                ExceptionHandlingPath = "/error",
                CreateScopeForErrors = true,

                // A form that was made up by hand is no fault of ours.
                StatusCodeSelector = exception => exception is BadHttpRequestException wrong ? wrong.StatusCode : StatusCodes.Status500InternalServerError,
            });
        }

        app.UseStatusCodePagesWithReExecute("/not-found", createScopeForStatusCodePages: true);
    }

    /// <summary>Maps pages and their assets. The assets are the same for everybody and hold nothing of the installation.</summary>
    public static void MapDashboard(this WebApplication app)
    {
        app.MapStaticAssets().AllowAnonymous();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
    }
}
