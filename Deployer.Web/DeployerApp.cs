namespace Deployer.Web;

/// <summary>Puts the application together: every feature registers and maps itself.</summary>
public static class DeployerApp
{
    /// <summary>Registers every feature.</summary>
    public static void AddDeployer(this WebApplicationBuilder builder)
    {
        builder.Services.AddOpenApi();
    }

    /// <summary>Maps every feature.</summary>
    public static void MapDeployer(this WebApplication app)
    {
        app.MapOpenApi();
    }
}
