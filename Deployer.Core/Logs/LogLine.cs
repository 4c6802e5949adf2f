using Deployer.Core.Deployments;
using NodaTime;

namespace Deployer.Core.Logs;

/// <summary>Where a line came from.</summary>
public enum LogStream
{
    /// <summary>Deployer itself.</summary>
    System = 0,

    /// <summary>The container's standard output.</summary>
    Stdout = 1,

    /// <summary>The container's standard error.</summary>
    Stderr = 2,
}

/// <summary>A stored line of a deployment's log.</summary>
/// <param name="Line">Number: 1, 2, 3 … without gap within the deployment.</param>
/// <param name="Time">When the store took it; strictly increases within the deployment, so it is an exact cursor.</param>
/// <param name="Stream">Where it came from.</param>
/// <param name="Step">The step it belongs to.</param>
/// <param name="Text">One line without its end; UTF-8, no control characters but ANSI SGR, redacted, at most 16 KiB.</param>
public sealed record LogLine(long Line, Instant Time, LogStream Stream, StepKind Step, string Text);

/// <summary>A page of a deployment's log, with what a follower needs to go on.</summary>
/// <param name="Status">The deployment's status, read before the lines.</param>
/// <param name="Lines">The lines, ascending.</param>
/// <param name="NextAfter">Time of the last line returned, or the caller's cursor on an empty page.</param>
/// <param name="Complete">Whether the status was final and the page reached the end: nothing will follow.</param>
public sealed record LogPage(DeploymentStatus Status, IReadOnlyList<LogLine> Lines, Instant? NextAfter, bool Complete);
