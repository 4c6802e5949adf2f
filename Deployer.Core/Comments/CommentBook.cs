using Deployer.Core.Access;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Core.Comments;

/// <summary>A comment as people see it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Line">Number of the line it is pinned to.</param>
/// <param name="Author">Who wrote it.</param>
/// <param name="Text">What they wrote: plain text.</param>
/// <param name="CreatedAt">When.</param>
/// <param name="Removable">Whether the caller may remove it.</param>
public sealed record CommentView(long Id, long Line, string Author, string Text, Instant CreatedAt, bool Removable);

/// <summary>What came of a comment.</summary>
public abstract record CommentResult
{
    private CommentResult()
    {
    }

    /// <summary>It is pinned.</summary>
    public sealed record Added(CommentView Comment) : CommentResult;

    /// <summary>There is no such deployment that the caller may see.</summary>
    public sealed record Unknown : CommentResult;

    /// <summary>The log has no such line.</summary>
    /// <param name="Lines">How many lines it has.</param>
    public sealed record NoSuchLine(long Lines) : CommentResult;

    /// <summary>The text is empty or too long.</summary>
    public sealed record TextInvalid : CommentResult;

    /// <summary>The deployment has too many comments.</summary>
    public sealed record TooMany : CommentResult;
}

/// <summary>What came of the removal of a comment.</summary>
public enum CommentRemoval
{
    /// <summary>It is gone.</summary>
    Removed,

    /// <summary>There is no such deployment that the caller may see.</summary>
    Unknown,

    /// <summary>The deployment has no such comment.</summary>
    CommentUnknown,
}

/// <summary>
/// What people said about lines of a deployment's log. Whoever sees the deployment may comment; authors and admins may
/// remove. The app's secret values are masked as they are in the log itself.
/// </summary>
public sealed class CommentBook(
    IDbContextFactory<DeployerDb> databases, LogStore logs, DeploymentSecrets secrets, AccessSubjects subjects, ICurrentActor current,
    AuditLog audit, DeploymentFeed feed, TimeProvider time)
{
    /// <summary>Longest comment.</summary>
    public const int MaxLength = 2000;

    /// <summary>Most comments on one deployment.</summary>
    public const int MaxPerDeployment = 1000;

    /// <summary>The comments on a deployment, by line; <see langword="null"/> when there is none that the caller may see.</summary>
    public async Task<IReadOnlyList<CommentView>?> ListAsync(long deploymentId, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        if (await FindSubjectAsync(actor, deploymentId, cancellationToken) is not { } subject)
        {
            return null;
        }

        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var rows = await db.Set<LineComment>().AsNoTracking().Where(comment => comment.DeploymentId == deploymentId)
            .OrderBy(comment => comment.Line).ThenBy(comment => comment.Id).ToListAsync(cancellationToken);
        return [.. rows.Select(row => View(row, actor, subject))];
    }

    /// <summary>Pins a comment to a line.</summary>
    public async Task<CommentResult> AddAsync(long deploymentId, long line, string text, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        if (await FindSubjectAsync(actor, deploymentId, cancellationToken) is not { } subject
            || await logs.GetExtent(deploymentId, cancellationToken) is not { } extent)
        {
            return new CommentResult.Unknown();
        }

        if (line < 1 || line > extent.Lines)
        {
            return new CommentResult.NoSuchLine(extent.Lines);
        }

        var trimmed = text.Trim().ReplaceLineEndings("\n");
        if (trimmed.Length is 0 or > MaxLength || trimmed.Any(character => char.IsControl(character) && character is not ('\n' or '\t')))
        {
            return new CommentResult.TextInvalid();
        }

        // Masking may lengthen a text; what does not fit is cut, never stored in the clear.
        var masked = await secrets.MaskAsync(deploymentId, trimmed, cancellationToken);
        var row = new LineComment
        {
            DeploymentId = deploymentId,
            Line = line,
            AuthorId = actor.Id,
            Author = actor.Name,
            Text = masked.Length > MaxLength ? masked[..MaxLength] : masked,
            CreatedAt = time.Now(),
        };
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        if (await db.Set<LineComment>().CountAsync(comment => comment.DeploymentId == deploymentId, cancellationToken) >= MaxPerDeployment)
        {
            return new CommentResult.TooMany();
        }

        db.Add(row);
        audit.Stage(db, actor, new AuditFact(AuditAction.CommentAdded, AuditSubject.Deployment(deploymentId))
        {
            Environment = subject.Environment,
            Note = $"line {line}",
        });
        await db.SaveChangesAsync(cancellationToken);
        feed.Publish(deploymentId);
        return new CommentResult.Added(View(row, actor, subject));
    }

    /// <summary>Removes a comment.</summary>
    /// <exception cref="AccessDeniedException">The caller neither wrote it nor is an admin of the app.</exception>
    public async Task<CommentRemoval> RemoveAsync(long deploymentId, long commentId, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        if (await FindSubjectAsync(actor, deploymentId, cancellationToken) is not { } subject)
        {
            return CommentRemoval.Unknown;
        }

        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var row = await db.Set<LineComment>()
            .FirstOrDefaultAsync(comment => comment.Id == commentId && comment.DeploymentId == deploymentId, cancellationToken);
        if (row is null)
        {
            return CommentRemoval.CommentUnknown;
        }

        if (!IsAuthor(row, actor))
        {
            actor.Demand(AccessRole.Admin, subject.Environment, subject.App);
        }

        db.Remove(row);
        audit.Stage(db, actor, new AuditFact(AuditAction.CommentRemoved, AuditSubject.Deployment(deploymentId))
        {
            Environment = subject.Environment,
            Before = new { row.Line, row.Author, row.Text },
        });
        await db.SaveChangesAsync(cancellationToken);
        feed.Publish(deploymentId);
        return CommentRemoval.Removed;
    }

    private static CommentView View(LineComment row, Actor actor, AccessSubject subject) => new(
        row.Id, row.Line, row.Author, row.Text, row.CreatedAt,
        IsAuthor(row, actor) || actor.May(AccessRole.Admin, subject.Environment, subject.App));

    private static bool IsAuthor(LineComment row, Actor actor) => string.Equals(row.AuthorId, actor.Id, StringComparison.Ordinal);

    private async Task<AccessSubject?> FindSubjectAsync(Actor actor, long deploymentId, CancellationToken cancellationToken) =>
        await subjects.FindDeploymentAsync(deploymentId, cancellationToken) is { } subject
            && actor.May(AccessRole.Viewer, subject.Environment, subject.App)
            ? subject
            : null;
}
