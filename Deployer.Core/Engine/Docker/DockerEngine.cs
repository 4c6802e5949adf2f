using System.Net;
using Deployer.Core.Apps;
using Docker.DotNet.Models;

namespace Deployer.Core.Engine.Docker;

/// <summary>A Docker engine, reached through its HTTP API.</summary>
/// <param name="endpoint">Address, e.g. <c>unix:///var/run/docker.sock</c>.</param>
/// <param name="time">Clock of the time limits.</param>
internal sealed class DockerEngine(Uri endpoint, TimeProvider time) : IContainerEngine, IDisposable
{
    private static readonly TimeSpan DescribeLimit = TimeSpan.FromSeconds(10);

    private readonly DockerConnection _connection = new(endpoint);
    private readonly DockerDisk _disk = new(endpoint);
    private readonly SemaphoreSlim _networks = new(1, 1);

    /// <inheritdoc/>
    public string Endpoint => _connection.Endpoint;

    /// <inheritdoc/>
    public async Task<EngineInfo> DescribeAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(DescribeLimit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);

        // Both at once: for either the engine runs programs of its own to learn their versions, which takes it a while.
        var versionAsked = _connection.AskAsync(() => _connection.Client.System.GetVersionAsync(both.Token), DockerFailures.OfRequest, cancellationToken);
        var infoAsked = _connection.AskAsync(() => _connection.Client.System.GetSystemInfoAsync(both.Token), DockerFailures.OfRequest, cancellationToken);
        await Task.WhenAll(versionAsked, infoAsked);
        var (version, info) = (await versionAsked, await infoAsked);
        return new EngineInfo(
            version.Version,
            version.APIVersion,
            version.Os,
            version.Arch,
            info.Containers,
            info.ContainersRunning,
            info.Images,
            info.DockerRootDir);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<PullEvent> PullAsync(
        ImageReference image, RegistryCredentials? credentials, CancellationToken cancellationToken) =>
        DockerImages.PullAsync(_connection, image, credentials, cancellationToken);

    /// <inheritdoc/>
    public Task CheckCredentialsAsync(string host, RegistryCredentials credentials, CancellationToken cancellationToken) =>
        _connection.AskAsync(
            () => _connection.Client.System.AuthenticateAsync(
                new AuthConfig { Username = credentials.UserName, Password = credentials.Password, ServerAddress = host }, cancellationToken),
            DockerFailures.OfPull,
            cancellationToken);

    /// <inheritdoc/>
    public async Task<UnusedImages> FindUnusedImagesAsync(CancellationToken cancellationToken)
    {
        var images = await _connection.AskAsync(
            () => _connection.Client.Images.ListImagesAsync(new ImagesListParameters(), cancellationToken), DockerFailures.OfRequest, cancellationToken);
        var containers = await _connection.AskAsync(
            () => _connection.Client.Containers.ListContainersAsync(new ContainersListParameters { All = true }, cancellationToken),
            DockerFailures.OfRequest,
            cancellationToken);
        var used = containers.Select(container => container.ImageID).ToHashSet(StringComparer.Ordinal);
        var unused = images.Where(image => !used.Contains(image.ID)).ToList();
        return new UnusedImages(unused.Count, unused.Sum(image => image.Size));
    }

    /// <inheritdoc/>
    public Task<ImageDetails?> FindImageAsync(string reference, CancellationToken cancellationToken) =>
        DockerImages.FindAsync(_connection, reference, cancellationToken);

    /// <inheritdoc/>
    public async Task RemoveImageAsync(string reference, CancellationToken cancellationToken)
    {
        try
        {
            await _connection.AskAsync(
                () => _connection.Client.Images.DeleteImageAsync(reference, new ImageDeleteParameters { Force = false }, cancellationToken),
                DockerFailures.OfRequest,
                cancellationToken);
        }
        catch (EngineException exception) when (DockerConnection.StatusOf(exception) is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        {
            // Gone, or used by a container.
        }
    }

    /// <inheritdoc/>
    public async Task<string> CreateContainerAsync(ContainerPlan plan, CancellationToken cancellationToken)
    {
        var created = await _connection.AskAsync(
            () => _connection.Client.Containers.CreateContainerAsync(DockerMapping.ToRequest(plan), cancellationToken),
            DockerFailures.OfStart,
            cancellationToken);
        try
        {
            // Engines before API 1.44 take one network at creation, and see only at the start that one is missing.
            foreach (var network in plan.Spec.Networks)
            {
                await _connection.AskAsync(
                    () => _connection.Client.Networks.InspectNetworkAsync(network, cancellationToken), DockerFailures.OfStart, cancellationToken);
                await _connection.AskAsync(
                    () => _connection.Client.Networks.ConnectNetworkAsync(network, new NetworkConnectParameters { Container = created.ID }, cancellationToken),
                    DockerFailures.OfStart,
                    cancellationToken);
            }
        }
        catch
        {
            // The caller never learns the id, so nobody else would remove it; not even a cancel may leave it behind.
            await RemoveContainerAsync(created.ID, CancellationToken.None);
            throw;
        }

        return created.ID;
    }

    /// <inheritdoc/>
    public Task StartContainerAsync(string containerId, CancellationToken cancellationToken) =>
        _connection.AskAsync(
            () => _connection.Client.Containers.StartContainerAsync(containerId, new ContainerStartParameters(), cancellationToken),
            DockerFailures.OfStart,
            cancellationToken);

    /// <inheritdoc/>
    public async Task StopContainerAsync(string containerId, TimeSpan grace, CancellationToken cancellationToken)
    {
        if (grace <= TimeSpan.Zero)
        {
            // The library leaves out a grace of zero, and the engine would take the container's own.
            await KillContainerAsync(containerId, cancellationToken);
            return;
        }

        var parameters = new ContainerStopParameters { WaitBeforeKillSeconds = (uint)Math.Ceiling(grace.TotalSeconds) };
        try
        {
            await _connection.AskAsync(
                () => _connection.Client.Containers.StopContainerAsync(containerId, parameters, cancellationToken),
                DockerFailures.OfRequest,
                cancellationToken);
        }
        catch (EngineException exception) when (DockerConnection.StatusOf(exception) is HttpStatusCode.NotFound)
        {
            // Gone.
        }
    }

    /// <inheritdoc/>
    public async Task RemoveContainerAsync(string containerId, CancellationToken cancellationToken)
    {
        try
        {
            await _connection.AskAsync(
                () => _connection.Client.Containers.RemoveContainerAsync(
                    containerId, new ContainerRemoveParameters { Force = true, RemoveVolumes = true }, cancellationToken),
                DockerFailures.OfRequest,
                cancellationToken);
        }
        catch (EngineException exception) when (DockerConnection.StatusOf(exception) is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        {
            // Gone, or being removed by somebody else.
        }
    }

    /// <inheritdoc/>
    public Task SetRestartAsync(string containerId, RestartMode mode, CancellationToken cancellationToken) =>
        _connection.AskAsync(
            () => _connection.Client.Containers.UpdateContainerAsync(
                containerId, new ContainerUpdateParameters { RestartPolicy = DockerMapping.ToPolicy(mode) }, cancellationToken),
            DockerFailures.OfRequest,
            cancellationToken);

    /// <inheritdoc/>
    public Task RenameContainerAsync(string containerId, string name, CancellationToken cancellationToken) =>
        _connection.AskAsync(
            () => _connection.Client.Containers.RenameContainerAsync(containerId, new ContainerRenameParameters { NewName = name }, cancellationToken),
            DockerFailures.OfRequest,
            cancellationToken);

    /// <inheritdoc/>
    public async Task<ContainerDetails?> FindContainerAsync(string idOrName, CancellationToken cancellationToken)
    {
        try
        {
            return DockerMapping.ToDetails(await _connection.AskAsync(
                () => _connection.Client.Containers.InspectContainerAsync(idOrName, cancellationToken), DockerFailures.OfRequest, cancellationToken));
        }
        catch (EngineException exception) when (DockerConnection.StatusOf(exception) is HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ContainerDetails>> ListContainersAsync(
        IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        // The list has neither exit code nor health; a container may go between the two requests.
        var containers = new List<ContainerDetails>();
        foreach (var entry in await ListAsync(labels, cancellationToken))
        {
            if (await FindContainerAsync(entry.ID, cancellationToken) is { } container)
            {
                containers.Add(container);
            }
        }

        return containers;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ContainerSketch>> GlanceAsync(
        IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        [.. (await ListAsync(labels, cancellationToken)).Select(DockerMapping.ToSketch)];

    /// <inheritdoc/>
    public IAsyncEnumerable<OutputChunk> FollowOutputAsync(string containerId, int tail, CancellationToken cancellationToken) =>
        DockerOutput.FollowAsync(_connection, containerId, tail, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<OutputChunk> ReadOutputAsync(string containerId, int tail, CancellationToken cancellationToken) =>
        DockerOutput.ReadAsync(_connection, containerId, tail, cancellationToken);

    /// <inheritdoc/>
    public async Task EnsureNetworkAsync(string name, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        // Engines before API 1.44 create a second network of the same name when asked twice.
        await _networks.WaitAsync(cancellationToken);
        try
        {
            // The filter matches parts of names.
            var parameters = new NetworksListParameters
            {
                Filters = new Dictionary<string, IDictionary<string, bool>>(StringComparer.Ordinal)
                {
                    ["name"] = new Dictionary<string, bool>(StringComparer.Ordinal) { [name] = true },
                },
            };
            var alike = await _connection.AskAsync(
                () => _connection.Client.Networks.ListNetworksAsync(parameters, cancellationToken), DockerFailures.OfRequest, cancellationToken);
            if (alike.Any(network => string.Equals(network.Name, name, StringComparison.Ordinal)))
            {
                return;
            }

            var network = new NetworksCreateParameters
            {
                Name = name,
                Driver = "bridge",
                Labels = labels.ToDictionary(StringComparer.Ordinal),
            };
            await _connection.AskAsync(() => _connection.Client.Networks.CreateNetworkAsync(network, cancellationToken), DockerFailures.OfRequest, cancellationToken);
        }
        catch (EngineException exception) when (DockerConnection.StatusOf(exception) is HttpStatusCode.Conflict)
        {
            // Another Deployer was faster.
        }
        finally
        {
            _networks.Release();
        }
    }

    /// <inheritdoc/>
    public Task<DiskUse> MeasureDiskAsync(CancellationToken cancellationToken) => _disk.MeasureAsync(cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<ContainerSample> FollowStatsAsync(string containerId, CancellationToken cancellationToken) =>
        DockerStats.FollowAsync(_connection, containerId, cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        _disk.Dispose();
        _connection.Dispose();
        _networks.Dispose();
    }

    private async Task KillContainerAsync(string containerId, CancellationToken cancellationToken)
    {
        try
        {
            await _connection.AskAsync(
                () => _connection.Client.Containers.KillContainerAsync(containerId, new ContainerKillParameters(), cancellationToken),
                DockerFailures.OfRequest,
                cancellationToken);
        }
        catch (EngineException exception) when (DockerConnection.StatusOf(exception) is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        {
            // Gone, or it does not run.
        }
    }

    private Task<IList<ContainerListResponse>> ListAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var parameters = new ContainersListParameters
        {
            All = true,
            Filters = new Dictionary<string, IDictionary<string, bool>>(StringComparer.Ordinal)
            {
                ["label"] = labels.ToDictionary(label => $"{label.Key}={label.Value}", _ => true, StringComparer.Ordinal),
            },
        };
        return _connection.AskAsync(
            () => _connection.Client.Containers.ListContainersAsync(parameters, cancellationToken), DockerFailures.OfRequest, cancellationToken);
    }
}
