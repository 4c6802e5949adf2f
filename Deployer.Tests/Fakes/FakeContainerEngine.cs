using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;

namespace Deployer.Tests.Fakes;

/// <summary>An image in the fake registry, and how a container made from it behaves.</summary>
internal sealed record FakeImage(string Reference)
{
    public string Digest { get; init; } = "sha256:" + new string('a', 64);

    public string Architecture { get; init; } = "amd64";

    public bool HasHealthCheck { get; init; }

    /// <summary>What the engine says while it pulls.</summary>
    public IReadOnlyList<PullEvent> PullEvents { get; init; } =
        [new("0123456789ab", "Pulling fs layer", null, null, true), new("0123456789ab", "Downloading", 10, 20, false), new("0123456789ab", "Pull complete", null, null, true)];

    /// <summary>What a container does when it is started.</summary>
    public Action<FakeContainer> OnStart { get; init; } = _ => { };

    public string Id => "sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Reference)));
}

/// <summary>A container engine in memory, whose images, refusals and delays a test scripts.</summary>
internal sealed class FakeContainerEngine(TimeProvider time) : IContainerEngine
{
    private readonly ConcurrentDictionary<string, FakeImage> _registry = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, FakeImage> _images = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, FakeContainer> _containers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Func<string, CancellationToken, Task>> _before = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _calls = new();
    private int _created;

    public string Endpoint { get; set; } = "unix:///fake/engine.sock";

    /// <summary>Whether the engine does not answer.</summary>
    public bool IsDown { get; set; }

    /// <summary>What was asked, in order: <c>verb subject</c>.</summary>
    public IReadOnlyList<string> Calls => [.. _calls];

    /// <summary>The containers that are there, in the order in which they were created.</summary>
    public IReadOnlyList<FakeContainer> Containers => [.. _containers.Values.OrderBy(container => container.Id, StringComparer.Ordinal)];

    /// <summary>The running container of that name.</summary>
    public FakeContainer Running(string name) => Containers.Single(container => container.Name == name);

    /// <summary>Pushes an image.</summary>
    public FakeImage Push(FakeImage image) => _registry[ImageReference.Parse(image.Reference).PullName] = image;

    /// <summary>Has something happen before a verb is carried out: wait, raise. The verb's subject is given.</summary>
    public void Before(string verb, Func<string, CancellationToken, Task> happens) => _before[verb] = happens;

    /// <summary>Has a verb refused.</summary>
    public void Refuse(string verb, FailureCode code, string message) =>
        Before(verb, (_, _) => throw new EngineException(code, message, null));

    /// <summary>Has nothing more happen before a verb.</summary>
    public void Allow(string verb) => _before.TryRemove(verb, out _);

    public async Task<EngineInfo> DescribeAsync(CancellationToken cancellationToken)
    {
        await BeginAsync("describe", "", cancellationToken);
        return new EngineInfo("20.10.24", "1.41", "linux", "amd64", _containers.Count, 0, _images.Count, "/var/lib/engine");
    }

    public async IAsyncEnumerable<PullEvent> PullAsync(
        ImageReference image, RegistryCredentials? credentials, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        PulledWith.Enqueue(credentials);
        await BeginAsync("pull", image.PullName, cancellationToken);
        if (!_registry.TryGetValue(image.PullName, out var found))
        {
            throw new EngineException(FailureCode.ImageNotFound, $"manifest for {image.PullName} not found", null);
        }

        foreach (var happening in found.PullEvents)
        {
            await BeginAsync("layer", happening.ToLine(), cancellationToken);
            yield return happening;
        }

        _images[image.PullName] = found;
        _images[$"{image.Repository}@{found.Digest}"] = found;
        _images[found.Id] = found;
    }

    /// <summary>Passwords by <c>host user</c> which registries take.</summary>
    public ConcurrentDictionary<string, string> Passwords { get; } = new(StringComparer.Ordinal);

    /// <summary>Credentials that were given with pulls.</summary>
    public ConcurrentQueue<RegistryCredentials?> PulledWith { get; } = new();

    public async Task CheckCredentialsAsync(string host, RegistryCredentials credentials, CancellationToken cancellationToken)
    {
        await BeginAsync("check-credentials", host, cancellationToken);
        if (Passwords.GetValueOrDefault($"{host} {credentials.UserName}") != credentials.Password)
        {
            throw new EngineException(FailureCode.AccessDenied, "unauthorized: incorrect username or password", null);
        }
    }

    public async Task<UnusedImages> FindUnusedImagesAsync(CancellationToken cancellationToken)
    {
        await BeginAsync("unused-images", "", cancellationToken);
        return new UnusedImages(3, 450_000_000);
    }

    public async Task<ImageDetails?> FindImageAsync(string reference, CancellationToken cancellationToken)
    {
        await BeginAsync("find-image", reference, cancellationToken);
        return _images.TryGetValue(reference, out var image)
            ? new ImageDetails(
                image.Id, [$"{ImageReference.Parse(image.Reference).Repository}@{image.Digest}"], "linux", image.Architecture, 1_000_000, image.HasHealthCheck, [8080])
            : null;
    }

    public async Task RemoveImageAsync(string reference, CancellationToken cancellationToken)
    {
        await BeginAsync("remove-image", reference, cancellationToken);
        _images.TryRemove(reference, out _);
    }

    public async Task<string> CreateContainerAsync(ContainerPlan plan, CancellationToken cancellationToken)
    {
        await BeginAsync("create", plan.Name, cancellationToken);
        if (_containers.Values.Any(container => container.Name == plan.Name))
        {
            throw new EngineException(FailureCode.Internal, $"The container name {plan.Name} is already in use", null);
        }

        var id = Interlocked.Increment(ref _created).ToString("x64");
        _containers[id] = new FakeContainer(id, plan);
        return id;
    }

    public async Task StartContainerAsync(string containerId, CancellationToken cancellationToken)
    {
        var container = _containers[containerId];
        await BeginAsync("start", container.Name, cancellationToken);
        if (container.Status == Core.Engine.ContainerStatus.Running)
        {
            return;
        }

        var image = _images[container.Plan.ImageId];
        container.Start(time.Now(), image.HasHealthCheck);
        image.OnStart(container);
    }

    public async Task StopContainerAsync(string containerId, TimeSpan grace, CancellationToken cancellationToken)
    {
        await BeginAsync("stop", NameOf(containerId), cancellationToken);
        if (_containers.TryGetValue(containerId, out var container))
        {
            container.Stop(143);
        }
    }

    public async Task RemoveContainerAsync(string containerId, CancellationToken cancellationToken)
    {
        await BeginAsync("remove", NameOf(containerId), cancellationToken);
        if (_containers.TryRemove(containerId, out var container))
        {
            container.Stop(137);
        }
    }

    public async Task SetRestartAsync(string containerId, RestartMode mode, CancellationToken cancellationToken)
    {
        await BeginAsync("set-restart", $"{NameOf(containerId)} {mode}", cancellationToken);
        _containers[containerId].Restart = mode;
    }

    public async Task RenameContainerAsync(string containerId, string name, CancellationToken cancellationToken)
    {
        await BeginAsync("rename", name, cancellationToken);
        _containers[containerId].Name = name;
    }

    public async Task<ContainerDetails?> FindContainerAsync(string idOrName, CancellationToken cancellationToken)
    {
        await BeginAsync("find", NameOf(idOrName), cancellationToken);
        return Find(idOrName) is { } container ? Describe(container) : null;
    }

    public async Task<IReadOnlyList<ContainerDetails>> ListContainersAsync(
        IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        await BeginAsync("list", "", cancellationToken);
        return [.. Containers
            .Where(container => labels.All(label => container.Plan.Labels.GetValueOrDefault(label.Key) == label.Value))
            .Select(Describe)];
    }

    public async IAsyncEnumerable<OutputChunk> FollowOutputAsync(
        string containerId, int tail, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await BeginAsync("follow", NameOf(containerId), cancellationToken);
        await foreach (var chunk in _containers[containerId].FollowAsync(untilStopped: true, cancellationToken))
        {
            yield return chunk;
        }
    }

    public async IAsyncEnumerable<OutputChunk> ReadOutputAsync(
        string containerId, int tail, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await BeginAsync("read", NameOf(containerId), cancellationToken);
        await foreach (var chunk in _containers[containerId].FollowAsync(untilStopped: false, cancellationToken))
        {
            yield return chunk;
        }
    }

    public Task EnsureNetworkAsync(string name, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        BeginAsync("network", name, cancellationToken);

    public async Task<DiskUse> MeasureDiskAsync(CancellationToken cancellationToken)
    {
        await BeginAsync("measure-disk", "", cancellationToken);
        return new DiskUse(0, 0, 0, 0, []);
    }

    public async IAsyncEnumerable<ContainerSample> FollowStatsAsync(string containerId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await BeginAsync("stats", NameOf(containerId), cancellationToken);
        yield break;
    }

    private async Task BeginAsync(string verb, string subject, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _calls.Enqueue($"{verb} {subject}".TrimEnd());
        if (_before.TryGetValue(verb, out var happens))
        {
            await happens(subject, cancellationToken);
        }

        if (IsDown)
        {
            throw new EngineUnreachableException(Endpoint, null);
        }
    }

    private FakeContainer? Find(string idOrName) =>
        _containers.TryGetValue(idOrName, out var byId) ? byId : _containers.Values.FirstOrDefault(container => container.Name == idOrName);

    private string NameOf(string idOrName) => Find(idOrName)?.Name ?? idOrName;

    private static ContainerDetails Describe(FakeContainer container) => container.Describe(
        container.Plan.Spec.Ports.Where(port => port.Host is not null)
            .ToDictionary(port => port.Container, port => port.Host is > 0 and { } host ? host : 49152 + port.Container));
}
