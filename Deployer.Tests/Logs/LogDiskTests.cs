using System.Diagnostics;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;

namespace Deployer.Tests.Logs;

/// <summary>The log store on a file system of a few megabytes that is really full.</summary>
public sealed class LogDiskTests : IAsyncLifetime
{
    private readonly string _mount = Directory.CreateTempSubdirectory("deployer-small-").FullName;
    private LogTestBed _bed = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Ballast => Path.Combine(_mount, "ballast");

    public async ValueTask InitializeAsync()
    {
        await RunAsync("mount", "-t", "tmpfs", "-o", "size=24m", "deployer-small", _mount);
        _bed = new LogTestBed(_mount);
    }

    public async ValueTask DisposeAsync()
    {
        File.Delete(Ballast);
        await _bed.DisposeAsync();
        await RunAsync("umount", _mount);
        Directory.Delete(_mount);
    }

    [Fact]
    public async Task Append_DiskFull_ReachesTheProducerAndEarlierLinesStay()
    {
        var store = _bed.OpenStore(TimeProvider.System, new LogOptions { WritePatienceSeconds = 0 });
        var deployment = await _bed.AddDeploymentAsync();
        await store.AppendLog(deployment, LogStream.System, StepKind.Prepare, "first", Cancel);
        Fill();

        var fault = await Assert.ThrowsAsync<LogStoreException>(() => AppendAsync(store, deployment));

        Assert.Equal(LogStoreFault.DiskFull, fault.Fault);
        var (first, last) = ((await store.GetLogsRange(deployment, 1, 1, Cancel))!.Lines[0], (await store.GetExtent(deployment, Cancel))!.Lines);
        Assert.Equal("first", first.Text);
        File.Delete(Ballast);
        await store.AppendLog(deployment, LogStream.System, StepKind.Prepare, "after", Cancel);
        Assert.Equal(last + 1, (await store.GetExtent(deployment, Cancel))!.Lines);
    }

    [Fact]
    public async Task Append_DiskFullForAMoment_HoldsTheProducerAndLosesNothing()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        Fill();
        var append = AppendAsync(store, deployment);

        // A line that is durable would be readable: none is while the disk is full, and the producer waits.
        await Task.WhenAny(append, StuckAsync(store, deployment));
        Assert.False(append.IsCompleted);
        File.Delete(Ballast);
        await append;

        Assert.Equal(200, (await store.GetExtent(deployment, Cancel))!.Lines);
    }

    private static async Task AppendAsync(LogStore store, long deployment)
    {
        await using var appender = store.Open(deployment, []);
        for (var line = 1; line <= 200; line++)
        {
            await appender.AppendAsync(LogStream.Stdout, StepKind.Start, new string('x', 5_000), Cancel);
            await appender.FlushAsync(Cancel);
        }
    }

    /// <summary>Completes when the log has not grown between a hundred looks.</summary>
    private static async Task StuckAsync(LogStore store, long deployment)
    {
        for (var (same, last) = (0, -1L); same < 100;)
        {
            var lines = (await store.GetExtent(deployment, Cancel))!.Lines;
            (same, last) = (lines == last ? same + 1 : 0, lines);
            await Task.Yield();
        }
    }

    private void Fill()
    {
        using var file = File.Create(Ballast);
        var block = new byte[4096];
        try
        {
            while (true)
            {
                file.Write(block);
                file.Flush();
            }
        }
        catch (IOException)
        {
            // That is all there was.
        }
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments))!;
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(0, process.ExitCode);
    }
}
