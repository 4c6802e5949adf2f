using System.Text.Json;
using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Engine;
using Deployer.Core.Registries;
using Deployer.Core.Secrets;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Deployments;

/// <summary>Where the image of an earlier deployment is.</summary>
public enum ImageWhereabouts
{
    /// <summary>The engine holds it: no registry is needed.</summary>
    Here,

    /// <summary>The registry has it still.</summary>
    InRegistry,

    /// <summary>Neither the engine nor the registry has it: the restore would fail.</summary>
    Gone,

    /// <summary>The engine does not hold it, and the registry did not tell.</summary>
    Unknown,
}

/// <summary>Which secret values a restored deployment gets.</summary>
public enum SecretChoice
{
    /// <summary>Those that the earlier deployment had.</summary>
    Old,

    /// <summary>Those that the app has now.</summary>
    Current,
}

/// <summary>A field of the spec that a restore changes.</summary>
/// <param name="Field">Name of the field as in the API.</param>
/// <param name="Current">What serves now, as JSON; <see langword="null"/> where nothing does.</param>
/// <param name="Restored">What would serve then, as JSON.</param>
public sealed record SpecDifference(string Field, string? Current, string Restored);

/// <summary>A secret whose value differs between then and now.</summary>
/// <param name="Name">Its name.</param>
/// <param name="HadValue">Whether the earlier deployment had a value.</param>
/// <param name="HasValue">Whether the app has one now.</param>
public sealed record SecretDifference(string Name, bool HadValue, bool HasValue);

/// <summary>What a restore would do, and whether it can.</summary>
/// <param name="Restored">The deployment that would come back.</param>
/// <param name="Current">The one that serves now; <see langword="null"/> where none does.</param>
/// <param name="Image">Where its image is.</param>
/// <param name="Differences">What would change of image and spec.</param>
/// <param name="Secrets">Secrets whose values have changed since: whoever restores says which to take.</param>
/// <param name="StopFirst">Why the app stops for the change-over; <see langword="null"/> when it goes without downtime.</param>
/// <param name="WhyNot">Why it cannot be restored; <see langword="null"/> when it can.</param>
public sealed record RestoreCheck(
    DeploymentView Restored, DeploymentView? Current, ImageWhereabouts Image, IReadOnlyList<SpecDifference> Differences,
    IReadOnlyList<SecretDifference> Secrets, string? StopFirst, string? WhyNot);

/// <summary>Brings earlier deployments back: the very image, the very spec.</summary>
public sealed class Restorer(
    IDbContextFactory<DeployerDb> databases, DeploymentQueue queue, DeploymentReader reader, SecretBook secrets, RegistryBook registries,
    RegistryClient client, IContainerEngine engine)
{
    /// <summary>Looks at what a restore would do; <see langword="null"/> when there is no such deployment.</summary>
    /// <exception cref="EngineException">The engine does not answer.</exception>
    public async Task<RestoreCheck?> CheckAsync(long deploymentId, CancellationToken cancellationToken)
    {
        if (await reader.FindAsync(deploymentId, cancellationToken) is not { } view)
        {
            return null;
        }

        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var row = await db.Deployments.AsNoTracking().SingleAsync(deployment => deployment.Id == deploymentId, cancellationToken);
        var app = await db.Apps.AsNoTracking().SingleAsync(other => other.Id == row.AppId, cancellationToken);
        var current = app.CurrentDeploymentId is { } id ? await reader.FindAsync(id, cancellationToken) : null;
        var whyNot = WhyNot(row);
        var image = whyNot is null ? await LocateAsync(PinnedImage(row), cancellationToken) : ImageWhereabouts.Unknown;
        return new RestoreCheck(
            view,
            current,
            image,
            whyNot is null ? Compare(current, PinnedSpec(row)) : [],
            await CompareSecretsAsync(db, row, cancellationToken),
            TakeOver.WhyStopFirst(row.Spec),
            whyNot ?? (image == ImageWhereabouts.Gone ? "Neither the engine nor the registry has its image any more." : null));
    }

    /// <summary>Queues a deployment that brings an earlier one back.</summary>
    /// <param name="deploymentId">The earlier one; it must have succeeded.</param>
    /// <param name="choice">Which secret values to take.</param>
    /// <param name="request">Who asks and why; an image in it is not heeded.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns><see cref="EnqueueResult.NotRestorable"/> where it cannot; <see langword="null"/> for an unknown deployment.</returns>
    /// <exception cref="SecretUnreadableException">A secret cannot be decrypted.</exception>
    public async Task<EnqueueResult?> RestoreAsync(
        long deploymentId, SecretChoice choice, DeploymentRequest request, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        if (await db.Deployments.AsNoTracking().SingleOrDefaultAsync(deployment => deployment.Id == deploymentId, cancellationToken) is not { } row)
        {
            return null;
        }

        if (WhyNot(row) is { } whyNot)
        {
            return new EnqueueResult.NotRestorable(whyNot);
        }

        var app = await db.Apps.Where(other => other.Id == row.AppId).Select(other => other.Name).SingleAsync(cancellationToken);
        var spec = PinnedSpec(row);
        return await queue.EnqueueAsync(
            app,
            request with { Image = null },
            earlier => earlier.RestoredFrom == deploymentId && (spec.Secrets.Count == 0 || HasSecretsOf(row, earlier) == (choice == SecretChoice.Old)),
            async (writing, found) => new QueuedSnapshot(
                spec,
                choice == SecretChoice.Old ? row.SealedSecrets : await secrets.TakeSnapshotAsync(writing, found.Id, spec.Secrets, cancellationToken),
                deploymentId),
            cancellationToken);
    }

    /// <summary>The fields of a spec that differ from what serves; an image counts with its digest.</summary>
    internal static List<SpecDifference> Compare(DeploymentView? current, AppSpec restored)
    {
        var now = current is null ? null : JsonSerializer.SerializeToNode(
            current.Digest is null ? current.Spec : current.Spec with { Image = WithDigest(current.Spec.Image, current.Digest) }, DeployerJson.Options)!.AsObject();
        return [.. JsonSerializer.SerializeToNode(restored, DeployerJson.Options)!.AsObject()
            .Select(field => new SpecDifference(field.Key, now is null ? null : Json(now[field.Key]), Json(field.Value)))
            .Where(difference => !string.Equals(difference.Current, difference.Restored, StringComparison.Ordinal))];
    }

    private static string? WhyNot(Deployment row) => row switch
    {
        { Status: not DeploymentStatus.Succeeded } => "Only a deployment that succeeded can be restored.",
        { Digest: null } => "Its image has no digest, so the very same image cannot be had again.",
        _ => null,
    };

    // Old values are a copy of the sealed text; current ones are sealed anew, which never gives the same text twice.
    private static bool HasSecretsOf(Deployment row, Deployment earlier) =>
        string.Equals(earlier.SealedSecrets, row.SealedSecrets, StringComparison.Ordinal);

    private static AppSpec PinnedSpec(Deployment row) => row.Spec with { Image = PinnedImage(row).ToString() };

    // The tag stays for people to read; the digest decides.
    private static ImageReference PinnedImage(Deployment row)
    {
        var asked = ImageReference.Parse(row.Spec.Image).WithDefaultTag();
        return asked.Digest is null ? ImageReference.Parse($"{asked}@{row.Digest}") : asked;
    }

    private async Task<ImageWhereabouts> LocateAsync(ImageReference image, CancellationToken cancellationToken)
    {
        if (await engine.FindImageAsync(image.PullName, cancellationToken) is not null)
        {
            return ImageWhereabouts.Here;
        }

        return await client.HasAsync(image, await registries.FindAsync(image.Domain, cancellationToken), cancellationToken) switch
        {
            true => ImageWhereabouts.InRegistry,
            false => ImageWhereabouts.Gone,
            null => ImageWhereabouts.Unknown,
        };
    }

    private static string WithDigest(string image, string digest)
    {
        var reference = ImageReference.Parse(image).WithDefaultTag();
        return reference.Digest is null ? $"{reference}@{digest}" : reference.ToString();
    }

    private static string Json(System.Text.Json.Nodes.JsonNode? node) => node?.ToJsonString(DeployerJson.Options) ?? "null";

    private async Task<IReadOnlyList<SecretDifference>> CompareSecretsAsync(DeployerDb db, Deployment row, CancellationToken cancellationToken)
    {
        var then = secrets.OpenSnapshot(row.SealedSecrets);
        var now = secrets.OpenSnapshot(await secrets.TakeSnapshotAsync(db, row.AppId, row.Spec.Secrets, cancellationToken));
        return [.. row.Spec.Secrets
            .Where(name => !string.Equals(then.GetValueOrDefault(name), now.GetValueOrDefault(name), StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name => new SecretDifference(name, then.ContainsKey(name), now.ContainsKey(name)))];
    }
}
