using Deployer.Core.Access;
using Deployer.Core.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using NodaTime;

namespace Deployer.Core.Audit;

/// <summary>
/// One row of <c>audit_log</c>: who did what to what. Rows are added, never changed nor removed; the database itself
/// refuses both.
/// </summary>
public sealed class AuditEntry
{
    /// <summary>Counts up; later entries have larger ids.</summary>
    public long Id { get; init; }

    /// <summary>When.</summary>
    public required Instant At { get; init; }

    /// <summary>What kind of caller.</summary>
    public required ActorKind ActorKind { get; init; }

    /// <summary>The caller's id.</summary>
    public required string ActorId { get; init; }

    /// <summary>The caller's name at that time.</summary>
    public required string ActorName { get; init; }

    /// <summary>Network address of the caller.</summary>
    public string? Address { get; init; }

    /// <summary>What was done, e.g. <c>app.changed</c>; see <see cref="AuditAction"/>.</summary>
    public required string Action { get; init; }

    /// <summary>To what, e.g. <c>app:web</c> or <c>deployment:17</c>.</summary>
    public required string Subject { get; init; }

    /// <summary>The environment it concerns, if any.</summary>
    public string? Environment { get; init; }

    /// <summary>State before as JSON without secrets; <see langword="null"/> where there was none.</summary>
    public string? Before { get; init; }

    /// <summary>State after as JSON without secrets; <see langword="null"/> where there is none.</summary>
    public string? After { get; init; }

    /// <summary>The reason given, or what else is worth knowing.</summary>
    public string? Note { get; init; }
}

internal sealed class AuditEntryConfiguration : IEntityTypeConfiguration<AuditEntry>
{
    public void Configure(EntityTypeBuilder<AuditEntry> builder)
    {
        builder.ToSnakeCaseTable("audit_log");
        builder.Property(entry => entry.ActorId).HasMaxLength(256);
        builder.Property(entry => entry.ActorName).HasMaxLength(256);
        builder.Property(entry => entry.Address).HasMaxLength(64);
        builder.Property(entry => entry.Action).HasMaxLength(64);
        builder.Property(entry => entry.Subject).HasMaxLength(320);
        builder.Property(entry => entry.Environment).HasMaxLength(63);
        builder.Property(entry => entry.Note).HasMaxLength(2000);
        builder.HasIndex(entry => new { entry.Subject, entry.Id });
        builder.HasIndex(entry => new { entry.ActorId, entry.Id });
        builder.HasIndex(entry => entry.At);
    }
}
