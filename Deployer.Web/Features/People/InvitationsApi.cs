using Deployer.Core.Access;
using Deployer.Core.Notifications;
using Deployer.Web.Features.Deployments;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.Web.Features.People;

/// <summary>The API of invitations: <c>/api/invitations</c>.</summary>
public static class InvitationsApi
{
    /// <summary>Path of the page behind an invitation link.</summary>
    internal const string Path = "/account/invitation/";

    /// <summary>Maps the endpoints.</summary>
    public static void MapInvitationsApi(this IEndpointRouteBuilder routes)
    {
        var invitations = routes.MapGroup("/api/invitations").WithTags("People").RequireAccess(AccessRole.Owner, AccessScope.Everywhere);
        invitations.MapGet("/", ListAsync).WithName("ListInvitations").WithSummary("List the invitations that still work");
        invitations.MapPost("/", InviteAsync).WithName("Invite").WithSummary("Invite somebody")
            .WithDescription("Gives the link with which the person makes an account, and mails it where a mail server is set. It is shown this once; whoever has it can use it once.")
            .ProducesValidationProblem()
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
        invitations.MapDelete("/{invitation}", WithdrawAsync).WithName("WithdrawInvitation").WithSummary("Withdraw an invitation")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Ok<InvitationsJson>> ListAsync(Invitations invitations, ICurrentActor current, CancellationToken cancellationToken) =>
        TypedResults.Ok(new InvitationsJson(await invitations.ListAsync(await current.GetAsync(cancellationToken), cancellationToken)));

    private static async Task<Results<Created<NewInvitationJson>, ProblemHttpResult>> InviteAsync(
        InviteJson body, HttpRequest request, Invitations invitations, InvitationMail mail, ICurrentActor current, CancellationToken cancellationToken)
    {
        var errors = await invitations.CheckAsync(body.Email, body.Role, body.Environment, cancellationToken);
        if (errors.Count > 0)
        {
            return Problem.Invalid(errors);
        }

        var made = await invitations.InviteAsync(
            await current.GetAsync(cancellationToken), body.Email!, body.Role!.Value, body.Environment, cancellationToken);
        if (made is null)
        {
            return Problem.Invalid("email", "Write the e-mail address as name@example.com.");
        }

        var link = new Uri($"{request.Scheme}://{request.Host}{Path}{made.Key}");
        var mailing = await mail.SendAsync(made, link, cancellationToken);
        return TypedResults.Created(
            $"/api/invitations/{made.View.Id}", new NewInvitationJson(made.View, link.OriginalString, mailing.Sent, mailing.Error));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> WithdrawAsync(
        string invitation, Invitations invitations, ICurrentActor current, CancellationToken cancellationToken) =>
        DeploymentsApi.TryParseId(invitation, out var id)
            && await invitations.WithdrawAsync(await current.GetAsync(cancellationToken), id, cancellationToken)
            ? TypedResults.NoContent()
            : Problem.Unknown("invitation_unknown", $"There is no open invitation '{invitation}'; GET /api/invitations lists them.");
}
