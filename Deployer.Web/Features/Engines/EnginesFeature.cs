namespace Deployer.Web.Features.Engines;

/// <summary>Registers what pages know of the engine.</summary>
internal static class EnginesFeature
{
    /// <summary>Registers the probe.</summary>
    public static void AddEngines(this WebApplicationBuilder builder) =>
        builder.Services.AddSingleton<EngineProbe>();
}
