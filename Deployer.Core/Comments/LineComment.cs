using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using NodaTime;

namespace Deployer.Core.Comments;

/// <summary>One row of <c>line_comments</c>: what somebody said about a line of a deployment's log.</summary>
public sealed class LineComment
{
    /// <summary>Database key.</summary>
    public long Id { get; init; }

    /// <summary>The deployment.</summary>
    public required long DeploymentId { get; init; }

    /// <summary>Number of the line it is pinned to.</summary>
    public required long Line { get; init; }

    /// <summary>Id of the author.</summary>
    public required string AuthorId { get; init; }

    /// <summary>Name of the author.</summary>
    public required string Author { get; init; }

    /// <summary>The comment: plain text.</summary>
    public required string Text { get; init; }

    /// <summary>When it was made.</summary>
    public required Instant CreatedAt { get; init; }
}

/// <summary>One row of <c>presence</c>: somebody who looks at a deployment. Rows not renewed count no more.</summary>
public sealed class PresenceRow
{
    /// <summary>The deployment.</summary>
    public required long DeploymentId { get; init; }

    /// <summary>The page that looks; one person may have several.</summary>
    public required Guid Page { get; init; }

    /// <summary>Id of the person.</summary>
    public required string PersonId { get; init; }

    /// <summary>Name of the person.</summary>
    public required string Person { get; init; }

    /// <summary>When the page last said that it is still there.</summary>
    public required Instant SeenAt { get; init; }
}

internal sealed class LineCommentConfiguration : IEntityTypeConfiguration<LineComment>
{
    public void Configure(EntityTypeBuilder<LineComment> builder)
    {
        builder.ToSnakeCaseTable("line_comments");
        builder.Property(comment => comment.AuthorId).HasMaxLength(256);
        builder.Property(comment => comment.Author).HasMaxLength(256);
        builder.Property(comment => comment.Text).HasMaxLength(2000);
        builder.HasOne<Deployment>().WithMany().HasForeignKey(comment => comment.DeploymentId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(comment => new { comment.DeploymentId, comment.Line });
    }
}

internal sealed class PresenceRowConfiguration : IEntityTypeConfiguration<PresenceRow>
{
    public void Configure(EntityTypeBuilder<PresenceRow> builder)
    {
        builder.ToSnakeCaseTable("presence");
        builder.HasKey(row => new { row.DeploymentId, row.Page });
        builder.Property(row => row.PersonId).HasMaxLength(256);
        builder.Property(row => row.Person).HasMaxLength(256);
        builder.HasOne<Deployment>().WithMany().HasForeignKey(row => row.DeploymentId).OnDelete(DeleteBehavior.Cascade);
    }
}
