using Deployer.Core.Access;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.Web.Features.People;

/// <summary>The API of people, their roles and sessions: <c>/api/people</c>, <c>/api/me</c>.</summary>
public static class PeopleApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapPeopleApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/me", WhoAsync)
            .WithTags("People").WithName("GetCaller").RequireAccess(AccessRole.Viewer, AccessScope.Anywhere)
            .WithSummary("Look who you are").WithDescription("The person or token that calls, and the roles held.");

        var people = routes.MapGroup("/api/people").WithTags("People").RequireAccess(AccessRole.Owner, AccessScope.Everywhere);
        people.MapGet("/", ListAsync).WithName("ListPeople").WithSummary("List the people who may sign in");
        people.MapGet("/{person}", FindAsync).WithName("GetPerson").WithSummary("Look at a person")
            .ProducesProblem(StatusCodes.Status404NotFound);
        people.MapPut("/{person}/roles", GrantAsync).WithName("GrantRole").WithSummary("Grant a role")
            .WithDescription("In one environment, or in every one where environment is left out, in place of the role held there. It takes effect at once.")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
        people.MapDelete("/{person}/roles", TakeAsync).WithName("TakeRole").WithSummary("Take a role away")
            .WithDescription("The one held in that environment alone; without environment, the one that holds in every environment.")
            .WithQuery("environment", "The environment in which the role is held.", "staging")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        people.MapPost("/{person}/disable", DisableAsync).WithName("DisablePerson").WithSummary("Shut an account")
            .WithDescription("Ends all its sessions at once; enable opens it again.")
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        people.MapPost("/{person}/enable", EnableAsync).WithName("EnablePerson").WithSummary("Open a shut account again")
            .ProducesProblem(StatusCodes.Status404NotFound);
        people.MapDelete("/{person}", RemoveAsync).WithName("RemovePerson").WithSummary("Remove an account")
            .WithDescription("With its roles, passkeys and sessions. What the person did stays in the audit log.")
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        people.MapGet("/{person}/sessions", ListSessionsAsync).WithName("ListSessions").WithSummary("List a person's open sessions")
            .ProducesProblem(StatusCodes.Status404NotFound);
        people.MapDelete("/{person}/sessions", EndSessionsAsync).WithName("EndSessions").WithSummary("Sign a person out everywhere")
            .ProducesProblem(StatusCodes.Status404NotFound);
        people.MapDelete("/{person}/sessions/{session}", EndSessionAsync).WithName("EndSession").WithSummary("End one session")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Ok<CallerJson>> WhoAsync(ICurrentActor current, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        return TypedResults.Ok(new CallerJson(actor.Kind, actor.Name, actor.Grants));
    }

    private static async Task<Ok<PeopleJson>> ListAsync(Core.Access.People people, ICurrentActor current, CancellationToken cancellationToken) =>
        TypedResults.Ok(new PeopleJson([.. (await people.ListAsync(await current.GetAsync(cancellationToken), cancellationToken)).Select(PersonJson.Of)]));

    private static async Task<Results<Ok<PersonJson>, ProblemHttpResult>> FindAsync(
        string person, Core.Access.People people, ICurrentActor current, CancellationToken cancellationToken) =>
        await people.FindAsync(await current.GetAsync(cancellationToken), person, cancellationToken) is { } found
            ? TypedResults.Ok(PersonJson.Of(found))
            : UnknownPerson(person);

    private static async Task<Results<Ok<PersonJson>, ProblemHttpResult>> GrantAsync(
        string person, GrantJson body, Core.Access.People people, ICurrentActor current, CancellationToken cancellationToken) =>
        body.Role is { } role
            ? await ChangeAsync(
                person, people, current, actor => people.GrantAsync(actor, person, body.Environment, role, cancellationToken), cancellationToken)
            : Problem.Invalid("role", "Say which role: viewer, deployer, admin or owner. DELETE takes a role away.");

    private static async Task<Results<Ok<PersonJson>, ProblemHttpResult>> TakeAsync(
        string person, HttpRequest request, Core.Access.People people, ICurrentActor current, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request, "environment");
        return query.Problem is { } problem
            ? problem
            : await ChangeAsync(
                person, people, current, actor => people.GrantAsync(actor, person, query.Text("environment"), role: null, cancellationToken), cancellationToken);
    }

    private static Task<Results<Ok<PersonJson>, ProblemHttpResult>> DisableAsync(
        string person, Core.Access.People people, ICurrentActor current, CancellationToken cancellationToken) =>
        ChangeAsync(person, people, current, actor => people.DisableAsync(actor, person, cancellationToken), cancellationToken);

    private static Task<Results<Ok<PersonJson>, ProblemHttpResult>> EnableAsync(
        string person, Core.Access.People people, ICurrentActor current, CancellationToken cancellationToken) =>
        ChangeAsync(person, people, current, actor => people.EnableAsync(actor, person, cancellationToken), cancellationToken);

    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(
        string person, Core.Access.People people, ICurrentActor current, CancellationToken cancellationToken) =>
        Explain(person, await people.RemoveAsync(await current.GetAsync(cancellationToken), person, cancellationToken)) is { } problem
            ? problem
            : TypedResults.NoContent();

    private static async Task<Results<Ok<SessionsJson>, ProblemHttpResult>> ListSessionsAsync(
        string person, Core.Access.People people, Sessions sessions, ICurrentActor current, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        return await people.FindAsync(actor, person, cancellationToken) is null
            ? UnknownPerson(person)
            : TypedResults.Ok(new SessionsJson(await sessions.ListAsync(actor, person, cancellationToken)));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> EndSessionsAsync(
        string person, Core.Access.People people, Sessions sessions, ICurrentActor current, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        if (await people.FindAsync(actor, person, cancellationToken) is null)
        {
            return UnknownPerson(person);
        }

        await sessions.EndAllAsync(actor, person, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> EndSessionAsync(
        string person, string session, Sessions sessions, ICurrentActor current, CancellationToken cancellationToken) =>
        Guid.TryParse(session, out var id) && await sessions.EndAsync(await current.GetAsync(cancellationToken), person, id, cancellationToken)
            ? TypedResults.NoContent()
            : Problem.Unknown("session_unknown", $"This person has no open session '{session}'; GET /api/people/{person}/sessions lists them.");

    private static async Task<Results<Ok<PersonJson>, ProblemHttpResult>> ChangeAsync(
        string person, Core.Access.People people, ICurrentActor current, Func<Actor, Task<PersonChange>> change, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        if (Explain(person, await change(actor)) is { } problem)
        {
            return problem;
        }

        // Whoever gave up the owner's role reads nobody's account any more; their own answer still says what was done.
        return await people.FindAsync(actor, person, cancellationToken) is { } changed ? TypedResults.Ok(PersonJson.Of(changed)) : UnknownPerson(person);
    }

    private static ProblemHttpResult? Explain(string person, PersonChange change) => change.Fault switch
    {
        PersonFault.None => null,
        PersonFault.Unknown => UnknownPerson(person),
        PersonFault.LastOwner => Problem.Conflict("last_owner", change.Errors[0]),
        _ => Problem.Invalid("environment", change.Errors[0]),
    };

    private static ProblemHttpResult UnknownPerson(string person) =>
        Problem.Unknown("person_unknown", $"There is no person '{person}'; GET /api/people lists them.");
}
