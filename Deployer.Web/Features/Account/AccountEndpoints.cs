using Deployer.Core.Access;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;

namespace Deployer.Web.Features.Account;

/// <summary>Pages before and around signing in. Each is a whole page of its own, rendered by the server without a circuit.</summary>
public static class AccountEndpoints
{
    /// <summary>Registers what the pages need.</summary>
    public static void AddAccount(this WebApplicationBuilder builder)
    {
        builder.Services.AddRazorComponents();
        builder.Services.AddScoped<SignInFlow>();
        builder.Services.AddScoped<OwnAccountDesk>();
        OidcSignIn.Register(builder);
    }

    /// <summary>Maps the pages.</summary>
    public static void MapAccount(this IEndpointRouteBuilder routes)
    {
        var account = routes.MapGroup("/account").ExcludeFromDescription();
        var strangers = account.MapGroup("").AllowAnonymous();
        strangers.MapGet("/setup", ShowSetupAsync);
        strangers.MapPost("/setup", SetUpAsync);
        strangers.MapGet("/sign-in", ShowSignIn);
        strangers.MapPost("/sign-in", SignInAsync);
        strangers.MapPost("/sign-in/passkey", SignInWithPasskeyAsync);
        strangers.MapGet("/external", GoToExternalAsync);
        strangers.MapPost("/passkeys/request-options", RequestOptionsAsync);
        strangers.MapGet("/invitation/{key}", ShowInvitationAsync);
        strangers.MapPost("/invitation/{key}", JoinAsync);
        strangers.MapGet("/denied", () => new RazorComponentResult<DeniedPage>());
        account.MapOwnAccount();
    }

    /// <summary>Where to go after signing in: a path of this site, never another one.</summary>
    internal static string Local(string? path) =>
        path is ['/', ..] && !path.StartsWith("//", StringComparison.Ordinal) && !path.StartsWith("/\\", StringComparison.Ordinal)
            && !path.Any(char.IsControl)
            ? path
            : "/";

    private static async Task<RazorComponentResult<SetupPage>> ShowSetupAsync(HttpContext context, FirstRun firstRun) =>
        Setup(await firstRun.HasOwnerAsync(context.RequestAborted), await NeedsCodeAsync(context, firstRun), name: null, email: null, []);

    private static async Task<Results<RazorComponentResult<SetupPage>, RedirectHttpResult>> SetUpAsync(
        HttpContext context, FirstRun firstRun, Core.Access.People people, UserManager<Person> users, SignInFlow flow,
        [FromForm] string? code, [FromForm] string? name, [FromForm] string? email, [FromForm] string? password)
    {
        var needsCode = await NeedsCodeAsync(context, firstRun);
        if (needsCode)
        {
            if (!flow.MayTry(context, "setup"))
            {
                return Setup(hasOwner: false, needsCode, name, email, ["There were too many attempts. Wait a minute."]);
            }

            if (!firstRun.IsSetupCode(code))
            {
                return Setup(hasOwner: false, needsCode, name, email, ["Setup code: it is another one. Deployer printed it at its last start."]);
            }
        }

        var change = await people.CreateOwnerAsync(
            new NewPerson(email ?? "", name ?? "", password ?? ""), SignInFlow.Address(context), context.RequestAborted);
        if (!change.Done || await users.FindByIdAsync(change.PersonId!) is not { } owner)
        {
            return Setup(await firstRun.HasOwnerAsync(context.RequestAborted), needsCode, name, email, change.Errors);
        }

        await flow.EnterAsync(owner, "setup");
        return TypedResults.Redirect("/");
    }

    /// <summary>Whoever sits at the machine of an installation that nobody uses yet needs no code.</summary>
    private static async Task<bool> NeedsCodeAsync(HttpContext context, FirstRun firstRun) =>
        !(AtTheMachine.IsCaller(context) && await firstRun.IsOpenAsync(context.RequestAborted));

    private static RazorComponentResult<SetupPage> Setup(bool hasOwner, bool needsCode, string? name, string? email, IReadOnlyList<string> errors) =>
        new(new { HasOwner = hasOwner, NeedsCode = needsCode, DisplayName = name, Email = email, Errors = errors });

    private static RazorComponentResult<SignInPage> ShowSignIn(
        [FromQuery(Name = "return")] string? back, [FromQuery] string? problem, [FromServices] ExternalSignIn external) =>
        SignIn(back, email: null, external, external.Explain(problem));

    private static async Task<Results<EmptyHttpResult, RedirectHttpResult, RazorComponentResult<SignInPage>>> GoToExternalAsync(
        HttpContext context, [FromQuery(Name = "return")] string? back, [FromServices] ExternalSignIn external)
    {
        if (external.DisplayName is null)
        {
            return SignIn(back, email: null, external, ["There is no other sign-in system here. Sign in with your password or passkey."]);
        }

        return await OidcSignIn.GoAsync(context, Local(back)) is { } problem
            ? TypedResults.Redirect($"{Refusals.SignInPath}?problem={problem}")
            : TypedResults.Empty;
    }

    private static async Task<Results<RazorComponentResult<SignInPage>, RedirectHttpResult>> SignInAsync(
        HttpContext context, SignInFlow flow, ExternalSignIn external,
        [FromForm] string? email, [FromForm] string? password, [FromForm(Name = "return")] string? back) =>
        await flow.WithPasswordAsync(context, (email ?? "").Trim(), password ?? "") is { } error
            ? SignIn(back, email, external, [error])
            : TypedResults.Redirect(Local(back));

    private static async Task<Results<RazorComponentResult<SignInPage>, RedirectHttpResult>> SignInWithPasskeyAsync(
        HttpContext context, SignInFlow flow, ExternalSignIn external, [FromForm] string? credential, [FromForm(Name = "return")] string? back) =>
        await flow.WithPasskeyAsync(context, credential ?? "") is { } error
            ? SignIn(back, email: null, external, [error])
            : TypedResults.Redirect(Local(back));

    private static async Task<ContentHttpResult> RequestOptionsAsync(SignInManager<Person> manager) =>
        TypedResults.Content(await manager.MakePasskeyRequestOptionsAsync(user: null), "application/json");

    private static RazorComponentResult<SignInPage> SignIn(string? back, string? email, ExternalSignIn external, IReadOnlyList<string> errors) =>
        new(new { Return = Local(back), Email = email, ExternalName = external.DisplayName, Errors = errors });

    private static async Task<RazorComponentResult<InvitationPage>> ShowInvitationAsync(
        string key, HttpContext context, Invitations invitations, ExternalSignIn external) =>
        new(new { (await invitations.FindAsync(key, context.RequestAborted))?.Email, ExternalName = external.DisplayName });

    private static async Task<Results<RazorComponentResult<InvitationPage>, RedirectHttpResult>> JoinAsync(
        string key, HttpContext context, Invitations invitations, UserManager<Person> users, SignInFlow flow,
        [FromForm] string? name, [FromForm] string? password)
    {
        if (!flow.MayTry(context, "invitation"))
        {
            return new RazorComponentResult<InvitationPage>(new { Email = (string?)null, Errors = (string[])["There were too many attempts. Wait a minute."] });
        }

        var invitation = await invitations.FindAsync(key, context.RequestAborted);
        var change = await invitations.AcceptAsync(key, name ?? "", password ?? "", SignInFlow.Address(context), context.RequestAborted);
        if (!change.Done || await users.FindByIdAsync(change.PersonId!) is not { } person)
        {
            return new RazorComponentResult<InvitationPage>(new { invitation?.Email, DisplayName = name, change.Errors });
        }

        await flow.EnterAsync(person, "invitation");
        return TypedResults.Redirect("/");
    }
}
