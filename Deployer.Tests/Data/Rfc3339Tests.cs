using CsCheck;
using Deployer.Core.Data;
using NodaTime;

namespace Deployer.Tests.Data;

public sealed class Rfc3339Tests
{
    [Theory]
    [InlineData("2026-01-31T08:15:30Z", "2026-01-31T08:15:30.000000000Z")]
    [InlineData("2026-01-31t08:15:30z", "2026-01-31T08:15:30.000000000Z")]
    [InlineData("2026-01-31T08:15:30.1Z", "2026-01-31T08:15:30.100000000Z")]
    [InlineData("2026-01-31T08:15:30.123456789Z", "2026-01-31T08:15:30.123456789Z")]
    [InlineData("2026-01-31T08:15:30.000000001+00:00", "2026-01-31T08:15:30.000000001Z")]
    [InlineData("2026-01-31T08:15:30-00:00", "2026-01-31T08:15:30.000000000Z")]
    [InlineData("2026-01-31T09:45:30.5+01:30", "2026-01-31T08:15:30.500000000Z")]
    [InlineData("2026-01-31T00:15:30-23:59", "2026-02-01T00:14:30.000000000Z")]
    [InlineData("2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000000000Z")]
    [InlineData("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000000Z")]
    [InlineData("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z")]
    [InlineData("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999999Z")]
    [InlineData("2016-12-31T23:59:60.75Z", "2016-12-31T23:59:59.999999999Z")]
    [InlineData("2017-01-01T01:29:60+01:30", "2016-12-31T23:59:59.999999999Z")]
    public void TryParse_ValidText_IsExactToTheNanosecond(string text, string expected)
    {
        Assert.True(Rfc3339.TryParse(text, out var instant, out var error), error);
        Assert.Equal(expected, Rfc3339.Format(instant));
    }

    [Theory]
    [InlineData("")]
    [InlineData("yesterday")]
    [InlineData("2026-01-31")]
    [InlineData("2026-01-31T08:15Z")]
    [InlineData("2026-01-31 08:15:30Z")]
    [InlineData("2026-01-31T08:15:30")]
    [InlineData("2026-01-31T08:15:30.Z")]
    [InlineData("2026-01-31T08:15:30,5Z")]
    [InlineData("2026-01-31T08:15:30.1234567890Z")]
    [InlineData("2026-01-31T08:15:30+0200")]
    [InlineData("2026-01-31T08:15:30+02")]
    [InlineData("2026-01-31T08:15:30+24:00")]
    [InlineData("2026-01-31T08:15:30+02:60")]
    [InlineData("2026-02-29T08:15:30Z")]
    [InlineData("2026-13-01T08:15:30Z")]
    [InlineData("2026-00-01T08:15:30Z")]
    [InlineData("2026-01-00T08:15:30Z")]
    [InlineData("2026-01-31T24:00:00Z")]
    [InlineData("2026-01-31T08:60:00Z")]
    [InlineData("2026-01-31T08:15:61Z")]
    [InlineData("2026-01-31T08:15:60Z")]
    [InlineData("2026-01-30T23:59:60Z")]
    [InlineData("2016-12-31T23:59:60+01:00")]
    [InlineData("0000-01-01T00:00:00+00:01")]
    [InlineData("9999-12-31T23:59:59-00:01")]
    [InlineData("-2026-01-31T08:15:30Z")]
    [InlineData(" 2026-01-31T08:15:30Z")]
    [InlineData("2026-01-31T08:15:30Z\n")]
    [InlineData("٢٠٢٦-01-31T08:15:30Z")]
    [InlineData("1769847330")]
    public void TryParse_InvalidText_SaysWhy(string text)
    {
        Assert.False(Rfc3339.TryParse(text, out _, out var error));
        Assert.EndsWith(".", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Format_AnyStoredInstant_ReadsBackExactly() =>
        Gen.Long.Sample(nanoseconds =>
        {
            var instant = InstantNanoseconds.FromUnixTimeNanoseconds(nanoseconds);
            return Rfc3339.TryParse(Rfc3339.Format(instant), out var read, out _) && read == instant;
        });

    [Fact]
    public void TryParse_AnyOffset_MeansTheSameInstant() =>
        Gen.Select(Gen.Long[0, 4_000_000_000_000_000_000], Gen.Int[-1439, 1439]).Sample((nanoseconds, minutes) =>
        {
            var instant = InstantNanoseconds.FromUnixTimeNanoseconds(nanoseconds);
            var shifted = Rfc3339.Format(instant + Duration.FromMinutes(minutes))[..^1];
            var offset = $"{(minutes < 0 ? '-' : '+')}{Math.Abs(minutes) / 60:00}:{Math.Abs(minutes) % 60:00}";
            return Rfc3339.TryParse(shifted + offset, out var read, out _) && read == instant;
        });
}
