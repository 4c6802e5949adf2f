using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Deployer.Core.Diagnostics;

/// <summary>
/// What Deployer measures of itself, for OpenTelemetry. Names follow its conventions; values hold names of apps,
/// environments and steps, and no text that somebody wrote.
/// </summary>
internal static class DeployerTelemetry
{
    /// <summary>Name of the source of spans and of the meter.</summary>
    public const string Name = "Deployer";

    private static readonly Meter Meter = new(Name);

    /// <summary>Spans: one a deployment, with one a step in it.</summary>
    public static ActivitySource Source { get; } = new(Name);

    /// <summary>Deployments that ended, by <c>status</c> and <c>environment</c>.</summary>
    public static Counter<long> Deployments { get; } =
        Meter.CreateCounter<long>("deployer.deployments", "{deployment}", "Deployments that ended.");

    /// <summary>From the claim to the end, by <c>status</c>.</summary>
    public static Histogram<double> DeploymentDuration { get; } = Meter.CreateHistogram(
        "deployer.deployment.duration", "s", "Time from the start of a deployment to its end.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800] });

    /// <summary>Lines that became durable.</summary>
    public static Counter<long> LogLines { get; } = Meter.CreateCounter<long>("deployer.log.lines", "{line}", "Lines stored in deployment logs.");

    /// <summary>Requests to the engine, by <c>outcome</c>: ok, refused, unreachable or canceled.</summary>
    public static Histogram<double> EngineCalls { get; } = Meter.CreateHistogram<double>(
        "deployer.engine.call.duration", "s", "Time that requests to the engine took.");
}
