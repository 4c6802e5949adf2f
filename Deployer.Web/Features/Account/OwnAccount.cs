using System.Buffers.Text;
using System.Security.Claims;
using Deployer.Core.Access;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;

namespace Deployer.Web.Features.Account;

/// <summary>The page on which people keep their own account: password, passkeys, sessions.</summary>
internal static class OwnAccount
{
    /// <summary>Maps the page and what its buttons do.</summary>
    public static void MapOwnAccount(this IEndpointRouteBuilder account)
    {
        var own = account.MapGroup("").RequireAuthorization();
        own.MapGet("", ShowAsync);
        own.MapPost("/sign-out", SignOutAsync);
        own.MapPost("/password", ChangePasswordAsync);
        own.MapPost("/passkeys/creation-options", CreationOptionsAsync);
        own.MapPost("/passkeys", AddPasskeyAsync);
        own.MapPost("/passkeys/remove", RemovePasskeyAsync);
        own.MapPost("/sessions/end", EndSessionAsync);
        own.MapPost("/sessions/end-all", EndAllSessionsAsync);
    }

    private static async Task<Results<RazorComponentResult<AccountPage>, RedirectHttpResult>> ShowAsync(HttpContext context, OwnAccountDesk desk, [FromQuery] string? said) =>
        await desk.FindPersonAsync(context) is { } person
            ? await desk.PageAsync(context, person, Message(said), [])
            : TypedResults.Redirect(Refusals.SetupPath);

    private static async Task<RedirectHttpResult> SignOutAsync(
        HttpContext context, SignInManager<Person> manager, Sessions sessions, ICurrentActor current, [FromForm(Name = "_")] string? nothing)
    {
        _ = nothing;
        if (OwnAccountDesk.SessionOf(context) is { } session)
        {
            await sessions.SignOutAsync(await current.GetAsync(context.RequestAborted), session, context.RequestAborted);
        }

        await manager.SignOutAsync();
        return TypedResults.Redirect(Refusals.SignInPath);
    }

    private static async Task<Results<RazorComponentResult<AccountPage>, RedirectHttpResult>> ChangePasswordAsync(
        HttpContext context, OwnAccountDesk desk, [FromForm] string? current, [FromForm] string? password)
    {
        if (await desk.FindPersonAsync(context) is not { } person)
        {
            return TypedResults.Redirect(Refusals.SignInPath);
        }

        var errors = await desk.ChangePasswordAsync(context, person, current ?? "", password ?? "");
        return errors.Count > 0 ? await desk.PageAsync(context, person, message: null, errors) : TypedResults.Redirect("/account?said=password");
    }

    private static async Task<Results<ContentHttpResult, ForbidHttpResult>> CreationOptionsAsync(
        HttpContext context, OwnAccountDesk desk, SignInManager<Person> manager) =>
        await desk.FindPersonAsync(context) is { } person
            ? TypedResults.Content(
                await manager.MakePasskeyCreationOptionsAsync(new() { Id = person.Id, Name = person.Email ?? person.Id, DisplayName = person.DisplayName }),
                "application/json")
            : TypedResults.Forbid();

    private static async Task<Results<RazorComponentResult<AccountPage>, RedirectHttpResult>> AddPasskeyAsync(
        HttpContext context, OwnAccountDesk desk, SignInManager<Person> manager, OwnAccounts own, ICurrentActor current,
        [FromForm] string? credential, [FromForm] string? name)
    {
        if (await desk.FindPersonAsync(context) is not { } person)
        {
            return TypedResults.Redirect(Refusals.SignInPath);
        }

        PasskeyAttestationResult attestation;
        try
        {
            attestation = await manager.PerformPasskeyAttestationAsync(credential ?? "");
        }
        catch (InvalidOperationException)
        {
            // No ceremony was begun in this browser, or its cookie is gone.
            return await desk.PageAsync(context, person, message: null, ["The passkey was not asked for, or too long ago. Try again."]);
        }

        if (!attestation.Succeeded)
        {
            return await desk.PageAsync(context, person, message: null, [$"The passkey was not taken: {attestation.Failure.Message}"]);
        }

        attestation.Passkey.Name = string.IsNullOrWhiteSpace(name) ? "Passkey" : name.Trim()[..Math.Min(100, name.Trim().Length)];
        var errors = await own.AddPasskeyAsync(await current.GetAsync(context.RequestAborted), person, attestation.Passkey, context.RequestAborted);
        return errors.Count > 0 ? await desk.PageAsync(context, person, message: null, errors) : TypedResults.Redirect("/account?said=passkey");
    }

    private static async Task<RedirectHttpResult> RemovePasskeyAsync(
        HttpContext context, OwnAccountDesk desk, OwnAccounts own, ICurrentActor current, [FromForm] string? id)
    {
        if (await desk.FindPersonAsync(context) is { } person && id is { Length: > 0 and < 2000 } && Base64Url.IsValid(id))
        {
            await own.RemovePasskeyAsync(await current.GetAsync(context.RequestAborted), person, Base64Url.DecodeFromChars(id), context.RequestAborted);
        }

        return TypedResults.Redirect("/account?said=passkey-removed");
    }

    private static async Task<RedirectHttpResult> EndSessionAsync(
        HttpContext context, Sessions sessions, ICurrentActor current, [FromForm] Guid id)
    {
        var actor = await current.GetAsync(context.RequestAborted);
        await sessions.EndAsync(actor, actor.Id, id, context.RequestAborted);
        return TypedResults.Redirect("/account?said=session");
    }

    private static async Task<RedirectHttpResult> EndAllSessionsAsync(
        HttpContext context, Sessions sessions, ICurrentActor current, [FromForm(Name = "_")] string? nothing)
    {
        _ = nothing;
        var actor = await current.GetAsync(context.RequestAborted);
        await sessions.EndAllAsync(actor, actor.Id, context.RequestAborted);
        return TypedResults.Redirect(Refusals.SignInPath);
    }

    private static string? Message(string? said) => said switch
    {
        "password" => "The password is changed, and other sessions have ended.",
        "passkey" => "The passkey is added.",
        "passkey-removed" => "The passkey is removed.",
        "session" => "The session has ended.",
        _ => null,
    };
}

/// <summary>Reads and changes the account of whoever asks.</summary>
internal sealed class OwnAccountDesk(
    SignInManager<Person> manager, SignInFlow flow, OwnAccounts own, Sessions sessions, ICurrentActor current)
{
    /// <summary>The session of the request; <see langword="null"/> for callers without one.</summary>
    public static Guid? SessionOf(HttpContext context) =>
        Guid.TryParse(context.User.FindFirstValue(DeployerClaims.Session), out var session) ? session : null;

    /// <summary>The person who asks; <see langword="null"/> for tokens and the first visitor, who have no account.</summary>
    public async Task<Person?> FindPersonAsync(HttpContext context)
    {
        var actor = await current.GetAsync(context.RequestAborted);
        return actor.Kind == ActorKind.Person ? await manager.UserManager.FindByIdAsync(actor.Id) : null;
    }

    /// <summary>The page.</summary>
    public async Task<RazorComponentResult<AccountPage>> PageAsync(HttpContext context, Person person, string? message, IReadOnlyList<string> errors)
    {
        var actor = await current.GetAsync(context.RequestAborted);
        var passkeys = await manager.UserManager.GetPasskeysAsync(person);
        return new RazorComponentResult<AccountPage>(new
        {
            Person = person,
            Roles = Describe(actor),
            Sessions = await sessions.ListAsync(actor, actor.Id, context.RequestAborted),
            Passkeys = (IReadOnlyList<PasskeyRow>)[.. passkeys.Select(passkey =>
                new PasskeyRow(Base64Url.EncodeToString(passkey.CredentialId), passkey.Name ?? "Passkey", passkey.CreatedAt))],
            HasPassword = await manager.UserManager.HasPasswordAsync(person),
            Systems = (IReadOnlyList<string>)[.. (await manager.UserManager.GetLoginsAsync(person)).Select(login => login.ProviderDisplayName ?? login.LoginProvider)],
            Current = SessionOf(context),
            Message = message,
            Errors = errors,
        });
    }

    /// <summary>Changes the password and ends every other session.</summary>
    /// <returns>What is wrong; empty when it is changed.</returns>
    public async Task<IReadOnlyList<string>> ChangePasswordAsync(HttpContext context, Person person, string now, string wanted)
    {
        // Guessed here, it would be guessed as well as at the sign-in.
        if (await manager.UserManager.HasPasswordAsync(person) && await flow.ProveAsync(context, person, now) is { } refusal)
        {
            return [refusal];
        }

        var errors = await own.SetPasswordAsync(
            await current.GetAsync(context.RequestAborted), person, now, wanted, SessionOf(context), context.RequestAborted);
        if (errors.Count == 0)
        {
            // The session that goes on takes up the new security stamp.
            await manager.RefreshSignInAsync(person);
        }

        return errors;
    }

    private static string Describe(Actor actor) => actor.Grants.Count == 0
        ? "You have no role yet. Ask an owner to grant you one."
        : string.Join(", ", actor.Grants.Select(grant =>
            $"{System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(grant.Role.ToString())} in {grant.Environment ?? "every environment"}"));
}
