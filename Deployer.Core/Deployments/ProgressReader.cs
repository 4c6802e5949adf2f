using Deployer.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Deployments;

/// <summary>How far a deployment is, as data.</summary>
/// <param name="Layers">Layers of the image that is pulled now, by bytes; empty at other times.</param>
/// <param name="Steps">The steps with what they usually take.</param>
/// <param name="ExpectedSeconds">What the whole usually takes, from claim to end; <see langword="null"/> before the app's first success.</param>
public sealed record DeploymentProgress(IReadOnlyList<LayerProgress> Layers, IReadOnlyList<StepProgress> Steps, double? ExpectedSeconds);

/// <summary>A step with what it takes.</summary>
/// <param name="Kind">Which one.</param>
/// <param name="State">Where it is.</param>
/// <param name="Seconds">How long it took, or has taken so far; <see langword="null"/> before it began.</param>
/// <param name="ExpectedSeconds">Median of the app's last ten successes; <see langword="null"/> before the first.</param>
public sealed record StepProgress(StepKind Kind, StepState State, double? Seconds, double? ExpectedSeconds);

/// <summary>Reads how far deployments are.</summary>
public sealed class ProgressReader
{
    private const int Successes = 10;

    private readonly IDbContextFactory<DeployerDb> _databases;
    private readonly PullBoard _pulls;
    private readonly TimeProvider _time;

    internal ProgressReader(IDbContextFactory<DeployerDb> databases, PullBoard pulls, TimeProvider time)
    {
        _databases = databases;
        _pulls = pulls;
        _time = time;
    }

    /// <summary>The layers that a deployment pulls now, by id; empty when it pulls none, or in another process.</summary>
    public IReadOnlyList<LayerProgress> ReadPull(long deploymentId) => _pulls.Read(deploymentId);

    /// <summary>A deployment's progress; <see langword="null"/> when there is none of that id.</summary>
    public async Task<DeploymentProgress?> FindAsync(long deploymentId, CancellationToken cancellationToken)
    {
        await using var db = await _databases.CreateDbContextAsync(cancellationToken);
        if (await db.Deployments.AsNoTracking().Include(row => row.Steps).SingleOrDefaultAsync(row => row.Id == deploymentId, cancellationToken)
            is not { } deployment)
        {
            return null;
        }

        var earlier = await db.Deployments.AsNoTracking().Include(row => row.Steps)
            .Where(row => row.AppId == deployment.AppId && row.Id < deploymentId && row.Status == DeploymentStatus.Succeeded)
            .OrderByDescending(row => row.Id)
            .Take(Successes)
            .ToListAsync(cancellationToken);
        var now = _time.Now();
        var steps = deployment.Steps.OrderBy(step => step.Kind).Select(step => new StepProgress(
            step.Kind,
            step.State,
            step.StartedAt is { } began ? ((step.EndedAt ?? now) - began).TotalSeconds : null,
            Median(earlier.SelectMany(row => row.Steps).Where(other => other.Kind == step.Kind && other is { StartedAt: not null, EndedAt: not null })
                .Select(other => (other.EndedAt!.Value - other.StartedAt!.Value).TotalSeconds))));
        return new DeploymentProgress(
            _pulls.Read(deploymentId),
            [.. steps],
            Median(earlier.Where(row => row is { StartedAt: not null, EndedAt: not null }).Select(row => (row.EndedAt!.Value - row.StartedAt!.Value).TotalSeconds)));
    }

    private static double? Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? null : (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}
