using Deployer.Core.Deployments;
using Deployer.Core.Logs;

namespace Deployer.Tests.Logs;

/// <summary>What was taken before the store shuts down is written, and its producers are told so.</summary>
public sealed class LogShutdownTests : IAsyncDisposable
{
    private readonly LogTestBed _bed = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Fact]
    public async Task DisposeAsync_LinesQueued_WritesThemFirst()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        var appender = store.Open(deployment, []);
        for (var line = 0; line < 100; line++)
        {
            await appender.AppendAsync(LogStream.System, StepKind.Prepare, "queued", Cancel);
        }

        await store.DisposeAsync();

        Assert.Equal(100, (await _bed.OpenStore().GetExtent(deployment, Cancel))!.Lines);
        var stopped = await Assert.ThrowsAsync<LogStoreException>(() => appender.FlushAsync(Cancel));
        Assert.Equal(LogStoreFault.Stopped, stopped.Fault);
    }

    [Fact]
    public async Task DisposeAsync_MoreQueuedThanTheWriteAheadLogShouldHold_AcknowledgesIt()
    {
        var store = _bed.OpenStore();
        var deployment = await _bed.AddDeploymentAsync();
        using var queued = new ManualResetEventSlim();
        var busy = store.Writer.InvokeAsync(
            _ =>
            {
                queued.Wait(Cancel);
                return 0;
            },
            Cancel);
        var appender = store.Open(deployment, []);
        for (var line = 0; line < 450; line++)
        {
            await appender.AppendAsync(LogStream.System, StepKind.Prepare, new string('x', 15_000), Cancel);
        }

        var durable = appender.FlushAsync(Cancel);
        var disposed = store.DisposeAsync();
        queued.Set();

        await disposed;
        await busy;
        await durable;
        Assert.Equal(450, (await _bed.OpenStore().GetExtent(deployment, Cancel))!.Lines);
    }
}
