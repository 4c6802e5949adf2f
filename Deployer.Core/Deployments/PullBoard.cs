using System.Collections.Concurrent;
using Deployer.Core.Engine;

namespace Deployer.Core.Deployments;

/// <summary>How far a layer of an image is.</summary>
/// <param name="Layer">Its short id.</param>
/// <param name="Status">The engine's words, e.g. <c>Downloading</c>.</param>
/// <param name="Current">Bytes done of the phase; <see langword="null"/> where the engine does not say.</param>
/// <param name="Total">Bytes in all; <see langword="null"/> where the engine does not say.</param>
public sealed record LayerProgress(string Layer, string Status, long? Current, long? Total);

/// <summary>
/// How far the pulls of this process are, by bytes. Lives in memory alone: it is gone with the pull, and a Deployer of
/// several processes shows the bytes where the runner is.
/// </summary>
internal sealed class PullBoard
{
    private readonly ConcurrentDictionary<long, ConcurrentDictionary<string, LayerProgress>> _pulls = new();

    /// <summary>Takes what happened.</summary>
    public void Report(long deploymentId, PullEvent happening)
    {
        if (happening.Layer is { } layer)
        {
            // Milestones such as 'Download complete' come without bytes; how many there are stays true.
            _pulls.GetOrAdd(deploymentId, _ => new ConcurrentDictionary<string, LayerProgress>(StringComparer.Ordinal)).AddOrUpdate(
                layer,
                _ => new LayerProgress(layer, happening.Status, happening.Current, happening.Total),
                (_, known) => new LayerProgress(layer, happening.Status, happening.Current, happening.Total ?? known.Total));
        }
    }

    /// <summary>The pull is over.</summary>
    public void Clear(long deploymentId) => _pulls.TryRemove(deploymentId, out _);

    /// <summary>The layers of a pull, by id; empty when none goes on here.</summary>
    public IReadOnlyList<LayerProgress> Read(long deploymentId) =>
        _pulls.TryGetValue(deploymentId, out var layers) ? [.. layers.Values.OrderBy(layer => layer.Layer, StringComparer.Ordinal)] : [];
}
