using NodaTime;

namespace Deployer.Core.Data;

/// <summary>Instants to and from whole nanoseconds since 1970-01-01T00:00:00Z, the form in which they are stored.</summary>
public static class InstantNanoseconds
{
    /// <summary>Nanoseconds since the Unix epoch. Valid from 1678 to 2261.</summary>
    /// <exception cref="OverflowException">The instant is outside that range.</exception>
    public static long ToUnixTimeNanoseconds(this Instant instant) =>
        (instant - NodaConstants.UnixEpoch).ToInt64Nanoseconds();

    /// <summary>The instant that many nanoseconds after the Unix epoch.</summary>
    public static Instant FromUnixTimeNanoseconds(long nanoseconds) =>
        NodaConstants.UnixEpoch + Duration.FromNanoseconds(nanoseconds);

    /// <summary>The instant, or the nearest that can be stored: what is beyond is as good as the end of the range.</summary>
    public static Instant WithinDatabase(this Instant instant) =>
        Instant.Max(FromUnixTimeNanoseconds(long.MinValue), Instant.Min(FromUnixTimeNanoseconds(long.MaxValue), instant));

    /// <summary>The clock's reading.</summary>
    public static Instant Now(this TimeProvider time) => Instant.FromDateTimeOffset(time.GetUtcNow());
}
