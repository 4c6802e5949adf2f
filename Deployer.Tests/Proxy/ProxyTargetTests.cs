using Deployer.Core.Routing;
using Deployer.Web.Features.Proxy;

namespace Deployer.Tests.Proxy;

public sealed class ProxyTargetTests
{
    /// <summary>What the drain stands on: closed and counted zero once means that nobody is inside, ever again.</summary>
    [Fact]
    public async Task TryEnter_RacesWithClose_NobodyIsInsideOnceClosedAndEmpty()
    {
        for (var round = 0; round < 200; round++)
        {
            var emptied = 0;
            using var target = new ProxyTarget(
                1, new TargetAddress("127.0.0.1", 1), ProxyConnections.Open(), () => Interlocked.Increment(ref emptied));
            var inside = 0;
            var sawSomebody = 0;
            var isEmpty = false;
            var entrants = Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            {
                while (target.TryEnter())
                {
                    Interlocked.Increment(ref inside);
                    if (Volatile.Read(ref isEmpty))
                    {
                        Interlocked.Increment(ref sawSomebody);
                    }

                    Interlocked.Decrement(ref inside);
                    target.Leave();
                }
            })).ToList();
            target.Close();
            SpinWait.SpinUntil(() => target.InFlight == 0);
            Volatile.Write(ref isEmpty, true);
            Assert.Equal(0, Volatile.Read(ref inside));
            await Task.WhenAll(entrants);

            Assert.Equal(0, sawSomebody);
            Assert.True(target.IsClosed);
        }
    }

    [Fact]
    public void Leave_LastOneAfterClose_RingsOnce()
    {
        var emptied = 0;
        using var target = new ProxyTarget(1, new TargetAddress("::1", 80), ProxyConnections.Open(), () => emptied++);
        Assert.True(target.TryEnter());
        Assert.True(target.TryEnter());
        target.Close();

        target.Leave();
        var afterTheFirst = emptied;
        target.Leave();

        Assert.Equal((0, 1), (afterTheFirst, emptied));
        Assert.Equal("http://[::1]:80/", target.Prefix);
    }
}
