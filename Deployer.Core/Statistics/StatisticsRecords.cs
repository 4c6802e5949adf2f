using NodaTime;

namespace Deployer.Core.Statistics;

/// <summary>Which deployments are counted: those that ended in the range.</summary>
/// <param name="Apps">Names of the apps; <see langword="null"/> for all.</param>
/// <param name="Since">First instant of the range.</param>
/// <param name="Until">First instant after the range; later than <paramref name="Since"/>.</param>
/// <param name="Slice">Length of the slices into which the range is cut, the last one cut short; longer than nothing.</param>
public sealed record StatisticsQuery(IReadOnlyCollection<string>? Apps, Instant Since, Instant Until, Duration Slice)
{
    /// <summary>Most slices that a range may have.</summary>
    public const int MaxSlices = 400;

    /// <summary>How many slices the range has.</summary>
    public int Slices => (int)Math.Ceiling((Until - Since) / Slice);
}

/// <summary>What became of a group of deployments.</summary>
/// <param name="Succeeded">How many succeeded.</param>
/// <param name="Failed">How many failed.</param>
/// <param name="Canceled">How many were canceled or superseded; they count for nothing else.</param>
/// <param name="MedianSeconds">Median of what the succeeded ones took from their start to their end; <see langword="null"/> without one.</param>
/// <param name="Recoveries">How many times an app went from a failure to its next success, which is counted where it ended.</param>
/// <param name="MedianRecoverySeconds">
/// Median of those times, each from the end of the first failure after a success to the end of the next success;
/// <see langword="null"/> without one.
/// </param>
public sealed record StatisticsFigures(
    int Succeeded, int Failed, int Canceled, double? MedianSeconds, int Recoveries, double? MedianRecoverySeconds)
{
    /// <summary>Of a group without a deployment.</summary>
    public static StatisticsFigures None { get; } = new(0, 0, 0, null, 0, null);

    /// <summary>The part of the succeeded and failed ones that failed, 0 to 1; <see langword="null"/> without any.</summary>
    public double? FailureRate => Succeeded + Failed == 0 ? null : (double)Failed / (Succeeded + Failed);
}

/// <summary>The figures of an app.</summary>
/// <param name="App">Its name.</param>
/// <param name="Environment">Where it runs.</param>
/// <param name="Figures">The figures.</param>
public sealed record AppStatistics(string App, string Environment, StatisticsFigures Figures);

/// <summary>The figures of a slice of time.</summary>
/// <param name="From">First instant of the slice.</param>
/// <param name="Until">First instant after it.</param>
/// <param name="Figures">The figures.</param>
public sealed record SliceStatistics(Instant From, Instant Until, StatisticsFigures Figures);

/// <summary>How deploying goes.</summary>
/// <param name="Since">First instant of the range.</param>
/// <param name="Until">First instant after it.</param>
/// <param name="Total">All together.</param>
/// <param name="SucceededPerDay">How many deployments succeed in a day, on average over the range.</param>
/// <param name="Apps">Each app with at least one deployment in the range, by name.</param>
/// <param name="Slices">Each slice of the range, the empty ones too, in order.</param>
public sealed record DeploymentStatistics(
    Instant Since, Instant Until, StatisticsFigures Total, double SucceededPerDay, IReadOnlyList<AppStatistics> Apps,
    IReadOnlyList<SliceStatistics> Slices);
