using System.ComponentModel;
using Deployer.Core.Access;
using Deployer.Core.Comments;
using Deployer.Web.Features.Deployments;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.Web.Features.Comments;

/// <summary>The comments on a deployment, by line.</summary>
internal sealed record CommentsJson(IReadOnlyList<CommentView> Comments);

/// <summary>A comment to pin.</summary>
internal sealed record CommentJson
{
    [Description("Number of the line to pin it to.")]
    public long? Line { get; init; }

    [Description("The comment: plain text of 1 to 2,000 characters.")]
    public string? Text { get; init; }
}

/// <summary>Who looks at a deployment now.</summary>
internal sealed record ViewersJson(IReadOnlyList<ViewerJson> Viewers);

/// <summary>Somebody who looks.</summary>
internal sealed record ViewerJson(string Name);

/// <summary>The API of comments pinned to lines, and of who looks: <c>/api/deployments/{id}/comments</c>, <c>/viewers</c>.</summary>
public static class CommentsApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapCommentsApi(this IEndpointRouteBuilder routes)
    {
        var deployment = routes.MapGroup("/api/deployments/{id}").WithTags("Comments").RequireAccess(AccessRole.Viewer, AccessScope.Deployment);
        deployment.MapGet("/comments", ListAsync).WithName("ListComments").WithSummary("List the comments pinned to lines of a log")
            .ProducesProblem(StatusCodes.Status404NotFound);
        deployment.MapPost("/comments", AddAsync).WithName("AddComment").WithSummary("Pin a comment to a line")
            .WithDescription("For whoever sees the deployment. Values of the app's secrets are masked in it as they are in the log.")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
        deployment.MapDelete("/comments/{comment}", RemoveAsync).WithName("RemoveComment").WithSummary("Remove a comment")
            .WithDescription("For its author and for admins of the app.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        deployment.MapGet("/viewers", ViewersAsync).WithName("ListViewers").WithSummary("See who looks at a deployment now")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Results<Ok<CommentsJson>, ProblemHttpResult>> ListAsync(string id, CommentBook book, CancellationToken cancellationToken) =>
        DeploymentsApi.TryParseId(id, out var number) && await book.ListAsync(number, cancellationToken) is { } comments
            ? TypedResults.Ok(new CommentsJson(comments))
            : Problem.UnknownDeployment(id);

    private static async Task<Results<Created<CommentView>, ProblemHttpResult>> AddAsync(
        string id, CommentJson body, CommentBook book, CancellationToken cancellationToken)
    {
        if (body.Line is not { } line)
        {
            return Problem.Invalid("line", "Say to which line, by its number.");
        }

        if (!DeploymentsApi.TryParseId(id, out var number))
        {
            return Problem.UnknownDeployment(id);
        }

        return await book.AddAsync(number, line, body.Text ?? "", cancellationToken) switch
        {
            CommentResult.Added { Comment: var comment } => TypedResults.Created($"/api/deployments/{number}/comments/{comment.Id}", comment),
            CommentResult.NoSuchLine { Lines: var lines } => Problem.Invalid("line", lines == 0 ? "The log has no lines." : $"The log has lines 1 to {lines}."),
            CommentResult.TextInvalid => Problem.Invalid("text", $"A comment has 1 to {CommentBook.MaxLength} characters, without control characters."),
            CommentResult.TooMany => Problem.Conflict("too_many_comments", $"There are {CommentBook.MaxPerDeployment} comments; remove some."),
            _ => Problem.UnknownDeployment(id),
        };
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(
        string id, string comment, CommentBook book, CancellationToken cancellationToken)
    {
        if (!DeploymentsApi.TryParseId(id, out var number))
        {
            return Problem.UnknownDeployment(id);
        }

        var removal = DeploymentsApi.TryParseId(comment, out var which)
            ? await book.RemoveAsync(number, which, cancellationToken)
            : CommentRemoval.CommentUnknown;
        return removal switch
        {
            CommentRemoval.Removed => TypedResults.NoContent(),
            CommentRemoval.CommentUnknown => Problem.Unknown(
                "comment_unknown", $"There is no comment '{comment}' on deployment {id}; GET /api/deployments/{id}/comments lists them."),
            _ => Problem.UnknownDeployment(id),
        };
    }

    private static async Task<Results<Ok<ViewersJson>, ProblemHttpResult>> ViewersAsync(
        string id, PresenceBook presence, ICurrentActor current, CancellationToken cancellationToken) =>
        DeploymentsApi.TryParseId(id, out var number)
            && await presence.ListAsync(number, await current.GetAsync(cancellationToken), cancellationToken) is { } viewers
            ? TypedResults.Ok(new ViewersJson([.. viewers.Select(viewer => new ViewerJson(viewer.Name))]))
            : Problem.UnknownDeployment(id);
}
