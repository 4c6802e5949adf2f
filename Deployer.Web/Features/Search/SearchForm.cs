using System.Globalization;
using System.Text.Json;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using NodaTime;

namespace Deployer.Web.Features.Search;

/// <summary>What the search form holds, as it is written, and the same in the address.</summary>
internal sealed class SearchForm
{
    /// <summary>What is looked for.</summary>
    public string Text { get; set; } = "";

    /// <summary>Whether it is a regular expression.</summary>
    public bool IsRegex { get; set; }

    /// <summary>Whether upper and lower case differ.</summary>
    public bool MatchCase { get; set; }

    /// <summary>Name of an app, or empty for all.</summary>
    public string App { get; set; } = "";

    /// <summary>Name of an environment, or empty for all.</summary>
    public string Environment { get; set; } = "";

    /// <summary>A stream in snake_case, or empty for all.</summary>
    public string Stream { get; set; } = "";

    /// <summary>A step in snake_case, or empty for all.</summary>
    public string Step { get; set; } = "";

    /// <summary>Begin of the range, in UTC.</summary>
    public DateTime? Since { get; set; }

    /// <summary>End of the range, in UTC.</summary>
    public DateTime? Until { get; set; }

    /// <summary>The form of an address; what cannot be read there is left out.</summary>
    public static SearchForm Read(
        string? text, string? regex, string? matchCase, string? app, string? environment, string? stream, string? step, string? since, string? until) => new()
        {
            Text = text ?? "",
            IsRegex = regex == "true",
            MatchCase = matchCase == "true",
            App = app ?? "",
            Environment = environment ?? "",
            Stream = Find<LogStream>(stream) is { } known ? Word(known) : "",
            Step = Find<StepKind>(step) is { } kind ? Word(kind) : "",
            Since = ReadTime(since),
            Until = ReadTime(until),
        };

    /// <summary>A value of an enumeration as it stands in addresses.</summary>
    public static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    /// <summary>A place in the results as it stands in addresses.</summary>
    public static string Write(LogSearchCursor cursor) => string.Create(CultureInfo.InvariantCulture, $"{cursor.DeploymentId}:{cursor.Line}");

    /// <summary>The same in the address; <see langword="null"/> for what is not asked for.</summary>
    public IReadOnlyDictionary<string, object?> ToParameters() => new Dictionary<string, object?>(StringComparer.Ordinal)
    {
        ["q"] = Filled(Text),
        ["regex"] = IsRegex ? "true" : null,
        ["case"] = MatchCase ? "true" : null,
        ["app"] = Filled(App),
        ["environment"] = Filled(Environment),
        ["stream"] = Filled(Stream),
        ["step"] = Filled(Step),
        ["since"] = WriteTime(Since),
        ["until"] = WriteTime(Until),
    };

    /// <summary>What to look for; <see langword="null"/> where it cannot be looked for.</summary>
    /// <param name="after">Where the page before ended.</param>
    /// <param name="cursor">The same as it stands in the address.</param>
    /// <param name="wrong">What is wrong, for people.</param>
    public LogQuery? ToQuery(out LogSearchCursor? after, string? cursor, out string? wrong)
    {
        after = null;
        var query = new LogQuery(Text, IsRegex, MatchCase)
        {
            Stream = Find<LogStream>(Stream),
            Step = Find<StepKind>(Step),
            Since = ToInstant(Since),
            Until = ToInstant(Until),
        };
        if (!query.IsValid(out wrong))
        {
            return null;
        }

        if (Since >= Until)
        {
            wrong = "The range ends before it begins: choose a later end.";
            return null;
        }

        if (cursor is not null && cursor.Split(':') is [var deployment, var line]
            && long.TryParse(deployment, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            && long.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            after = new LogSearchCursor(id, number);
        }

        return query;
    }

    private static string? Filled(string text) => text.Length == 0 ? null : text;

    private static T? Find<T>(string? word)
        where T : struct, Enum =>
        Enum.GetValues<T>().Where(value => string.Equals(Word(value), word, StringComparison.Ordinal)).Select(value => (T?)value).FirstOrDefault();

    private static DateTime? ReadTime(string? text) =>
        text is not null && Rfc3339.TryParse(text, out var instant, out _) ? instant.WithinDatabase().ToDateTimeUtc() : null;

    private static Instant? ToInstant(DateTime? time) =>
        time is { } given ? Instant.FromDateTimeUtc(DateTime.SpecifyKind(given, DateTimeKind.Utc)).WithinDatabase() : null;

    private static string? WriteTime(DateTime? time) => time?.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
