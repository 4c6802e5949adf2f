using System.Globalization;
using NodaTime;
using NodaTime.Text;

namespace Deployer.Web.Components.Time;

/// <summary>Times and durations in words for people.</summary>
internal static class TimeText
{
    private static readonly InstantPattern Minute = InstantPattern.CreateWithInvariantCulture("d MMM uuuu, HH:mm");
    private static readonly InstantPattern Exact = InstantPattern.CreateWithInvariantCulture("uuuu-MM-dd HH:mm:ss 'UTC'");

    /// <summary>How long ago, roughly: <c>just now</c>, <c>5 min ago</c>, <c>3 h ago</c>, <c>2 days ago</c>, then the date.</summary>
    public static string Ago(Instant then, Instant now)
    {
        var age = now - then;
        return age.TotalSeconds switch
        {
            < 10 => "just now",
            < 60 => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalSeconds} s ago"),
            < 3600 => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalMinutes} min ago"),
            < 86400 => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalHours} h ago"),
            < 2 * 86400 => "yesterday",
            < 30 * 86400 => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalDays} days ago"),
            _ => then.InUtc().Date.ToString("d MMM uuuu", CultureInfo.InvariantCulture),
        };
    }

    /// <summary>The instant to the second in UTC, e.g. <c>2026-11-23 15:04:05 UTC</c>.</summary>
    public static string Full(Instant instant) => Exact.Format(instant);

    /// <summary>A span to the minute in UTC, e.g. <c>23 Nov 2026, 15:04 to 24 Nov 2026, 08:00 UTC</c>.</summary>
    public static string Span(Instant from, Instant until) => $"{Minute.Format(from)} to {Minute.Format(until)} UTC";

    /// <summary>How long it took: <c>0.4 s</c>, <c>12 s</c>, <c>3 min 5 s</c>, <c>2 h 10 min</c>, <c>3 d 4 h</c>.</summary>
    public static string Took(Duration duration)
    {
        var seconds = Math.Max(0, duration.TotalSeconds);
        return seconds switch
        {
            < 9.95 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s"),
            < 60 => string.Create(CultureInfo.InvariantCulture, $"{(int)seconds} s"),
            < 3600 => string.Create(CultureInfo.InvariantCulture, $"{(int)seconds / 60} min {(int)seconds % 60} s"),
            < 86400 => string.Create(CultureInfo.InvariantCulture, $"{(int)seconds / 3600} h {(int)seconds % 3600 / 60} min"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{(int)seconds / 86400} d {(int)seconds % 86400 / 3600} h"),
        };
    }
}
