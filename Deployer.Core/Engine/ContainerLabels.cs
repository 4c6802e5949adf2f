namespace Deployer.Core.Engine;

/// <summary>Labels that Deployer puts on what it makes in an engine, so that it finds it again after a crash.</summary>
public static class ContainerLabels
{
    /// <summary>Name of the app.</summary>
    public const string App = "deployer.app";

    /// <summary>Id of the deployment that made it.</summary>
    public const string Deployment = "deployer.deployment";
}
