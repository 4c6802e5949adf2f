using System.Text;
using Deployer.Core.Engine;
using Deployer.Core.Logs;
using NodaTime;

namespace Deployer.Tests.Fakes;

/// <summary>A container of the <see cref="FakeContainerEngine"/>; a test moves it as a program would.</summary>
internal sealed class FakeContainer(string id, ContainerPlan plan)
{
    private readonly Lock _gate = new();
    private readonly List<(LogStream Stream, byte[] Bytes)> _output = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Id => id;

    public ContainerPlan Plan => plan;

    public string Name { get; set; } = plan.Name;

    public Core.Apps.RestartMode Restart { get; set; } = plan.Spec.Restart;

    public ContainerStatus Status { get; private set; } = ContainerStatus.Created;

    public long ExitCode { get; private set; }

    public bool OutOfMemory { get; private set; }

    public ContainerHealth Health { get; private set; }

    public string? HealthOutput { get; private set; }

    public int FailingStreak { get; private set; }

    public long RestartCount { get; private set; }

    public Instant? StartedAt { get; private set; }

    /// <summary>It writes a line.</summary>
    public void Write(LogStream stream, string line)
    {
        lock (_gate)
        {
            _output.Add((stream, Encoding.UTF8.GetBytes(line + "\n")));
            Ring();
        }
    }

    /// <summary>It ends by itself.</summary>
    public void Exit(long code, bool outOfMemory = false) => Change(() =>
    {
        Status = ContainerStatus.Exited;
        ExitCode = code;
        OutOfMemory = outOfMemory;
    });

    /// <summary>Its health check says something.</summary>
    public void Report(ContainerHealth health, int failingStreak, string? output) => Change(() =>
    {
        Health = health;
        FailingStreak = failingStreak;
        HealthOutput = output;
    });

    internal void Start(Instant now, bool hasHealthCheck) => Change(() =>
    {
        Status = ContainerStatus.Running;
        StartedAt = now;
        Health = hasHealthCheck ? ContainerHealth.Starting : ContainerHealth.None;
    });

    internal void Stop(long code) => Change(() =>
    {
        if (Status is ContainerStatus.Running)
        {
            Status = ContainerStatus.Exited;
            ExitCode = code;
        }
    });

    internal ContainerDetails Describe(IReadOnlyDictionary<int, int> ports)
    {
        lock (_gate)
        {
            return new ContainerDetails(
                id, Name, plan.ImageId, plan.Labels, Status, ExitCode, OutOfMemory, "", Health, HealthOutput, FailingStreak,
                RestartCount, StartedAt, Status == ContainerStatus.Running ? ports : new Dictionary<int, int>(),
                Status == ContainerStatus.Running && plan.Network is { } network
                    ? new Dictionary<string, string>(StringComparer.Ordinal) { [network] = "10.0.0.2" }
                    : new Dictionary<string, string>(StringComparer.Ordinal));
        }
    }

    internal async IAsyncEnumerable<OutputChunk> FollowAsync(
        bool untilStopped, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var next = 0;
        while (true)
        {
            (LogStream Stream, byte[] Bytes)[] fresh;
            Task changed;
            bool over;
            lock (_gate)
            {
                fresh = [.. _output.Skip(next)];
                changed = _changed.Task;
                over = !untilStopped || Status != ContainerStatus.Running;
            }

            next += fresh.Length;
            foreach (var (stream, bytes) in fresh)
            {
                yield return new OutputChunk(stream, bytes);
            }

            if (over)
            {
                yield break;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    private void Change(Action change)
    {
        lock (_gate)
        {
            change();
            Ring();
        }
    }

    private void Ring()
    {
        _changed.TrySetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
