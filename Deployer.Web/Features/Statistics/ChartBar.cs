namespace Deployer.Web.Features.Statistics;

/// <summary>A part of each bar of a chart.</summary>
/// <param name="Name">What it counts.</param>
/// <param name="Tone">Its colour: <c>good</c>, <c>bad</c> or <c>plain</c>.</param>
public sealed record ChartSeries(string Name, string Tone);

/// <summary>A bar of a chart.</summary>
/// <param name="Label">What it stands for, e.g. a day.</param>
/// <param name="Values">A value for each series; <see langword="null"/> where there is none.</param>
public sealed record ChartBar(string Label, IReadOnlyList<double?> Values);
