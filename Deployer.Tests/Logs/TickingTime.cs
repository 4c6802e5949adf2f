using Microsoft.Extensions.Time.Testing;

namespace Deployer.Tests.Logs;

/// <summary>A clock that goes on by a step each time somebody measures with it.</summary>
internal sealed class TickingTime(TimeSpan step) : FakeTimeProvider
{
    public override long GetTimestamp()
    {
        Advance(step);
        return base.GetTimestamp();
    }
}
