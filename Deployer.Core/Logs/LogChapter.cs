using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Deployer.Core.Logs;

/// <summary>
/// What the full-text index knows a piece of a sealed log by: about 4,000 consecutive lines, sealed together. One row of
/// <c>deployment_log_chapters</c>; its id is the row id in <c>log_search</c>, and a trigger removes that with it.
/// </summary>
internal sealed class LogChapter
{
    public long Id { get; init; }

    public long DeploymentId { get; init; }

    public long FirstLine { get; init; }

    public int LineCount { get; init; }

    /// <summary>Time of the first line, nanoseconds since the Unix epoch.</summary>
    public long FirstTime { get; init; }

    /// <summary>Time of the last line, nanoseconds since the Unix epoch.</summary>
    public long LastTime { get; init; }
}

internal sealed class LogChapterConfiguration : IEntityTypeConfiguration<LogChapter>
{
    public void Configure(EntityTypeBuilder<LogChapter> builder)
    {
        builder.ToTable("deployment_log_chapters");
        builder.Property(chapter => chapter.Id).HasColumnName("id");
        builder.Property(chapter => chapter.DeploymentId).HasColumnName("deployment_id");
        builder.Property(chapter => chapter.FirstLine).HasColumnName("first_line");
        builder.Property(chapter => chapter.LineCount).HasColumnName("line_count");
        builder.Property(chapter => chapter.FirstTime).HasColumnName("first_time");
        builder.Property(chapter => chapter.LastTime).HasColumnName("last_time");
        builder.HasIndex(chapter => new { chapter.DeploymentId, chapter.FirstLine }).IsUnique()
            .HasDatabaseName("ix_deployment_log_chapters_deployment_line");
    }
}
