using Deployer.Core.Audit;
using Deployer.Core.Data;
using Deployer.Core.Engine;
using Deployer.Core.Registries;

namespace Deployer.Core.Access;

/// <summary>The verbs of <see cref="RegistryBook"/>, for admins of everything; every change is written to the audit log.</summary>
public sealed class RegistryGate(RegistryBook book, ICurrentActor current, AuditLog audit)
{
    /// <summary>The registries with credentials, by host.</summary>
    /// <exception cref="AccessDeniedException">The caller is no admin everywhere.</exception>
    public async Task<IReadOnlyList<RegistryView>> ListAsync(CancellationToken cancellationToken)
    {
        (await current.GetAsync(cancellationToken)).DemandEverywhere(AccessRole.Admin);
        return await book.ListAsync(cancellationToken);
    }

    /// <summary>Stores credentials.</summary>
    /// <exception cref="AccessDeniedException">The caller is no admin everywhere.</exception>
    public Task<RegistryChange> SaveAsync(string host, string userName, string password, CancellationToken cancellationToken) =>
        ChangeAsync(host, AuditAction.RegistrySaved, userName, alongside => book.SaveAsync(host, userName, password, alongside, cancellationToken), cancellationToken);

    /// <summary>Forgets credentials.</summary>
    /// <exception cref="AccessDeniedException">The caller is no admin everywhere.</exception>
    public Task<RegistryChange> RemoveAsync(string host, CancellationToken cancellationToken) =>
        ChangeAsync(host, AuditAction.RegistryRemoved, null, alongside => book.RemoveAsync(host, alongside, cancellationToken), cancellationToken);

    /// <summary>Tests credentials: those given, else the stored ones; <see langword="null"/> where there are neither.</summary>
    /// <exception cref="AccessDeniedException">The caller is no admin everywhere.</exception>
    public async Task<RegistryTest?> TestAsync(string host, RegistryCredentials? credentials, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        actor.DemandEverywhere(AccessRole.Admin);
        var test = credentials is null
            ? await book.TestAsync(host, cancellationToken)
            : await book.TestAsync(host, credentials, cancellationToken);
        if (test is not null)
        {
            await audit.RecordAsync(actor, new AuditFact(AuditAction.RegistryTested, AuditSubject.Registry(host))
            {
                Note = credentials is null ? "the stored credentials" : "credentials that were not stored",
            }, cancellationToken);
        }

        return test;
    }

    private async Task<RegistryChange> ChangeAsync(
        string host, string action, string? note, Func<Action<DeployerDb>, Task<RegistryChange>> change, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        actor.DemandEverywhere(AccessRole.Admin);
        return await change(db => audit.Stage(db, actor, new AuditFact(action, AuditSubject.Registry(host)) { Note = note }));
    }
}
