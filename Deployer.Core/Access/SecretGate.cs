using Deployer.Core.Audit;
using Deployer.Core.Data;
using Deployer.Core.Secrets;

namespace Deployer.Core.Access;

/// <summary>
/// The verbs of <see cref="SecretBook"/> for whoever acts: names for viewers, changes for admins, and every change in the
/// audit log by name, never by value.
/// </summary>
public sealed class SecretGate(SecretBook book, AccessSubjects subjects, ICurrentActor current, AuditLog audit)
{
    /// <summary>An app's secrets by name; <see langword="null"/> when there is no such app that the caller may see.</summary>
    public async Task<IReadOnlyList<SecretView>?> ListAsync(string app, CancellationToken cancellationToken) =>
        await FindAsync(await current.GetAsync(cancellationToken), app, cancellationToken) is null
            ? null
            : await book.ListAsync(app, cancellationToken);

    /// <summary>Stores a value; for admins of the app.</summary>
    /// <exception cref="AccessDeniedException">The caller is none.</exception>
    public Task<SecretChange> SetAsync(string app, string name, string value, CancellationToken cancellationToken) =>
        ChangeAsync(app, name, AuditAction.SecretsSet, alongside => book.SetAsync(app, name, value, alongside, cancellationToken), cancellationToken);

    /// <summary>Forgets a value; for admins of the app.</summary>
    /// <exception cref="AccessDeniedException">The caller is none.</exception>
    public Task<SecretChange> RemoveAsync(string app, string name, CancellationToken cancellationToken) =>
        ChangeAsync(app, name, AuditAction.SecretsRemoved, alongside => book.RemoveAsync(app, name, alongside, cancellationToken), cancellationToken);

    private async Task<SecretChange> ChangeAsync(
        string app, string name, string action, Func<Action<DeployerDb>, Task<SecretChange>> change, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        if (await FindAsync(actor, app, cancellationToken) is not { } subject)
        {
            return SecretChange.AppUnknown;
        }

        actor.Demand(AccessRole.Admin, subject.Environment, subject.App);
        return await change(db => audit.Stage(
            db, actor, new AuditFact(action, AuditSubject.App(app)) { Environment = subject.Environment, Note = name }));
    }

    private async Task<AccessSubject?> FindAsync(Actor actor, string app, CancellationToken cancellationToken) =>
        await subjects.FindAppAsync(app, cancellationToken) is { } subject && actor.May(AccessRole.Viewer, subject.Environment, subject.App)
            ? subject
            : null;
}
