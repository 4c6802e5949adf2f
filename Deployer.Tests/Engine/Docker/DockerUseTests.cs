using System.Text.Json;
using Deployer.Core.Engine;
using Deployer.Core.Engine.Docker;
using Docker.DotNet.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace Deployer.Tests.Engine.Docker;

/// <summary>What a real engine says of the use of processor, memory and disk.</summary>
[Collection(DockerTests.Name)]
public sealed class DockerUseTests(TestEngine docker) : IAsyncDisposable
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => docker.TidyUpAsync();

    [Fact]
    public async Task FollowStats_BusyContainer_FirstSampleHasNoProcessorAndTheNextItsShare()
    {
        var plan = await docker.PlanAsync("web", "v1", "sh", "-c", "while :; do :; done");
        var id = await docker.StartAsync(plan with { Spec = plan.Spec with { MemoryMb = 64, Cpus = 0.2 } });
        var samples = new List<ContainerSample>();
        await foreach (var sample in docker.Engine.FollowStatsAsync(id, Cancel))
        {
            samples.Add(sample);
            if (samples.Count == 4)
            {
                break;
            }
        }

        Assert.Null(samples[0].Cores);
        Assert.All(samples[1..], sample => Assert.InRange(sample.Cores!.Value, 0.01, 0.6));
        Assert.All(samples, sample => Assert.InRange(sample.MemoryBytes, 1, 64L * 1024 * 1024));
        Assert.All(samples, sample => Assert.Equal(64L * 1024 * 1024, sample.MemoryLimitBytes));
        Assert.Equal(samples.Select(sample => sample.At).Order(), samples.Select(sample => sample.At));
    }

    [Fact]
    public async Task FollowStats_ContainerStops_Ends()
    {
        var id = await docker.StartAsync(await docker.PlanAsync("web", "v1"));
        var count = 0;
        await foreach (var _ in docker.Engine.FollowStatsAsync(id, Cancel))
        {
            if (++count == 1)
            {
                await docker.Engine.StopContainerAsync(id, TimeSpan.Zero, Cancel);
            }
        }

        Assert.True(count >= 1);
    }

    [Fact]
    public async Task FollowStats_NoSuchContainer_IsEmpty()
    {
        await foreach (var sample in docker.Engine.FollowStatsAsync("nosuchcontainer", Cancel))
        {
            Assert.Fail($"There is nothing to measure, but {sample} came.");
        }
    }

    [Fact]
    public async Task ContainerUse_TwoWatchers_ShareOneReaderUntilTheLastLeaves()
    {
        var use = new ContainerUse(docker.Engine, TimeProvider.System, NullLogger<ContainerUse>.Instance);
        var id = await docker.StartAsync(await docker.PlanAsync("web", "v1"));
        var one = use.Watch(id);
        using (var other = use.Watch(id))
        {
            while (other.Samples.Count < 2)
            {
                await other.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, Cancel);
            }

            Assert.Equal(1, use.ReaderCount);
            Assert.True(one.Samples.Count >= 2);
        }

        Assert.Equal(1, use.ReaderCount);
        one.Dispose();
        Assert.Equal(0, use.ReaderCount);
    }

    [Fact]
    public async Task MeasureDisk_ContainerOfAnImage_CountsBoth()
    {
        var plan = await docker.PlanAsync("web", "v1");
        await docker.CreateAsync(plan);

        var disk = await docker.Engine.MeasureDiskAsync(Cancel);

        var image = Assert.Single(disk.Images, image => image.Names.Contains(plan.ImageId));
        Assert.True(image.Containers >= 1);
        Assert.InRange(image.OwnBytes, 0, image.Bytes);
        Assert.InRange(image.Bytes, 1, disk.ImageBytes);
        Assert.Equal((await docker.Engine.FindImageAsync(plan.ImageId, Cancel))!.Id, image.Id);
        Assert.Equal(disk.Images.OrderByDescending(held => held.CreatedAt).Select(held => held.CreatedAt), disk.Images.Select(held => held.CreatedAt));
    }

    [Fact]
    public async Task MeasureDisk_EngineAway_SaysSo()
    {
        using var away = (IDisposable)TestEngine.Connect("unix:///tmp/deployer-no-such-engine.sock");

        await Assert.ThrowsAsync<EngineUnreachableException>(() => ((IContainerEngine)away).MeasureDiskAsync(Cancel));
    }

    [Fact]
    public void ReadDisk_NewestEngine_ReadsTheKindsAsItGivesThem()
    {
        const string Answer =
            """
            {"ImageUsage":{"TotalSize":100,"Items":[{"Id":"sha256:a","RepoTags":["web:v1"],"Created":1700000000,"Size":60,"SharedSize":20,"Containers":1},
            {"Id":"sha256:b","RepoTags":null,"Created":1700000001,"Size":30,"SharedSize":-1,"Containers":-1}]},
            "ContainerUsage":{"TotalSize":3},"VolumeUsage":{"TotalSize":5},"BuildCacheUsage":{"TotalSize":7}}
            """;

        var disk = DockerDisk.Read(JsonDocument.Parse(Answer).RootElement);

        Assert.Equal((100, 3, 5, 7), (disk.ImageBytes, disk.ContainerBytes, disk.VolumeBytes, disk.BuildCacheBytes));
        Assert.Equal(["sha256:b", "sha256:a"], disk.Images.Select(image => image.Id));
        Assert.Equal([(30, 0), (40, 1)], disk.Images.Select(image => ((int)image.OwnBytes, image.Containers)));
    }

    [Theory]
    [InlineData(0, 0, null)]
    [InlineData(1000, 500, 1.0)]
    public void ToSample_FirstAndNext_CountsFromTheSampleBefore(int before, int machineBefore, double? cores)
    {
        var stats = new ContainerStatsResponse
        {
            Read = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc),
            CPUStats = new CPUStats { CPUUsage = new CPUUsage { TotalUsage = 1500 }, SystemUsage = 1500, OnlineCPUs = 2 },
            PreCPUStats = new CPUStats { CPUUsage = new CPUUsage { TotalUsage = (ulong)before }, SystemUsage = (ulong)machineBefore },
            MemoryStats = new MemoryStats { Usage = 100, Limit = 200, Stats = new Dictionary<string, ulong>(StringComparer.Ordinal) { ["inactive_file"] = 30 } },
        };

        var sample = DockerStats.ToSample(stats);

        Assert.Equal(cores, sample.Cores);
        Assert.Equal((70, 200), (sample.MemoryBytes, sample.MemoryLimitBytes));
    }
}
