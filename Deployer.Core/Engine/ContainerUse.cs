using Deployer.Core.Deployments;
using Microsoft.Extensions.Logging;

namespace Deployer.Core.Engine;

/// <summary>
/// What containers use, read once for each container while anybody watches it, and by nobody else: the engine pays for
/// every reader. Lives in memory; who comes first sees the curve grow.
/// </summary>
public sealed partial class ContainerUse(IContainerEngine engine, TimeProvider time, ILogger<ContainerUse> logger)
{
    /// <summary>How many samples are kept of a container: two minutes.</summary>
    public const int Kept = 120;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Reader> _readers = new(StringComparer.Ordinal);

    /// <summary>How many containers are read now.</summary>
    public int ReaderCount
    {
        get
        {
            lock (_gate)
            {
                return _readers.Count;
            }
        }
    }

    /// <summary>Watches a container until the watch is disposed.</summary>
    public ContainerWatch Watch(string containerId)
    {
        lock (_gate)
        {
            if (!_readers.TryGetValue(containerId, out var reader))
            {
                reader = new Reader();
                _readers.Add(containerId, reader);
                _ = Task.Run(() => ReadAsync(containerId, reader));
            }

            var bell = new FeedSubscription(leaving => Leave(containerId, reader, leaving));
            reader.Bells.Add(bell);
            return new ContainerWatch(bell, () => Snapshot(reader));
        }
    }

    private IReadOnlyList<ContainerSample> Snapshot(Reader reader)
    {
        lock (_gate)
        {
            return [.. reader.Samples];
        }
    }

    private void Leave(string containerId, Reader reader, FeedSubscription bell)
    {
        lock (_gate)
        {
            reader.Bells.Remove(bell);
            if (reader.Bells.Count > 0 || !_readers.TryGetValue(containerId, out var current) || current != reader)
            {
                return;
            }

            _readers.Remove(containerId);
        }

        reader.Stop.Cancel();
    }

    private async Task ReadAsync(string containerId, Reader reader)
    {
        var stop = reader.Stop.Token;
        try
        {
            while (true)
            {
                await FollowAsync(containerId, reader, stop);

                // It stopped, or the engine is away: what is shown ends here, and begins anew when it runs again.
                Take(reader, sample: null);
                await Task.Delay(Pause, time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Nobody watches any more.
        }
        finally
        {
            reader.Stop.Dispose();
        }
    }

    private async Task FollowAsync(string containerId, Reader reader, CancellationToken stop)
    {
        try
        {
            await foreach (var sample in engine.FollowStatsAsync(containerId, stop))
            {
                Take(reader, sample);
            }
        }
        catch (EngineException exception)
        {
            LogEngineAway(containerId, exception.Message);
        }
        catch (Exception exception) when (!stop.IsCancellationRequested)
        {
            LogReaderFailed(exception, containerId);
        }
    }

    private void Take(Reader reader, ContainerSample? sample)
    {
        lock (_gate)
        {
            if (sample is null)
            {
                reader.Samples.Clear();
            }
            else
            {
                reader.Samples.Enqueue(sample);
                if (reader.Samples.Count > Kept)
                {
                    reader.Samples.Dequeue();
                }
            }

            reader.Bells.ForEach(bell => bell.Wake());
        }
    }

    [LoggerMessage(LogLevel.Debug, "The use of container {ContainerId} cannot be read: {Message}")]
    private partial void LogEngineAway(string containerId, string message);

    [LoggerMessage(LogLevel.Error, "Reading the use of container {ContainerId} failed; it begins anew")]
    private partial void LogReaderFailed(Exception exception, string containerId);

    private sealed class Reader
    {
        public List<FeedSubscription> Bells { get; } = [];

        public Queue<ContainerSample> Samples { get; } = new();

        public CancellationTokenSource Stop { get; } = new();
    }
}

/// <summary>Somebody's look at what a container uses; ends when disposed.</summary>
public sealed class ContainerWatch : IDisposable
{
    private readonly FeedSubscription _bell;
    private readonly Func<IReadOnlyList<ContainerSample>> _read;

    internal ContainerWatch(FeedSubscription bell, Func<IReadOnlyList<ContainerSample>> read)
    {
        _bell = bell;
        _read = read;
    }

    /// <summary>The last samples, oldest first; empty while the container does not run.</summary>
    public IReadOnlyList<ContainerSample> Samples => _read();

    /// <inheritdoc cref="FeedSubscription.WaitAsync"/>
    public Task<bool> WaitAsync(TimeSpan floor, TimeProvider time, CancellationToken cancellationToken) => _bell.WaitAsync(floor, time, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _bell.Dispose();
}
