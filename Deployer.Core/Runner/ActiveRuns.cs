using System.Collections.Concurrent;

namespace Deployer.Core.Runner;

/// <summary>The deployments in this process's hands.</summary>
internal sealed class ActiveRuns
{
    private readonly ConcurrentDictionary<long, byte> _ids = new();

    /// <summary>Their number.</summary>
    public int Count => _ids.Count;

    /// <summary>Their ids.</summary>
    public IReadOnlyList<long> Ids => [.. _ids.Keys];

    /// <summary>Takes one, before it is claimed; <see langword="false"/> when it is in our hands already.</summary>
    public bool TryAdd(long deploymentId) => _ids.TryAdd(deploymentId, 0);

    /// <summary>Lets one go, after it has ended.</summary>
    public void Remove(long deploymentId) => _ids.TryRemove(deploymentId, out _);
}
