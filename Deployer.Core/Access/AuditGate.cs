using Deployer.Core.Audit;

namespace Deployer.Core.Access;

/// <summary>The audit log for whoever acts: owners alone read it, and taking it away is itself written down.</summary>
public sealed class AuditGate(AuditLog audit, ICurrentActor current)
{
    /// <summary>The most entries that one page gives.</summary>
    public const int MaxLimit = 500;

    /// <summary>The newest entries that fit, newest first.</summary>
    /// <exception cref="AccessDeniedException">The caller is no owner.</exception>
    public async Task<IReadOnlyList<AuditEntry>> SearchAsync(AuditQuery query, int limit, CancellationToken cancellationToken)
    {
        (await current.GetAsync(cancellationToken)).DemandEverywhere(AccessRole.Owner);
        return await audit.SearchAsync(query, limit, cancellationToken);
    }

    /// <summary>Notes that the log is taken away, and gives every entry that fits, oldest first; the note itself is the last.</summary>
    /// <exception cref="AccessDeniedException">The caller is no owner.</exception>
    public async Task<IAsyncEnumerable<AuditEntry>> ExportAsync(AuditQuery query, string format, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        actor.DemandEverywhere(AccessRole.Owner);
        await audit.RecordAsync(actor, new AuditFact(AuditAction.AuditExported, AuditSubject.AuditLog) { After = query, Note = format }, cancellationToken);
        return audit.ExportAsync(query, cancellationToken);
    }
}
