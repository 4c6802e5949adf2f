using Deployer.Web.Components.Time;
using NodaTime;

namespace Deployer.Tests.Web.Time;

public sealed class TimeTextTests
{
    private static readonly Instant Now = Instant.FromUtc(2026, 11, 23, 15, 4, 5);

    [Theory]
    [InlineData(3, "just now")]
    [InlineData(42, "42 s ago")]
    [InlineData(60, "1 min ago")]
    [InlineData(3 * 3600, "3 h ago")]
    [InlineData(30 * 3600, "yesterday")]
    [InlineData(5 * 86400, "5 days ago")]
    [InlineData(100 * 86400, "15 Aug 2026")]
    public void Ago_Age_IsToldRoughly(int seconds, string text) =>
        Assert.Equal(text, TimeText.Ago(Now - Duration.FromSeconds(seconds), Now));

    [Fact]
    public void Span_TwoTimes_AreToldToTheMinuteInUtc() =>
        Assert.Equal("23 Nov 2026, 15:04 to 2 Jan 2027, 08:00 UTC", TimeText.Span(Now, Instant.FromUtc(2027, 1, 2, 8, 0)));

    [Theory]
    [InlineData(0.04, "0.0 s")]
    [InlineData(1.26, "1.3 s")]
    [InlineData(59.9, "59 s")]
    [InlineData(125, "2 min 5 s")]
    [InlineData(7260, "2 h 1 min")]
    [InlineData(90000, "1 d 1 h")]
    [InlineData(-5, "0.0 s")]
    public void Took_Duration_IsToldInItsTwoLargestUnits(double seconds, string text) =>
        Assert.Equal(text, TimeText.Took(Duration.FromSeconds(seconds)));
}
