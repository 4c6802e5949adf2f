using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Routing;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Apps;

/// <summary>The apps: list, add, change, remove.</summary>
public sealed class AppCatalog(
    IDbContextFactory<DeployerDb> databases, IContainerEngine engine, InstanceIdentity instance, AppOperations operations, DeploymentFeed feed,
    TimeProvider time)
{
    /// <summary>SQLite's extended result code for a broken unique index (SQLITE_CONSTRAINT_UNIQUE).</summary>
    private const int UniqueViolation = 2067;

    /// <summary>Every app, by name.</summary>
    public async Task<IReadOnlyList<AppView>> ListAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await ViewAsync(db, db.Apps.OrderBy(app => app.Name), cancellationToken);
    }

    /// <summary>The app of that name; <see langword="null"/> when there is none.</summary>
    public async Task<AppView?> FindAsync(string name, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return (await ViewAsync(db, db.Apps.Where(app => app.Name == name), cancellationToken)).SingleOrDefault();
    }

    /// <summary>Adds an app.</summary>
    /// <returns><see cref="AppChange.Saved"/>, <see cref="AppChange.Invalid"/> or <see cref="AppChange.NameTaken"/>.</returns>
    public Task<AppChange> AddAsync(AppDraft draft, CancellationToken cancellationToken) =>
        AddAsync(draft, (_, _) => { }, cancellationToken);

    /// <summary>Adds an app together with what <paramref name="alongside"/> adds to its transaction.</summary>
    internal async Task<AppChange> AddAsync(AppDraft draft, Action<DeployerDb, App> alongside, CancellationToken cancellationToken)
    {
        var checkedDraft = AppValidation.Check(draft);
        if (checkedDraft.App is not { } valid)
        {
            return new AppChange.Invalid(checkedDraft.Errors);
        }

        var now = time.Now();
        var app = new App
        {
            Name = valid.Name,
            Environment = valid.Environment,
            Spec = valid.Spec,
            CreatedAt = now,
            UpdatedAt = now,
        };
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var change = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.Apps.AnyAsync(other => other.Name == valid.Name, cancellationToken))
        {
            return new AppChange.NameTaken(valid.Name);
        }

        db.Apps.Add(app);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            await HostBook.ReserveAsync(db, app.Id, valid.Spec.Hosts, cancellationToken);
            alongside(db, app);
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException exception) when (exception.InnerException is SqliteException { SqliteExtendedErrorCode: UniqueViolation })
        {
            // Somebody else took the name between the look and the insert.
            return new AppChange.NameTaken(valid.Name);
        }
        catch (HostTakenException exception)
        {
            return Refuse(exception, valid.Spec);
        }

        await change.CommitAsync(cancellationToken);
        feed.PublishApps();
        return new AppChange.Saved(new AppView(app.Id, app.Name, app.Environment, app.Spec, now, now, null, null));
    }

    /// <summary>
    /// Replaces an app's settings; they take effect with its next deployment. The name stays, and so do the names of its
    /// secrets where the draft has none.
    /// </summary>
    /// <returns><see cref="AppChange.Saved"/>, <see cref="AppChange.Invalid"/> or <see cref="AppChange.Unknown"/>.</returns>
    public Task<AppChange> ChangeAsync(string name, AppDraft draft, CancellationToken cancellationToken) =>
        ChangeAsync(name, draft, (_, _, _) => { }, cancellationToken);

    /// <summary>The same together with what <paramref name="alongside"/>, which gets the app before and after, adds to the transaction.</summary>
    internal async Task<AppChange> ChangeAsync(
        string name, AppDraft draft, Action<DeployerDb, App, App> alongside, CancellationToken cancellationToken)
    {
        var now = time.Now();
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var change = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.Apps.AsNoTracking().SingleOrDefaultAsync(app => app.Name == name, cancellationToken) is not { } before)
        {
            return new AppChange.Unknown(name);
        }

        // Read here, where no other change comes between: a secret may have been stored since the caller looked.
        var checkedDraft = AppValidation.CheckChange(name, draft with { Secrets = draft.Secrets ?? before.Spec.Secrets });
        if (checkedDraft.App is not { } valid)
        {
            return new AppChange.Invalid(checkedDraft.Errors);
        }

        await db.Apps.Where(app => app.Id == before.Id).ExecuteUpdateAsync(
            update => update
                .SetProperty(app => app.Environment, valid.Environment)
                .SetProperty(app => app.Spec, valid.Spec)
                .SetProperty(app => app.UpdatedAt, now),
            cancellationToken);
        try
        {
            await HostBook.ReserveAsync(db, before.Id, valid.Spec.Hosts, cancellationToken);
            alongside(db, before, await db.Apps.AsNoTracking().SingleAsync(app => app.Id == before.Id, cancellationToken));
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (HostTakenException exception)
        {
            return Refuse(exception, valid.Spec);
        }

        await change.CommitAsync(cancellationToken);
        feed.PublishApps();
        return await FindAsync(name, cancellationToken) is { } saved ? new AppChange.Saved(saved) : new AppChange.Unknown(name);
    }

    /// <summary>
    /// Removes an app with its containers, routes, deployments, logs and secrets; its volumes and images stay. First its
    /// hosts answer 503, requests under way end, and its container has its grace to stop. When the engine does not answer,
    /// nothing is removed and the call can be repeated.
    /// </summary>
    /// <exception cref="EngineException">The engine does not answer or refuses; the app is still there.</exception>
    public Task<AppRemoval> RemoveAsync(string name, CancellationToken cancellationToken) => RemoveAsync(name, _ => { }, cancellationToken);

    /// <summary>The same together with what <paramref name="alongside"/> adds to the transaction that removes it.</summary>
    internal async Task<AppRemoval> RemoveAsync(string name, Action<DeployerDb> alongside, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        if (!await db.Apps.AnyAsync(app => app.Name == name, cancellationToken))
        {
            return new AppRemoval.Unknown(name);
        }

        var last = await FindLastAsync(db, name, cancellationToken) ?? 0;
        if (await FindUnfinishedAsync(db, name, cancellationToken) is { } unfinished)
        {
            return new AppRemoval.Busy(unfinished);
        }

        // An app that never ran has nothing to stop. To stop one may take as long as its requests and its grace do: of a
        // deployment that began meanwhile nothing is touched.
        if (await operations.StopAsync(name, cancellationToken) == OperationResult.Busy)
        {
            return new AppRemoval.Busy(await FindLastAsync(db, name, cancellationToken) ?? last);
        }

        foreach (var container in await engine.ListContainersAsync(ContainerNames.OfApp(instance.Id, name), cancellationToken))
        {
            if (ContainerNames.DeploymentOf(container) is not { } made || made <= last)
            {
                await engine.RemoveContainerAsync(container.Id, cancellationToken);
            }
        }

        // Somebody may have pressed Deploy meanwhile: then the app stays, and that deployment makes it run again. The routes
        // go with the app, which the proxies see by their version.
        await using var removal = await db.Database.BeginTransactionAsync(cancellationToken);
        await HostBook.TickAsync(db, cancellationToken);
        var removed = await db.Apps
            .Where(app => app.Name == name && !db.Deployments.Any(deployment => deployment.AppId == app.Id && deployment.Id > last))
            .ExecuteDeleteAsync(cancellationToken);
        if (removed == 0)
        {
            return await FindLastAsync(db, name, cancellationToken) is { } started
                ? new AppRemoval.Busy(started)
                : new AppRemoval.Unknown(name);
        }

        alongside(db);
        await db.SaveChangesAsync(cancellationToken);
        await removal.CommitAsync(cancellationToken);
        feed.PublishApps();
        return new AppRemoval.Removed();
    }

    private static AppChange.Invalid Refuse(HostTakenException refusal, AppSpec spec) => new(refusal.Taken.ToDictionary(
        taken => $"hosts[{spec.Hosts.ToList().FindIndex(host => string.Equals(Route.Normalize(host), taken.Host, StringComparison.Ordinal))}]",
        taken => new[] { $"'{taken.Host}' belongs to the app {taken.App}; take it off there first, or choose another." },
        StringComparer.Ordinal));

    private static Task<long?> FindLastAsync(DeployerDb db, string name, CancellationToken cancellationToken) =>
        db.Deployments
            .Where(deployment => db.Apps.Any(app => app.Id == deployment.AppId && app.Name == name))
            .MaxAsync(deployment => (long?)deployment.Id, cancellationToken);

    private static Task<long?> FindUnfinishedAsync(DeployerDb db, string name, CancellationToken cancellationToken) =>
        (from app in db.Apps
         join deployment in db.Deployments on app.Id equals deployment.AppId
         where app.Name == name
             && (deployment.Status == DeploymentStatus.Queued || deployment.Status == DeploymentStatus.Running)
         orderby deployment.Id
         select (long?)deployment.Id).FirstOrDefaultAsync(cancellationToken);

    /// <summary>
    /// Two steps along indexes, apps with the ids of their deployments and then those deployments: as one query the newest
    /// of each app would be found by sorting the whole history.
    /// </summary>
    private static async Task<IReadOnlyList<AppView>> ViewAsync(DeployerDb db, IQueryable<App> apps, CancellationToken cancellationToken)
    {
        var rows = await apps.AsNoTracking()
            .Select(app => new
            {
                App = app,
                LastId = db.Deployments.Where(deployment => deployment.AppId == app.Id)
                    .OrderByDescending(deployment => deployment.Number).Select(deployment => (long?)deployment.Id).FirstOrDefault(),
            })
            .ToListAsync(cancellationToken);
        var ids = rows.SelectMany(row => new[] { row.LastId, row.App.CurrentDeploymentId }).OfType<long>().Distinct().ToList();
        var deployments = await db.Deployments.AsNoTracking()
            .Where(deployment => ids.Contains(deployment.Id))
            .Select(deployment => new DeploymentSummary(
                deployment.Id, deployment.Number, deployment.Status, deployment.Spec.Image, deployment.Digest,
                deployment.CreatedAt, deployment.StartedAt, deployment.EndedAt))
            .ToDictionaryAsync(deployment => deployment.Id, cancellationToken);
        return [.. rows.Select(row => new AppView(
            row.App.Id, row.App.Name, row.App.Environment, row.App.Spec, row.App.CreatedAt, row.App.UpdatedAt,
            row.LastId is { } last ? deployments.GetValueOrDefault(last) : null,
            row.App.CurrentDeploymentId is { } current ? deployments.GetValueOrDefault(current) : null))];
    }
}
