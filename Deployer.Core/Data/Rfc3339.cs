using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using NodaTime;
using NodaTime.Text;

namespace Deployer.Core.Data;

/// <summary>
/// Instants as RFC 3339 text, exact to the nanosecond. Written in UTC with nine fractional digits; read with any offset
/// and none to nine fractional digits. <see cref="DateTime"/> and <see cref="DateTimeOffset"/> hold 100 ns only and are
/// never in the way.
/// </summary>
public static partial class Rfc3339
{
    /// <summary>A text as it is written, for messages.</summary>
    public const string Example = "2026-01-31T08:15:30.123456789Z";

    private static readonly InstantPattern Written = InstantPattern.CreateWithInvariantCulture("uuuu'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffff'Z'");

    private static readonly Instant Earliest = Instant.FromUtc(0, 1, 1, 0, 0);

    /// <summary>The instant in UTC with nine fractional digits.</summary>
    public static string Format(Instant instant) => Written.Format(instant);

    /// <summary>
    /// Reads a <c>date-time</c> of RFC 3339 §5.6, e.g. <c>2026-01-31T09:15:30.5+01:00</c>. A leap second (second 60, which
    /// RFC 3339 allows at the end of a month in UTC alone) is read as the last nanosecond before it, because clocks repeat
    /// that second: so a cursor never skips a line.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="instant">The instant.</param>
    /// <param name="error">What is wrong, as a sentence.</param>
    public static bool TryParse(string text, out Instant instant, [NotNullWhen(false)] out string? error)
    {
        instant = default;
        var match = DateTime().Match(text);
        if (!match.Success)
        {
            error = Explain(text);
            return false;
        }

        var second = Number(match, "second");
        var isLeapSecond = second == 60;
        if (Number(match, "hour") > 23 || Number(match, "minute") > 59 || second > 60
            || Number(match, "oh") > 23 || Number(match, "om") > 59
            || Number(match, "month") is < 1 or > 12
            || Number(match, "day") < 1
            || Number(match, "day") > CalendarSystem.Iso.GetDaysInMonth(Number(match, "year"), Number(match, "month")))
        {
            error = "There is no such date, time or offset.";
            return false;
        }

        var local = new LocalDateTime(
            Number(match, "year"), Number(match, "month"), Number(match, "day"),
            Number(match, "hour"), Number(match, "minute"), isLeapSecond ? 59 : second);
        var fraction = isLeapSecond ? 999_999_999 : int.Parse(match.Groups["fraction"].Value.PadRight(9, '0'), CultureInfo.InvariantCulture);
        var offset = Duration.FromMinutes((Number(match, "oh") * 60) + Number(match, "om"));
        var utc = local.InUtc().ToInstant() + Duration.FromNanoseconds(fraction);
        try
        {
            // The calendar ends with the year 9999, RFC 3339 begins with the year 0000.
            instant = match.Groups["sign"].Value == "-" ? utc + offset : utc - offset;
        }
        catch (OverflowException)
        {
            instant = Instant.MinValue;
        }

        if (instant < Earliest)
        {
            error = "It lies outside the years 0000 to 9999 in UTC.";
            return false;
        }

        if (isLeapSecond && !EndsMonth(instant))
        {
            error = "Second 60 exists only as a leap second, at 23:59:60 UTC on the last day of a month.";
            return false;
        }

        error = null;
        return true;
    }

    private static int Number(Match match, string group) =>
        match.Groups[group].Success ? int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture) : 0;

    private static bool EndsMonth(Instant lastNanosecond)
    {
        var utc = lastNanosecond.InUtc().LocalDateTime;
        return utc is { Hour: 23, Minute: 59 } && utc.Date == DateAdjusters.EndOfMonth(utc.Date);
    }

    private static string Explain(string text) => text switch
    {
        _ when TooFine().IsMatch(text) => "It has more than nine fractional digits.",
        _ when WithoutOffset().IsMatch(text) => "It has no offset; end it with Z for UTC or an offset such as +02:00.",
        _ => "It is not a date and time by RFC 3339.",
    };

    // RFC 3339 §5.6 lets "T" and "Z" be lower-case. -00:00 means UTC with unknown local offset (§4.3).
    private const string DateAndTime =
        @"(?<year>[0-9]{4})-(?<month>[0-9]{2})-(?<day>[0-9]{2})[Tt](?<hour>[0-9]{2}):(?<minute>[0-9]{2}):(?<second>[0-9]{2})";

    private const string OffsetPart = @"([Zz]|(?<sign>[+-])(?<oh>[0-9]{2}):(?<om>[0-9]{2}))";

    [GeneratedRegex($@"^{DateAndTime}(\.(?<fraction>[0-9]{{1,9}}))?{OffsetPart}\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DateTime();

    [GeneratedRegex($@"^{DateAndTime}\.[0-9]{{10,}}{OffsetPart}\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex TooFine();

    [GeneratedRegex($@"^{DateAndTime}(\.[0-9]+)?\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex WithoutOffset();
}

/// <summary>Instants in JSON, as <see cref="Rfc3339"/> writes and reads them.</summary>
internal sealed class Rfc3339JsonConverter : JsonConverter<Instant>
{
    public override Instant Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && Rfc3339.TryParse(reader.GetString()!, out var instant, out _)
            ? instant
            : throw new JsonException();

    public override void Write(Utf8JsonWriter writer, Instant value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Rfc3339.Format(value));
}
