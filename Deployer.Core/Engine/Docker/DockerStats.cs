using System.Net;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Docker.DotNet.Models;
using NodaTime;

namespace Deployer.Core.Engine.Docker;

/// <summary>Follows what containers use. A container that is gone or stopped uses nothing.</summary>
internal static class DockerStats
{
    /// <inheritdoc cref="IContainerEngine.FollowStatsAsync"/>
    public static async IAsyncEnumerable<ContainerSample> FollowAsync(
        DockerConnection connection, string containerId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var samples = new Samples();
        var follow = FollowIntoAsync(connection, containerId, samples, stop.Token);
        try
        {
            await foreach (var sample in samples.Reader.ReadAllAsync(cancellationToken))
            {
                if (IsStopped(sample))
                {
                    yield break;
                }

                yield return ToSample(sample);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await follow;
        }
    }

    /// <summary>Reads the library's answer; internal for tests.</summary>
    internal static ContainerSample ToSample(ContainerStatsResponse stats)
    {
        // Docker's own command line counts so: the share of the machine's time since the sample before, times its
        // processors. The first sample has nothing before it, and would show the average since the container began.
        var before = stats.PreCPUStats?.CPUUsage?.TotalUsage ?? 0;
        var machine = (double)(stats.CPUStats?.SystemUsage ?? 0) - (stats.PreCPUStats?.SystemUsage ?? 0);
        var used = (double)(stats.CPUStats?.CPUUsage?.TotalUsage ?? 0) - before;
        var processors = stats.CPUStats?.OnlineCPUs ?? (uint)(stats.CPUStats?.CPUUsage?.PercpuUsage?.Count ?? 1);
        return new ContainerSample(
            Instant.FromDateTimeUtc(DateTime.SpecifyKind(stats.Read, DateTimeKind.Utc)),
            before == 0 || machine <= 0 ? null : Math.Max(0, used / machine * processors),
            (long)((stats.MemoryStats?.Usage ?? 0) - GivenUp(stats.MemoryStats)),
            (long)Math.Min(stats.MemoryStats?.Limit ?? 0, long.MaxValue));
    }

    // A container that does not run has samples too, without use and without a machine.
    private static bool IsStopped(ContainerStatsResponse stats) => (stats.CPUStats?.SystemUsage ?? 0) == 0 || (stats.MemoryStats?.Usage ?? 0) == 0;

    // Page cache that the kernel takes back first: "inactive_file" under cgroup v2, "total_inactive_file" under v1.
    private static ulong GivenUp(MemoryStats? memory) =>
        memory?.Stats is { } stats && (stats.TryGetValue("total_inactive_file", out var cache) || stats.TryGetValue("inactive_file", out cache)) && cache < memory.Usage
            ? cache
            : 0;

    // Never throws: what went wrong ends the samples.
    private static async Task FollowIntoAsync(
        DockerConnection connection, string containerId, Samples samples, CancellationToken cancellationToken)
    {
        try
        {
            await connection.AskAsync(
                () => connection.Client.Containers.GetContainerStatsAsync(containerId, new ContainerStatsParameters { Stream = true }, samples, cancellationToken),
                DockerFailures.OfRequest,
                cancellationToken);
            samples.Complete(failure: null);
        }
        catch (EngineException exception) when (DockerConnection.StatusOf(exception) is HttpStatusCode.NotFound)
        {
            samples.Complete(failure: null);
        }
        catch (Exception exception)
        {
            samples.Complete(exception);
        }
    }

    // A reader that is behind wants the newest.
    private sealed class Samples : IProgress<ContainerStatsResponse>
    {
        private readonly Channel<ContainerStatsResponse> _samples = Channel.CreateBounded<ContainerStatsResponse>(
            new BoundedChannelOptions(4) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

        public ChannelReader<ContainerStatsResponse> Reader => _samples.Reader;

        public void Complete(Exception? failure) => _samples.Writer.TryComplete(failure);

        public void Report(ContainerStatsResponse value) => _samples.Writer.TryWrite(value);
    }
}
