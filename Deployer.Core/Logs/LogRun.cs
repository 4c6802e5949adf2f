using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Deployer.Core.Logs;

/// <summary>
/// One row of <c>deployment_logs</c>: consecutive lines of one deployment. A commit stores a deployment's lines as runs;
/// sealing replaces runs by fewer, compressed ones over the same lines. Readers need not know which they meet.
/// </summary>
internal sealed class LogRun
{
    public long Id { get; init; }

    public long DeploymentId { get; init; }

    /// <summary>Number of the first line.</summary>
    public long FirstLine { get; init; }

    public int LineCount { get; init; }

    /// <summary>Time of the first line, nanoseconds since the Unix epoch.</summary>
    public long FirstTime { get; init; }

    /// <summary>Time of the last line, nanoseconds since the Unix epoch. The cursor's index.</summary>
    public long LastTime { get; init; }

    public RunCompression Compression { get; init; }

    /// <summary>Whether sealing made it; sealed runs are never rewritten.</summary>
    public bool Sealed { get; init; }

    /// <summary>Length of the payload before compression.</summary>
    public int RawBytes { get; init; }

    /// <summary>The lines in the format of <see cref="RunCodec"/>.</summary>
    public required byte[] Payload { get; init; }
}

/// <summary>How a run's payload is compressed.</summary>
internal enum RunCompression
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>One zstd frame (RFC 8878).</summary>
    Zstd = 1,
}

/// <summary>What a sealed log holds, so that usage need not touch its runs. One row of <c>deployment_log_totals</c>.</summary>
internal sealed class LogTotals
{
    public long DeploymentId { get; init; }

    public long Lines { get; init; }

    /// <summary>Bytes of the payloads before compression.</summary>
    public long RawBytes { get; init; }

    /// <summary>Bytes of the payloads as stored.</summary>
    public long StoredBytes { get; init; }
}

internal sealed class LogRunConfiguration : IEntityTypeConfiguration<LogRun>
{
    public void Configure(EntityTypeBuilder<LogRun> builder)
    {
        builder.ToTable("deployment_logs");
        builder.Property(run => run.Id).HasColumnName("id");
        builder.Property(run => run.DeploymentId).HasColumnName("deployment_id");
        builder.Property(run => run.FirstLine).HasColumnName("first_line");
        builder.Property(run => run.LineCount).HasColumnName("line_count");
        builder.Property(run => run.FirstTime).HasColumnName("first_time");
        builder.Property(run => run.LastTime).HasColumnName("last_time");
        builder.Property(run => run.Compression).HasColumnName("compression");
        builder.Property(run => run.Sealed).HasColumnName("sealed");
        builder.Property(run => run.RawBytes).HasColumnName("raw_bytes");
        builder.Property(run => run.Payload).HasColumnName("payload");

        // No foreign key: a deleted app's deployments go at once, their logs in slices after them (LogRetention).

        // The cursor is a time, so time within a deployment must be unique for every run, as the writer makes it for
        // every line. Line numbers likewise. A second writer that got in the way would fail here, not store nonsense.
        builder.HasIndex(run => new { run.DeploymentId, run.LastTime }).IsUnique()
            .HasDatabaseName("ix_deployment_logs_deployment_time");
        builder.HasIndex(run => new { run.DeploymentId, run.FirstLine }).IsUnique()
            .HasDatabaseName("ix_deployment_logs_deployment_line");

        // Which logs are still to be sealed, found without looking at sealed ones.
        builder.HasIndex(run => run.DeploymentId).HasFilter("sealed = 0").HasDatabaseName("ix_deployment_logs_unsealed");
    }
}

internal sealed class LogTotalsConfiguration : IEntityTypeConfiguration<LogTotals>
{
    public void Configure(EntityTypeBuilder<LogTotals> builder)
    {
        builder.ToTable("deployment_log_totals");
        builder.HasKey(totals => totals.DeploymentId);
        builder.Property(totals => totals.DeploymentId).HasColumnName("deployment_id").ValueGeneratedNever();
        builder.Property(totals => totals.Lines).HasColumnName("lines");
        builder.Property(totals => totals.RawBytes).HasColumnName("raw_bytes");
        builder.Property(totals => totals.StoredBytes).HasColumnName("stored_bytes");
    }
}
