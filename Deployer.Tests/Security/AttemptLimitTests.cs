using Deployer.Web.Features.Security;
using Microsoft.Extensions.Time.Testing;

namespace Deployer.Tests.Security;

public sealed class AttemptLimitTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void TryTake_MoreThanAllowed_IsRefusedUntilTheWindowEnds_ForThatKeyAlone()
    {
        var limit = new AttemptLimit(3, TimeSpan.FromMinutes(1), _time);

        Assert.Equal([true, true, true, false, false], Enumerable.Range(0, 5).Select(_ => limit.TryTake("a")));
        Assert.True(limit.IsSpent("a"));
        Assert.True(limit.TryTake("b"));
        Assert.False(limit.IsSpent("b"));

        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(limit.TryTake("a"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(limit.IsSpent("a"));
        Assert.True(limit.TryTake("a"));
    }

    [Fact]
    public void TryTake_WithEverNewKeys_DoesNotRememberThemForEver()
    {
        var limit = new AttemptLimit(3, TimeSpan.FromMinutes(1), _time);
        for (var round = 0; round < 5; round++)
        {
            for (var key = 0; key < 1000; key++)
            {
                limit.TryTake($"{round} {key}");
            }

            _time.Advance(TimeSpan.FromMinutes(1));
        }

        limit.TryTake("last");
        Assert.Equal(1, limit.Known);
    }
}
