using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Runner;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using NodaTime;

namespace Deployer.Core.Engine;

/// <summary>Why an image may go.</summary>
public enum PruneKind
{
    /// <summary>A deployment of this Deployer brought it, and no restore that is kept needs it any more.</summary>
    Surplus,

    /// <summary>It has lost its name, and no deployment of this Deployer brought it: left over from a build.</summary>
    Nameless,

    /// <summary>No deployment of this Deployer brought it: somebody else's. Removed only when it is chosen.</summary>
    Foreign,
}

/// <summary>An image that no container uses and no restore needs.</summary>
/// <param name="Id">Image id.</param>
/// <param name="Names">Its names with tag.</param>
/// <param name="CreatedAt">When it was built.</param>
/// <param name="Bytes">Its layers together.</param>
/// <param name="FreesBytes">What its removal frees at least; more where images that share layers go together.</param>
/// <param name="Kind">Why it may go.</param>
public sealed record PrunableImage(string Id, IReadOnlyList<string> Names, Instant CreatedAt, long Bytes, long FreesBytes, PruneKind Kind);

/// <summary>What could be removed from an engine.</summary>
/// <param name="Images">Images that could go, the largest gain first.</param>
/// <param name="KeptForRestore">How many images stay because a deployment needs them for a restore.</param>
/// <param name="KeptInUse">How many others stay because containers use them.</param>
public sealed record PrunePreview(IReadOnlyList<PrunableImage> Images, int KeptForRestore, int KeptInUse);

/// <summary>What was removed from an engine.</summary>
/// <param name="Removed">The images that are gone.</param>
/// <param name="Kept">Ids of those asked for that stay: meanwhile used or needed, or not there.</param>
/// <param name="FreedBytes">By how much the layers of all images shrank.</param>
public sealed record PruneResult(IReadOnlyList<PrunableImage> Removed, IReadOnlyList<string> Kept, long FreedBytes);

/// <summary>
/// Removes images that nothing needs. What a container uses and what a kept restore needs is never offered and never
/// removed, whoever asks; what is not Deployer's own is removed only by name.
/// </summary>
public sealed class EnginePruning(IDbContextFactory<DeployerDb> databases, IContainerEngine engine, IOptions<RunnerOptions> options)
{
    /// <summary>Looks at what could be removed.</summary>
    /// <exception cref="EngineException">The engine does not answer.</exception>
    public async Task<PrunePreview> PreviewAsync(CancellationToken cancellationToken) =>
        Sort((await engine.MeasureDiskAsync(cancellationToken)).Images, await ReadOwnAsync(cancellationToken));

    /// <summary>Removes images.</summary>
    /// <param name="imageIds">Ids of images to remove; <see langword="null"/> for those of kind <see cref="PruneKind.Surplus"/>.</param>
    /// <param name="cancellationToken">Ends the removal between two images.</param>
    /// <exception cref="EngineException">The engine does not answer; what was removed until then is gone.</exception>
    public async Task<PruneResult> PruneAsync(IReadOnlyCollection<string>? imageIds, CancellationToken cancellationToken)
    {
        var before = await engine.MeasureDiskAsync(cancellationToken);
        var offered = Sort(before.Images, await ReadOwnAsync(cancellationToken)).Images;
        var chosen = offered.Where(image => imageIds is null ? image.Kind == PruneKind.Surplus : imageIds.Contains(image.Id, StringComparer.Ordinal)).ToList();
        var removed = new List<PrunableImage>();
        foreach (var image in chosen)
        {
            // A deployment may have come to need it meanwhile: looked at again before each.
            if ((await ReadOwnAsync(cancellationToken)).Needed.Contains(image.Id))
            {
                continue;
            }

            // An image with several names is removed name by name; the last one takes the layers along.
            foreach (var name in image.Names.DefaultIfEmpty(image.Id))
            {
                await engine.RemoveImageAsync(name, cancellationToken);
            }

            if (await engine.FindImageAsync(image.Id, cancellationToken) is not null)
            {
                await engine.RemoveImageAsync(image.Id, cancellationToken);
            }

            if (await engine.FindImageAsync(image.Id, cancellationToken) is null)
            {
                removed.Add(image);
            }
        }

        var after = removed.Count == 0 ? before : await engine.MeasureDiskAsync(cancellationToken);
        return new PruneResult(
            removed,
            [.. (imageIds ?? [.. chosen.Select(image => image.Id)]).Except(removed.Select(image => image.Id), StringComparer.Ordinal)],
            Math.Max(0, before.ImageBytes - after.ImageBytes));
    }

    private static PrunePreview Sort(IReadOnlyList<HeldImage> images, OwnImages own)
    {
        var prunable = images
            .Where(image => image.Containers == 0 && !own.Needed.Contains(image.Id))
            .Select(image => new PrunableImage(
                image.Id, image.Names, image.CreatedAt, image.Bytes, image.OwnBytes,
                own.All.Contains(image.Id) ? PruneKind.Surplus : image.Names.Count == 0 ? PruneKind.Nameless : PruneKind.Foreign))
            .OrderByDescending(image => image.FreesBytes)
            .ToList();
        return new PrunePreview(
            prunable,
            images.Count(image => own.Needed.Contains(image.Id)),
            images.Count(image => image.Containers > 0 && !own.Needed.Contains(image.Id)));
    }

    // As cleaning up after a deployment does: each app keeps the images of its last successes and of what runs or serves.
    private async Task<OwnImages> ReadOwnAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var rows = await db.Deployments.AsNoTracking()
            .Where(deployment => deployment.ImageId != null)
            .GroupBy(deployment => new { deployment.AppId, deployment.ImageId })
            .Select(group => new
            {
                group.Key.AppId,
                ImageId = group.Key.ImageId!,
                Newest = group.Max(deployment => deployment.Status == DeploymentStatus.Succeeded ? deployment.Id : 0),
                Runs = group.Max(deployment => deployment.Status == DeploymentStatus.Running ? 1 : 0),
            })
            .ToListAsync(cancellationToken);
        var serving = await db.Apps.Where(app => app.CurrentDeploymentId != null)
            .Join(db.Deployments, app => app.CurrentDeploymentId, deployment => deployment.Id, (_, deployment) => deployment.ImageId)
            .ToListAsync(cancellationToken);
        var needed = rows.Where(row => row.Newest > 0)
            .GroupBy(row => row.AppId)
            .SelectMany(app => app.OrderByDescending(row => row.Newest).Take(options.Value.KeepImages))
            .Concat(rows.Where(row => row.Runs == 1))
            .Select(row => row.ImageId)
            .Concat(serving.OfType<string>());
        return new OwnImages(
            rows.Select(row => row.ImageId).ToHashSet(StringComparer.Ordinal),
            needed.ToHashSet(StringComparer.Ordinal));
    }

    /// <param name="All">Images that deployments of this Deployer brought.</param>
    /// <param name="Needed">Those that stay.</param>
    private sealed record OwnImages(HashSet<string> All, HashSet<string> Needed);
}
