using Deployer.Core.Apps;

namespace Deployer.Core.Engine;

/// <summary>
/// What Deployer asks of a container engine. Every verb raises <see cref="EngineUnreachableException"/> when the engine
/// does not answer and <see cref="EngineException"/> when it refuses; what is not there is a value, not an exception.
/// </summary>
public interface IContainerEngine
{
    /// <summary>Address of the engine, as shown to people.</summary>
    string Endpoint { get; }

    /// <summary>What the engine is and holds.</summary>
    Task<EngineInfo> DescribeAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Pulls an image and yields what happens in the order in which the engine says it, milestones and byte progress.
    /// Ends normally only when the engine confirmed the image. Cancelling stops the engine's download.
    /// </summary>
    /// <exception cref="EngineException">The pull failed; <see cref="EngineException.Code"/> says how.</exception>
    IAsyncEnumerable<PullEvent> PullAsync(ImageReference image, RegistryCredentials? credentials, CancellationToken cancellationToken);

    /// <summary>Asks a registry whether it takes credentials; returns when it does.</summary>
    /// <param name="host">Registry host, with port where it has one.</param>
    /// <param name="credentials">The credentials.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="EngineException">It does not; <see cref="EngineException.Code"/> says why.</exception>
    Task CheckCredentialsAsync(string host, RegistryCredentials credentials, CancellationToken cancellationToken);

    /// <summary>How much could be had by removing the images that no container uses.</summary>
    Task<UnusedImages> FindUnusedImagesAsync(CancellationToken cancellationToken);

    /// <summary>Looks at an image the engine holds; <see langword="null"/> when it holds none of that name.</summary>
    /// <param name="reference">Name with tag or digest, or an image id.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    Task<ImageDetails?> FindImageAsync(string reference, CancellationToken cancellationToken);

    /// <summary>Removes an image's name, and its layers when nothing uses them. No error when it is gone or in use.</summary>
    Task RemoveImageAsync(string reference, CancellationToken cancellationToken);

    /// <summary>Creates a container without starting it.</summary>
    /// <returns>Its id.</returns>
    Task<string> CreateContainerAsync(ContainerPlan plan, CancellationToken cancellationToken);

    /// <summary>Starts a container; no error when it runs already.</summary>
    Task StartContainerAsync(string containerId, CancellationToken cancellationToken);

    /// <summary>Sends the stop signal and kills after the grace, at once where that is zero; no error when it is stopped or gone.</summary>
    Task StopContainerAsync(string containerId, TimeSpan grace, CancellationToken cancellationToken);

    /// <summary>Removes a container and its anonymous volumes, by force; no error when it is gone.</summary>
    Task RemoveContainerAsync(string containerId, CancellationToken cancellationToken);

    /// <summary>Sets what the engine does when a container exits by itself.</summary>
    Task SetRestartAsync(string containerId, RestartMode mode, CancellationToken cancellationToken);

    /// <summary>Renames a container, running or not.</summary>
    Task RenameContainerAsync(string containerId, string name, CancellationToken cancellationToken);

    /// <summary>Looks at a container by id or name; <see langword="null"/> when there is none.</summary>
    Task<ContainerDetails?> FindContainerAsync(string idOrName, CancellationToken cancellationToken);

    /// <summary>All containers, running or not, that carry every one of the labels.</summary>
    Task<IReadOnlyList<ContainerDetails>> ListContainersAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken);

    /// <summary>
    /// The same containers as <see cref="ListContainersAsync"/> finds, with no more of each than a list tells: for hundreds
    /// at once, where an engine can answer that in one go.
    /// </summary>
    async Task<IReadOnlyList<ContainerSketch>> GlanceAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        [.. (await ListContainersAsync(labels, cancellationToken)).Select(container =>
            new ContainerSketch(container.Id, container.Name, container.Labels, container.Status, container.Health))];

    /// <summary>
    /// Follows a container's output from <paramref name="tail"/> lines back, raw chunks in the engine's order, until the
    /// container stops or the engine ends the stream (which does not mean that it stopped: look again).
    /// </summary>
    IAsyncEnumerable<OutputChunk> FollowOutputAsync(string containerId, int tail, CancellationToken cancellationToken);

    /// <summary>The container's last lines of output, as <see cref="FollowOutputAsync"/> but ending at once.</summary>
    IAsyncEnumerable<OutputChunk> ReadOutputAsync(string containerId, int tail, CancellationToken cancellationToken);

    /// <summary>Makes sure that a bridge network of that name exists.</summary>
    Task EnsureNetworkAsync(string name, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken);

    /// <summary>What the engine's data takes on its disk, and the images. Takes the engine a while where it holds much.</summary>
    Task<DiskUse> MeasureDiskAsync(CancellationToken cancellationToken);

    /// <summary>
    /// A running container's use of processor and memory, about once a second, until it stops, is removed, or the engine
    /// ends the stream.
    /// </summary>
    IAsyncEnumerable<ContainerSample> FollowStatsAsync(string containerId, CancellationToken cancellationToken);
}
