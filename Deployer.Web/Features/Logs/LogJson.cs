using System.ComponentModel;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using NodaTime;

namespace Deployer.Web.Features.Logs;

/// <summary>A page of a deployment's log.</summary>
internal sealed record LogPageJson
{
    [Description("The deployment.")]
    public required long DeploymentId { get; init; }

    [Description("Its status, read before the lines.")]
    public required DeploymentStatus Status { get; init; }

    [Description("The lines, ascending.")]
    public required IReadOnlyList<LogLineJson> Logs { get; init; }

    [Description("Time of the last line, or the request's own cursor when there is none: pass it as after to go on.")]
    public required Instant? NextAfter { get; init; }

    [Description("Whether the deployment has ended and its last line has been given: nothing will follow.")]
    public required bool Complete { get; init; }

    /// <summary>The page as it goes over the wire.</summary>
    public static LogPageJson Of(long deploymentId, LogPage page) => new()
    {
        DeploymentId = deploymentId,
        Status = page.Status,
        Logs = [.. page.Lines.Select(LogLineJson.Of)],
        NextAfter = page.NextAfter,
        Complete = page.Complete,
    };
}

/// <summary>A line of a deployment's log.</summary>
internal sealed record LogLineJson
{
    [Description("Number: 1, 2, 3 … without gap within the deployment.")]
    public required long Line { get; init; }

    [Description("When it was stored; strictly increases within the deployment, so it is an exact cursor.")]
    public required Instant CreatedAt { get; init; }

    [Description("Where it came from.")]
    public required LogStream Stream { get; init; }

    [Description("The step it belongs to.")]
    public required StepKind Step { get; init; }

    [Description("The text, without line end; may hold ANSI colours (SGR).")]
    public required string Output { get; init; }

    /// <summary>The line as it goes over the wire.</summary>
    public static LogLineJson Of(LogLine line) => new()
    {
        Line = line.Line,
        CreatedAt = line.Time,
        Stream = line.Stream,
        Step = line.Step,
        Output = line.Text,
    };
}
