using Deployer.Core.Deployments;
using Deployer.Core.Logs;

namespace Deployer.Web.Features.Console;

/// <summary>What a follower of a log learned since it last spoke.</summary>
/// <param name="Status">The deployment's status, read before the lines.</param>
/// <param name="Total">Lines in the log so far: the number of the last one.</param>
/// <param name="Tail">The newest of the new lines, ascending, at most <see cref="LogFollower.TailLines"/>.</param>
/// <param name="Complete">Whether nothing will follow.</param>
/// <param name="Trouble">Why the log cannot be read just now, in plain words; <see langword="null"/> when it can.</param>
internal sealed record LogGrowth(
    DeploymentStatus Status, long Total, IReadOnlyList<LogLine> Tail, bool Complete, string? Trouble);
