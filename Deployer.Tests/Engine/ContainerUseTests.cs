using Deployer.Core.Engine;
using Deployer.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Deployer.Tests.Engine;

/// <summary>Watching what a container uses, where the engine does what a real one cannot be made to do.</summary>
public sealed class ContainerUseTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Watch_EngineFailsInAWayNobodyExpects_BeginsAnewUntilItIsLeft()
    {
        var time = new FakeTimeProvider();
        var engine = new FakeContainerEngine(time);
        using var asked = new SemaphoreSlim(0);
        engine.Before("stats", (_, _) =>
        {
            asked.Release();
            throw new InvalidOperationException("something new");
        });
        var use = new ContainerUse(engine, time, NullLogger<ContainerUse>.Instance);

        var watch = use.Watch("web");
        await asked.WaitAsync(Cancel);
        Assert.True(await watch.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, Cancel));
        do
        {
            time.Advance(TimeSpan.FromSeconds(2));
        }
        while (!await asked.WaitAsync(TimeSpan.FromMilliseconds(20), Cancel));

        watch.Dispose();
        Assert.Equal(0, use.ReaderCount);
    }
}
