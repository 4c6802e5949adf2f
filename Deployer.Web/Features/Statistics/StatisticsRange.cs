using Deployer.Core.Statistics;
using NodaTime;

namespace Deployer.Web.Features.Statistics;

/// <summary>A range of days that figures are shown for.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Days">How many days back it goes, today included.</param>
/// <param name="SliceDays">Days of a bar.</param>
/// <param name="SliceName">What a bar stands for.</param>
public sealed record StatisticsRange(string Name, int Days, int SliceDays, string SliceName)
{
    /// <summary>Shown unless the reader chooses.</summary>
    public static StatisticsRange Month { get; } = new("30 days", 30, 1, "Day");

    /// <summary>Those to choose from.</summary>
    public static IReadOnlyList<StatisticsRange> All { get; } =
        [new("7 days", 7, 1, "Day"), Month, new("90 days", 91, 7, "Week"), new("1 year", 364, 7, "Week")];

    /// <summary>The range of that many days; the month where there is none such.</summary>
    public static StatisticsRange Of(int? days) => All.FirstOrDefault(range => range.Days == days) ?? Month;

    /// <summary>The query: whole days of UTC, the last of them today.</summary>
    public StatisticsQuery ToQuery(string? app, Instant now)
    {
        var until = now.InUtc().Date.PlusDays(1).AtStartOfDayInZone(DateTimeZone.Utc).ToInstant();
        return new StatisticsQuery(app is null ? null : [app], until - Duration.FromDays(Days), until, Duration.FromDays(SliceDays));
    }
}

/// <summary>Figures in words.</summary>
internal static class FigureText
{
    /// <summary>A part of 1 in percent; a dash for none.</summary>
    public static string Rate(double? rate) =>
        rate is { } known ? (known * 100).ToString("0.#", System.Globalization.CultureInfo.InvariantCulture) + " %" : "–";

    /// <summary>Seconds as a time span; a dash for none.</summary>
    public static string Span(double? seconds) => seconds is { } known ? Components.Time.TimeText.Took(Duration.FromSeconds(known)) : "–";
}
