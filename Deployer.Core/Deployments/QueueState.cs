using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Environments;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Deployments;

/// <summary>Why a queued deployment has not begun.</summary>
public enum WaitReason
{
    /// <summary>A runner takes it as soon as one has a hand free.</summary>
    Runner,

    /// <summary>Another deployment of the app runs, or waits before it.</summary>
    App,

    /// <summary>As many deployments run in the environment as its rules allow.</summary>
    Environment,

    /// <summary>The environment is protected: a second person has to approve it.</summary>
    Approval,
}

/// <summary>A queued deployment's place in the queue.</summary>
/// <param name="Position">1 is the next in the queue of all apps.</param>
/// <param name="Reason">Why it has not begun.</param>
/// <param name="Says">The same in a sentence.</param>
public sealed record WaitingView(int Position, WaitReason Reason, string Says);

/// <summary>The queue as it is now.</summary>
internal sealed class QueueState
{
    private readonly List<Entry> _waiting;
    private readonly List<Entry> _running;
    private readonly Dictionary<string, int> _limits;

    private QueueState(List<Entry> entries, Dictionary<string, int> limits)
    {
        _waiting = [.. entries.Where(entry => entry.Status == DeploymentStatus.Queued)];
        _running = [.. entries.Where(entry => entry.Status == DeploymentStatus.Running)];
        _limits = limits;
    }

    /// <summary>Reads it.</summary>
    public static async Task<QueueState> ReadAsync(DeployerDb db, CancellationToken cancellationToken)
    {
        var entries = await db.Deployments
            .Where(deployment => deployment.Status == DeploymentStatus.Running
                || (deployment.Status == DeploymentStatus.Queued && deployment.WithdrawnAt == null))
            .Join(db.Apps, deployment => deployment.AppId, app => app.Id, (deployment, app) => new Entry(
                deployment.Id, deployment.AppId, deployment.Number, deployment.Status, app.Environment,
                db.Set<DeploymentApproval>().Any(approval => approval.DeploymentId == deployment.Id && approval.ApprovedAt == null)))
            .ToListAsync(cancellationToken);
        entries.Sort((one, other) => one.Id.CompareTo(other.Id));
        var limits = await db.Set<EnvironmentRules>().Where(rules => rules.MaxConcurrent != null)
            .ToDictionaryAsync(rules => rules.Name, rules => rules.MaxConcurrent!.Value, StringComparer.Ordinal, cancellationToken);
        return new QueueState(entries, limits);
    }

    /// <summary>A deployment's place; <see langword="null"/> when it does not wait.</summary>
    public WaitingView? Find(long deploymentId)
    {
        var index = _waiting.FindIndex(entry => entry.Id == deploymentId);
        if (index < 0)
        {
            return null;
        }

        var entry = _waiting[index];
        var (reason, says) = entry switch
        {
            { NeedsApproval: true } => (WaitReason.Approval, $"Waits for a second person's approval, which {entry.Environment} wants."),
            _ when _running.Find(other => other.AppId == entry.AppId) is { } running => (WaitReason.App, $"Waits for #{running.Number} of the same app, which runs."),
            _ when _waiting.Find(other => other.AppId == entry.AppId && other.Id < entry.Id) is { } before => (WaitReason.App, $"Waits behind #{before.Number} of the same app."),
            _ when _limits.TryGetValue(entry.Environment, out var limit) && _running.Count(other => other.Environment == entry.Environment) >= limit =>
                (WaitReason.Environment, $"Waits because {limit} at a time may run in {entry.Environment}."),
            _ => (WaitReason.Runner, "Begins as soon as the runner has a hand free."),
        };
        return new WaitingView(index + 1, reason, says);
    }

    private sealed record Entry(long Id, long AppId, int Number, DeploymentStatus Status, string Environment, bool NeedsApproval);
}
