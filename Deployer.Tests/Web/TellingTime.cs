using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace Deployer.Tests.Web;

/// <summary>A clock that only tests move, and that tells them when somebody began to wait for it.</summary>
internal sealed class TellingTime : FakeTimeProvider
{
    private readonly Channel<TimeSpan> _timers = Channel.CreateUnbounded<TimeSpan>();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime != Timeout.InfiniteTimeSpan)
        {
            _timers.Writer.TryWrite(dueTime);
        }

        return timer;
    }

    /// <summary>Moves the clock each time a timer is set, until the task is done.</summary>
    public async Task AdvanceUntilAsync(Task done, TimeSpan by)
    {
        while (true)
        {
            var timer = _timers.Reader.WaitToReadAsync(TestContext.Current.CancellationToken).AsTask();
            if (await Task.WhenAny(done, timer) == done)
            {
                return;
            }

            await timer;
            _timers.Reader.TryRead(out _);
            Advance(by);
        }
    }
}
