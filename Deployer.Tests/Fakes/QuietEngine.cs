using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Deployer.Core.Apps;
using Deployer.Core.Engine;
using Deployer.Core.Logs;
using NodaTime;

namespace Deployer.Tests.Fakes;

/// <summary>
/// An engine in memory which does at once what it is asked, for tests that are about something else. A container says
/// what <see cref="Output"/> holds as it starts, and runs until it is stopped.
/// </summary>
internal sealed class QuietEngine : IContainerEngine
{
    private static readonly string Digest = "sha256:" + new string('a', 64);

    private readonly ConcurrentDictionary<string, ContainerDetails> _containers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _stopped = new(StringComparer.Ordinal);
    private int _lastId;

    public string Endpoint => "quiet://engine";

    /// <summary>When set, every verb raises <see cref="EngineUnreachableException"/>.</summary>
    public bool IsGone { get; set; }

    /// <summary>What containers print as they start, a chunk an entry.</summary>
    public IReadOnlyList<string> Output { get; set; } = [];

    /// <summary>What a pull says, a milestone an entry.</summary>
    public IReadOnlyList<string> Milestones { get; set; } = ["Pulling from web", "Status: Image is up to date"];

    public IEnumerable<ContainerDetails> Containers => _containers.Values;

    /// <summary>Puts a container into the engine that some deployment is thought to have made.</summary>
    public string AddContainer(string name, IReadOnlyDictionary<string, string> labels)
    {
        var id = Interlocked.Increment(ref _lastId).ToString("x64", CultureInfo.InvariantCulture);
        _stopped[id] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _containers[id] = new ContainerDetails(
            id, name, Digest, labels, ContainerStatus.Created, 0, false, "", ContainerHealth.None, null, 0, 0, null,
            new Dictionary<int, int>(), new Dictionary<string, string>(StringComparer.Ordinal));
        return id;
    }

    public Task<EngineInfo> DescribeAsync(CancellationToken cancellationToken) =>
        Task.FromResult(Answer(new EngineInfo("1.0", "1.41", "linux", "amd64", _containers.Count, _containers.Count, 1, "/")));

    public async IAsyncEnumerable<PullEvent> PullAsync(
        ImageReference image, RegistryCredentials? credentials, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        foreach (var milestone in Answer(Milestones))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return new PullEvent(null, milestone, null, null, IsMilestone: true);
        }
    }

    public Task<ImageDetails?> FindImageAsync(string reference, CancellationToken cancellationToken) =>
        Task.FromResult(Answer<ImageDetails?>(
            new ImageDetails(Digest, [$"{reference.Split('@')[0]}@{Digest}"], "linux", "amd64", 1, HasHealthCheck: false, [8080])));

    public Task RemoveImageAsync(string reference, CancellationToken cancellationToken)
    {
        RemovedImages.Enqueue(Answer(reference));
        return Task.CompletedTask;
    }

    public Task<string> CreateContainerAsync(ContainerPlan plan, CancellationToken cancellationToken) =>
        Task.FromResult(Answer(AddContainer(plan.Name, plan.Labels)));

    public Task StartContainerAsync(string containerId, CancellationToken cancellationToken)
    {
        Change(containerId, container => container with { Status = ContainerStatus.Running, StartedAt = Instant.FromUnixTimeSeconds(1) });
        return Task.CompletedTask;
    }

    public Task StopContainerAsync(string containerId, TimeSpan grace, CancellationToken cancellationToken)
    {
        Change(containerId, container => container with { Status = ContainerStatus.Exited });
        _stopped[containerId].TrySetResult();
        return Task.CompletedTask;
    }

    public Task RemoveContainerAsync(string containerId, CancellationToken cancellationToken)
    {
        Answer(_containers.TryRemove(containerId, out _));
        _stopped[containerId].TrySetResult();
        return Task.CompletedTask;
    }

    public Task CheckCredentialsAsync(string host, RegistryCredentials credentials, CancellationToken cancellationToken) =>
        Task.FromResult(Answer(host));

    public Task<UnusedImages> FindUnusedImagesAsync(CancellationToken cancellationToken) => Task.FromResult(Answer(new UnusedImages(0, 0)));

    public Task SetRestartAsync(string containerId, RestartMode mode, CancellationToken cancellationToken) =>
        Task.FromResult(Answer(containerId));

    public Task RenameContainerAsync(string containerId, string name, CancellationToken cancellationToken)
    {
        Change(containerId, container => container with { Name = name });
        return Task.CompletedTask;
    }

    public Task<ContainerDetails?> FindContainerAsync(string idOrName, CancellationToken cancellationToken) =>
        Task.FromResult(Answer(_containers.Values.FirstOrDefault(container => container.Id == idOrName || container.Name == idOrName)));

    public Task<IReadOnlyList<ContainerDetails>> ListContainersAsync(
        IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        Task.FromResult(Answer<IReadOnlyList<ContainerDetails>>(
            [.. _containers.Values.Where(container => labels.All(label => container.Labels.GetValueOrDefault(label.Key) == label.Value))]));

    public async IAsyncEnumerable<OutputChunk> FollowOutputAsync(
        string containerId, int tail, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var chunk in ReadOutputAsync(containerId, tail, cancellationToken))
        {
            yield return chunk;
        }

        await _stopped[containerId].Task.WaitAsync(cancellationToken);
    }

    public async IAsyncEnumerable<OutputChunk> ReadOutputAsync(
        string containerId, int tail, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        foreach (var text in Answer(Output))
        {
            yield return new OutputChunk(LogStream.Stdout, Encoding.UTF8.GetBytes(text));
        }
    }

    public Task EnsureNetworkAsync(string name, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        Task.FromResult(Answer(name));

    /// <summary>What the disk holds.</summary>
    public DiskUse Disk { get; set; } = new(0, 0, 0, 0, []);

    /// <summary>What containers use, a sample an entry.</summary>
    public IReadOnlyList<ContainerSample> Use { get; set; } = [];

    /// <summary>Images that were removed, by the reference given.</summary>
    public ConcurrentQueue<string> RemovedImages { get; } = new();

    public Task<DiskUse> MeasureDiskAsync(CancellationToken cancellationToken) => Task.FromResult(Answer(Disk));

    public async IAsyncEnumerable<ContainerSample> FollowStatsAsync(string containerId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var sample in Answer(Use))
        {
            yield return sample;
        }

        await _stopped[containerId].Task.WaitAsync(cancellationToken);
    }

    private void Change(string containerId, Func<ContainerDetails, ContainerDetails> change) =>
        _containers[containerId] = change(Answer(_containers[containerId]));

    private T Answer<T>(T answer) => IsGone ? throw new EngineUnreachableException(Endpoint, inner: null) : answer;
}
