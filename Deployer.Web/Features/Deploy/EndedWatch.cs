using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Deployments;

namespace Deployer.Web.Features.Deploy;

/// <summary>A deployment that has ended.</summary>
/// <param name="App">Its app.</param>
/// <param name="Attempt">The deployment.</param>
internal sealed record Ended(string App, Attempt Attempt);

/// <summary>Knows which deployments a reader wants to hear of: those that they asked for, and those whose pages they opened.</summary>
internal sealed class EndedWatch
{
    private readonly HashSet<long> _opened = [];
    private HashSet<long>? _unfinished;
    private long _newest;

    /// <summary>Notes that the reader opened a deployment's page.</summary>
    public void Open(long deploymentId) => _opened.Add(deploymentId);

    /// <summary>Those of the reader's deployments that have ended since the last call; none at the first.</summary>
    public IReadOnlyList<Ended> Next(Overview overview)
    {
        var attempts = overview.Apps.SelectMany(app => app.Attempts.Select(attempt => new Ended(app.Name, attempt))).ToList();
        var ended = _unfinished is not { } before
            ? []
            : attempts.Where(ended => ended.Attempt.Status.IsFinal()
                && (before.Contains(ended.Attempt.Id) || ended.Attempt.Id > _newest)
                && (_opened.Contains(ended.Attempt.Id) || string.Equals(ended.Attempt.RequestedBy, overview.Actor.Name, StringComparison.Ordinal))).ToList();
        _unfinished = [.. attempts.Where(other => !other.Attempt.Status.IsFinal()).Select(other => other.Attempt.Id)];
        _newest = Math.Max(_newest, attempts.Count == 0 ? 0 : attempts.Max(other => other.Attempt.Id));
        return ended;
    }
}
