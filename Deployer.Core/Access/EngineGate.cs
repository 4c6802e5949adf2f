using Deployer.Core.Audit;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;

namespace Deployer.Core.Access;

/// <summary>The state of the engine.</summary>
/// <param name="Endpoint">Its address.</param>
/// <param name="Info">What it says of itself.</param>
/// <param name="OwnContainers">How many of its containers are this Deployer's.</param>
/// <param name="ImageBytes">All layers of all images, each layer once.</param>
/// <param name="ContainerBytes">What containers have written to their own layers.</param>
/// <param name="VolumeBytes">The volumes.</param>
/// <param name="BuildCacheBytes">The builder's cache.</param>
public sealed record EngineOverview(
    string Endpoint, EngineInfo Info, int OwnContainers, long ImageBytes, long ContainerBytes, long VolumeBytes, long BuildCacheBytes);

/// <summary>
/// Looking at the engine, for viewers of everything, and removing what nothing needs, for admins of everything; each
/// removal is written to the audit log.
/// </summary>
public sealed class EngineGate(
    IContainerEngine engine, InstanceIdentity instance, EnginePruning pruning, ICurrentActor current, AuditLog audit)
{
    /// <summary>The engine's state.</summary>
    /// <exception cref="AccessDeniedException">The caller may not see every environment.</exception>
    /// <exception cref="EngineException">The engine does not answer.</exception>
    public async Task<EngineOverview> LookAsync(CancellationToken cancellationToken)
    {
        (await current.GetAsync(cancellationToken)).DemandEverywhere(AccessRole.Viewer);
        var info = await engine.DescribeAsync(cancellationToken);
        var own = await engine.ListContainersAsync(ContainerNames.OfInstance(instance.Id), cancellationToken);
        var disk = await engine.MeasureDiskAsync(cancellationToken);
        return new EngineOverview(engine.Endpoint, info, own.Count, disk.ImageBytes, disk.ContainerBytes, disk.VolumeBytes, disk.BuildCacheBytes);
    }

    /// <summary>What could be removed.</summary>
    /// <exception cref="AccessDeniedException">The caller is no admin everywhere.</exception>
    /// <exception cref="EngineException">The engine does not answer.</exception>
    public async Task<PrunePreview> PreviewAsync(CancellationToken cancellationToken)
    {
        (await current.GetAsync(cancellationToken)).DemandEverywhere(AccessRole.Admin);
        return await pruning.PreviewAsync(cancellationToken);
    }

    /// <inheritdoc cref="EnginePruning.PruneAsync"/>
    /// <exception cref="AccessDeniedException">The caller is no admin everywhere.</exception>
    public async Task<PruneResult> PruneAsync(IReadOnlyCollection<string>? imageIds, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        actor.DemandEverywhere(AccessRole.Admin);
        var result = await pruning.PruneAsync(imageIds, cancellationToken);
        if (result.Removed.Count > 0)
        {
            await audit.RecordAsync(actor, new AuditFact(AuditAction.EnginePruned, AuditSubject.Engine(engine.Endpoint))
            {
                Before = new { Images = result.Removed.Select(image => image.Names.Count == 0 ? image.Id : string.Join(", ", image.Names)) },
                Note = $"{result.Removed.Count} images, {result.FreedBytes} bytes freed",
            }, cancellationToken);
        }

        return result;
    }
}
