using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Engine;
using Deployer.Core.Environments;
using Deployer.Core.Registries;
using Deployer.Core.Secrets;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Deployments;

/// <summary>What a deployment of an app would change, and what stands against it.</summary>
/// <param name="App">The app with the settings that would be deployed.</param>
/// <param name="Current">What serves now; <see langword="null"/> where nothing does.</param>
/// <param name="Differences">Settings that were changed since, without the image, which whoever deploys may choose.</param>
/// <param name="Secrets">Secrets whose values were changed since.</param>
/// <param name="MissingSecrets">Secrets that the settings name and that have no value: the deployment would fail.</param>
/// <param name="StopFirst">Why the app stops for the change-over; <see langword="null"/> when it goes without downtime.</param>
/// <param name="Terms">The rules of its environment as they hold now.</param>
public sealed record DeployPlan(
    AppView App, DeploymentView? Current, IReadOnlyList<SpecDifference> Differences, IReadOnlyList<SecretDifference> Secrets,
    IReadOnlyList<string> MissingSecrets, string? StopFirst, EnvironmentTerms Terms);

/// <summary>The rules of an environment as they hold now.</summary>
/// <param name="Name">The environment.</param>
/// <param name="Protected">Whether a deployment waits for a second person's approval.</param>
/// <param name="Freeze">The freeze that holds now; <see langword="null"/> for none.</param>
public sealed record EnvironmentTerms(string Name, bool Protected, FreezeView? Freeze);

/// <summary>Tags that could be deployed.</summary>
/// <param name="IsTold">Whether the registry told.</param>
/// <param name="Tags">The tags, the newest-looking first.</param>
public sealed record TagOffer(bool IsTold, IReadOnlyList<string> Tags)
{
    /// <summary>The registry did not tell.</summary>
    public static TagOffer Untold { get; } = new(IsTold: false, []);
}

/// <summary>Tells before the click what a deployment would do.</summary>
public sealed class DeployPlanner(
    IDbContextFactory<DeployerDb> databases, AppCatalog catalog, DeploymentReader reader, SecretBook secrets,
    RegistryBook registries, RegistryClient client, TimeProvider time)
{
    /// <summary>Looks at what a deployment would do; <see langword="null"/> when there is no such app.</summary>
    /// <exception cref="SecretUnreadableException">A secret of the app cannot be decrypted.</exception>
    public async Task<DeployPlan?> PlanAsync(string appName, CancellationToken cancellationToken)
    {
        if (await catalog.FindAsync(appName, cancellationToken) is not { } app)
        {
            return null;
        }

        var current = app.CurrentDeployment is { } serving ? await reader.FindAsync(serving.Id, cancellationToken) : null;
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var then = current is null ? null : await db.Deployments.Where(row => row.Id == current.Id).Select(row => row.SealedSecrets).SingleOrDefaultAsync(cancellationToken);
        var had = secrets.OpenSnapshot(then);
        var has = secrets.OpenSnapshot(await secrets.TakeSnapshotAsync(db, app.Id, app.Spec.Secrets, cancellationToken));
        return new DeployPlan(
            app,
            current,
            current is null ? [] : [.. Restorer.Compare(current, app.Spec).Where(difference => difference.Field != "image")],
            current is null ? [] : [.. app.Spec.Secrets
                .Where(name => !string.Equals(had.GetValueOrDefault(name), has.GetValueOrDefault(name), StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(name => new SecretDifference(name, had.ContainsKey(name), has.ContainsKey(name)))],
            [.. app.Spec.Secrets.Where(name => !has.ContainsKey(name)).Order(StringComparer.Ordinal)],
            current is null ? null : TakeOver.WhyStopFirst(app.Spec),
            await FindTermsAsync(db, app.Environment, cancellationToken));
    }

    /// <summary>The rules of an app's environment as they hold now; <see langword="null"/> when there is no such app.</summary>
    public async Task<EnvironmentTerms?> FindTermsAsync(string appName, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Apps.Where(app => app.Name == appName).Select(app => app.Environment).FirstOrDefaultAsync(cancellationToken) is { } environment
            ? await FindTermsAsync(db, environment, cancellationToken)
            : null;
    }

    /// <summary>Tags of the repository of an app's image.</summary>
    public async Task<TagOffer> ListTagsAsync(string appName, CancellationToken cancellationToken)
    {
        if (await catalog.FindAsync(appName, cancellationToken) is not { } app || !ImageReference.TryParse(app.Spec.Image, out var image, out _))
        {
            return TagOffer.Untold;
        }

        try
        {
            var tags = await client.ListTagsAsync(image, await registries.FindAsync(image.Domain, cancellationToken), cancellationToken);
            return tags is null ? TagOffer.Untold : new TagOffer(IsTold: true, [.. tags.Order(TagOrder.NewestFirst)]);
        }
        catch (SecretUnreadableException)
        {
            // The deployment itself will say so; here the tags are only a help.
            return TagOffer.Untold;
        }
    }

    private async Task<EnvironmentTerms> FindTermsAsync(DeployerDb db, string environment, CancellationToken cancellationToken)
    {
        var freeze = await EnvironmentBook.FindFreeze(db, environment, time.Now()).FirstOrDefaultAsync(cancellationToken);
        return new EnvironmentTerms(
            environment,
            await db.Set<EnvironmentRules>().AnyAsync(rules => rules.Name == environment && rules.Protected, cancellationToken),
            freeze is null ? null : new FreezeView(freeze.Id, freeze.StartsAt, freeze.EndsAt, freeze.Reason, freeze.CreatedBy));
    }
}
