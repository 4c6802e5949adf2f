using Deployer.Core.Apps;
using Deployer.Core.Audit;

namespace Deployer.Core.Access;

/// <summary>
/// The verbs of <see cref="AppCatalog"/> for whoever acts: what their roles do not allow is refused, what they may not
/// see is not there, and every change is written to the audit log.
/// </summary>
public sealed class AppGate(AppCatalog catalog, ICurrentActor current, AuditLog audit)
{
    /// <summary>The apps that the caller may see, by name.</summary>
    public async Task<IReadOnlyList<AppView>> ListAsync(CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        return [.. (await catalog.ListAsync(cancellationToken)).Where(app => actor.May(AccessRole.Viewer, app.Environment, app.Name))];
    }

    /// <summary>The app of that name; <see langword="null"/> when there is none that the caller may see.</summary>
    public async Task<AppView?> FindAsync(string name, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        return await catalog.FindAsync(name, cancellationToken) is { } app && actor.May(AccessRole.Viewer, app.Environment, app.Name)
            ? app
            : null;
    }

    /// <summary>Adds an app; for admins of its environment.</summary>
    /// <exception cref="AccessDeniedException">The caller is none.</exception>
    public async Task<AppChange> AddAsync(AppDraft draft, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        DemandAdmin(actor, draft.Environment, draft.Name);
        return await catalog.AddAsync(
            draft,
            (db, app) => audit.Stage(db, actor, new AuditFact(AuditAction.AppAdded, AuditSubject.App(app.Name))
            {
                Environment = app.Environment,
                After = Shown(app.Environment, app.Spec),
            }),
            cancellationToken);
    }

    /// <summary>Replaces an app's settings; for admins of its environment, and of the new one when it moves.</summary>
    /// <exception cref="AccessDeniedException">The caller is none.</exception>
    public async Task<AppChange> ChangeAsync(string name, AppDraft draft, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        if (await FindAsync(name, cancellationToken) is not { } before)
        {
            return new AppChange.Unknown(name);
        }

        actor.Demand(AccessRole.Admin, before.Environment, name);
        DemandAdmin(actor, draft.Environment, name);
        return await catalog.ChangeAsync(
            name,
            draft,
            (db, was, after) =>
            {
                actor.Demand(AccessRole.Admin, was.Environment, name); // it may have moved since it was looked up
                audit.Stage(db, actor, new AuditFact(AuditAction.AppChanged, AuditSubject.App(name))
                {
                    Environment = after.Environment,
                    Before = Shown(was.Environment, was.Spec),
                    After = Shown(after.Environment, after.Spec),
                });
            },
            cancellationToken);
    }

    /// <summary>Removes an app; for admins of its environment.</summary>
    /// <exception cref="AccessDeniedException">The caller is none.</exception>
    public async Task<AppRemoval> RemoveAsync(string name, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        if (await FindAsync(name, cancellationToken) is not { } app)
        {
            return new AppRemoval.Unknown(name);
        }

        actor.Demand(AccessRole.Admin, app.Environment, name);
        return await catalog.RemoveAsync(
            name,
            db => audit.Stage(db, actor, new AuditFact(AuditAction.AppRemoved, AuditSubject.App(name))
            {
                Environment = app.Environment,
                Before = Shown(app.Environment, app.Spec),
            }),
            cancellationToken);
    }

    private static void DemandAdmin(Actor actor, string? environment, string? app)
    {
        var name = string.IsNullOrWhiteSpace(environment) ? AppValidation.DefaultEnvironment : environment.Trim();
        actor.Demand(AccessRole.Admin, name, app);
    }

    /// <summary>What the audit log keeps of an app. Values of variables stay out: people put secrets there all the same.</summary>
    private static object Shown(string environment, AppSpec spec) => new
    {
        Environment = environment,
        Spec = spec with { Env = spec.Env.ToDictionary(pair => pair.Key, _ => "…", StringComparer.Ordinal) },
    };
}
