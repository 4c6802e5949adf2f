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

    /// <summary>Shows pages for errors outside the API. Stands before sign-in, which asks those pages too who may see them.</summary>
    public static void UseErrorPages(this WebApplication app) =>
        app.UseWhen(IsPage, pages =>
        {
            if (!app.Environment.IsDevelopment())
            {
                pages.UseExceptionHandler("/error", createScopeForErrors: true);
            }

            pages.UseStatusCodePagesWithReExecute("/not-found", createScopeForStatusCodePages: true);
        });

    /// <summary>Maps pages and their assets. The assets are the same for everybody and hold nothing of the installation.</summary>
    public static void MapDashboard(this WebApplication app)
    {
        app.MapStaticAssets().AllowAnonymous();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
    }

    private static bool IsPage(HttpContext context) =>
        !context.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal)
        && !context.Request.Path.StartsWithSegments("/openapi", StringComparison.Ordinal)
        && !context.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal)
        && !context.Request.Path.StartsWithSegments("/hooks", StringComparison.Ordinal)
        && !context.Request.Path.StartsWithSegments("/_blazor", StringComparison.Ordinal);
}
