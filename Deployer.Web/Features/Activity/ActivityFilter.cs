using System.Globalization;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Web.Features.Statistics;
using NodaTime;
using NodaTime.Text;

namespace Deployer.Web.Features.Activity;

/// <summary>What the activity page is narrowed to, as it stands in the address.</summary>
/// <param name="App">Name of an app; <see langword="null"/> for all.</param>
/// <param name="Environment">Name of an environment; <see langword="null"/> for all.</param>
/// <param name="Status">A status; <see langword="null"/> for all.</param>
/// <param name="RequestedBy">Part of the name of who asked; <see langword="null"/> for anybody.</param>
/// <param name="Since">First day of UTC; <see langword="null"/> for the beginning.</param>
/// <param name="LastDay">Last day of UTC; <see langword="null"/> for today.</param>
/// <param name="Before">Older than this id: a later page.</param>
/// <param name="Range">Range of the figures.</param>
internal sealed record ActivityFilter(
    string? App, string? Environment, DeploymentStatus? Status, string? RequestedBy, LocalDate? Since, LocalDate? LastDay, long? Before, StatisticsRange Range)
{
    /// <summary>Deployments of a page.</summary>
    public const int PageSize = 50;

    private const int MostUnfinished = 100;

    /// <summary>Everything.</summary>
    public static ActivityFilter None { get; } = new(null, null, null, null, null, null, null, StatisticsRange.Month);

    /// <summary>Whether nothing is left out.</summary>
    public bool IsEmpty => this == None with { Range = Range };

    /// <summary>The status as it stands in the address, or empty.</summary>
    public string StatusWord => Status?.ToString().ToLowerInvariant() ?? "";

    /// <summary>The filter of an address; what cannot be read there is left out.</summary>
    public static ActivityFilter Read(
        string? app, string? environment, string? status, string? by, string? since, string? until, string? before, string? days) => new(
            Filled(app),
            Filled(environment),
            Enum.TryParse<DeploymentStatus>(status, ignoreCase: true, out var known) && Enum.IsDefined(known) && !char.IsAsciiDigit(status[0]) ? known : null,
            Filled(by),
            ReadDay(since),
            ReadDay(until),
            long.TryParse(before, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null,
            StatisticsRange.Of(int.TryParse(days, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : null));

    /// <summary>A day as the browser's control takes it.</summary>
    public static string Show(LocalDate? day) => day is { } known ? LocalDatePattern.Iso.Format(known) : "";

    /// <summary>The page of deployments.</summary>
    public DeploymentFilter ToQuery() => new(App, Status, Before, PageSize)
    {
        Environment = Environment,
        RequestedBy = RequestedBy,
        Since = Begin(Since),
        Until = LastDay is { } day && day < LocalDate.MaxIsoValue ? Begin(day.PlusDays(1)) : null,
    };

    /// <summary>Those that have not ended, whoever asked and whenever.</summary>
    public DeploymentFilter Unfinished(DeploymentStatus status) => new(App, status, Before: null, MostUnfinished) { Environment = Environment };

    private static Instant? Begin(LocalDate? day) => day?.AtStartOfDayInZone(DateTimeZone.Utc).ToInstant().WithinDatabase();

    private static LocalDate? ReadDay(string? text) => text is not null && LocalDatePattern.Iso.Parse(text) is { Success: true, Value: var day } ? day : null;

    private static string? Filled(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
