using Deployer.Core.Deployments;
using Deployer.Core.Logs;

namespace Deployer.Web.Features.Console;

/// <summary>What a follower of a log learned since it last spoke.</summary>
/// <param name="Status">The deployment's status, read before the lines; <see langword="null"/> for a log that is no deployment's.</param>
/// <param name="Total">Lines in the log so far: the number of the last one.</param>
/// <param name="Tail">The newest of the new lines, ascending, a few screens at most where the log is stored, else all of them.</param>
/// <param name="Complete">Whether nothing will follow.</param>
/// <param name="Trouble">Why the log cannot be read just now, in plain words; <see langword="null"/> when it can.</param>
public sealed record LogGrowth(
    DeploymentStatus? Status, long Total, IReadOnlyList<LogLine> Tail, bool Complete, string? Trouble);
