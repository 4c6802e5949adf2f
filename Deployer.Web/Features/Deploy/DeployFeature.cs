using Deployer.Web.Features.Home;

namespace Deployer.Web.Features.Deploy;

/// <summary>Registers what the home page and the dialogs need.</summary>
internal static class DeployFeature
{
    /// <summary>Registers it.</summary>
    public static void AddDeploy(this IServiceCollection services)
    {
        services.AddScoped<DeployLauncher>();
        services.AddSingleton<AppAddress>();
    }
}
