namespace Deployer.Core.Deployments;

/// <summary>How Deployer names and labels what it creates in an engine.</summary>
/// <param name="App">Name of the app.</param>
/// <param name="Number">Number of the deployment within the app.</param>
/// <param name="DeploymentId">Id of the deployment.</param>
internal sealed record ContainerNames(string App, int Number, long DeploymentId)
{
    /// <summary>Label with the name of the app.</summary>
    public const string AppLabel = "deployer.app";

    /// <summary>Label with the id of the deployment.</summary>
    public const string DeploymentLabel = "deployer.deployment";

    /// <summary>Label with the id of the Deployer installation, so that several may share an engine.</summary>
    public const string InstanceLabel = "deployer.instance";

    /// <summary>Name of the container.</summary>
    public string Container => $"deployer-{App}-{Number}";

    /// <summary>
    /// Name of the container where another installation on the same engine, or somebody by hand, has taken
    /// <see cref="Container"/>.
    /// </summary>
    public string ContainerOf(string instance) => $"{Container}-{instance[..8]}";

    /// <summary>Name of the network which the apps of an environment share.</summary>
    public static string Network(string environment) => $"deployer-{environment}";

    /// <summary>Labels which every container of an installation carries.</summary>
    public static Dictionary<string, string> OfInstance(string instance) =>
        new(StringComparer.Ordinal) { [InstanceLabel] = instance };

    /// <summary>Labels which every container of an app carries.</summary>
    public static Dictionary<string, string> OfApp(string instance, string app) =>
        new(StringComparer.Ordinal) { [InstanceLabel] = instance, [AppLabel] = app };

    /// <summary>Labels of the container of this deployment.</summary>
    public Dictionary<string, string> Labels(string instance) =>
        new(StringComparer.Ordinal)
        {
            [InstanceLabel] = instance,
            [AppLabel] = App,
            [DeploymentLabel] = DeploymentId.ToString(System.Globalization.CultureInfo.InvariantCulture),
        };

    /// <summary>Id of the deployment that made a container; <see langword="null"/> when its label says none.</summary>
    public static long? DeploymentOf(Engine.ContainerDetails container) => DeploymentOf(container.Labels);

    /// <summary>Id of the deployment that labels speak of; <see langword="null"/> when they speak of none.</summary>
    public static long? DeploymentOf(IReadOnlyDictionary<string, string> labels) =>
        labels.TryGetValue(DeploymentLabel, out var text)
        && long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var id)
            ? id
            : null;
}
