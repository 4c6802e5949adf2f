using Deployer.Core.Access;
using Deployer.Core.Audit;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Identity;

namespace Deployer.Web.Features.Account;

/// <summary>Signs people in, and writes down who came and who was turned away.</summary>
internal sealed class SignInFlow(
    SignInManager<Person> manager, IPasswordHasher<Person> hasher, RateLimits limits, AuditLog audit)
{
    /// <summary>Says as little as possible: neither whether there is such an account nor what is wrong with it.</summary>
    private const string Refused =
        "The e-mail address or the password is wrong, or the account is shut or was tried too often. Wait a quarter of an hour, or ask an owner.";

    private const string TooOften = "There were too many attempts. Wait a minute.";

    /// <summary>Signs in by password.</summary>
    /// <returns>What to tell the person; <see langword="null"/> when they are in.</returns>
    public async Task<string?> WithPasswordAsync(HttpContext context, string email, string password)
    {
        var address = Address(context);
        if (!await limits.MayTryAsync(email, address, context.RequestAborted))
        {
            return TooOften;
        }

        if (password.Length > 256 || await manager.UserManager.FindByEmailAsync(email) is not { } person)
        {
            // As slow as a wrong password, so that the time does not tell whether there is such an account.
            hasher.HashPassword(new Person { DisplayName = "", CreatedAt = default }, "nobody");
            await RefuseAsync(email, address, "no such account", context.RequestAborted);
            return Refused;
        }

        var result = await manager.CheckPasswordSignInAsync(person, password, lockoutOnFailure: true);
        if (!result.Succeeded || person.DisabledAt is not null)
        {
            var why = result.IsLockedOut ? "tried too often" : person.DisabledAt is not null ? "account shut" : "wrong password";
            await RefuseAsync(email, address, why, context.RequestAborted);
            return Refused;
        }

        await EnterAsync(context, person, "password");
        return null;
    }

    /// <summary>Signs in by passkey.</summary>
    /// <returns>What to tell the person; <see langword="null"/> when they are in.</returns>
    public async Task<string?> WithPasskeyAsync(HttpContext context, string credential)
    {
        var address = Address(context);
        if (!await limits.MayTryAsync("passkey " + address, address, context.RequestAborted))
        {
            return TooOften;
        }

        PasskeyAssertionResult<Person> assertion;
        try
        {
            assertion = await manager.PerformPasskeyAssertionAsync(credential);
        }
        catch (InvalidOperationException)
        {
            // No ceremony was begun in this browser, or its cookie is gone.
            return "The passkey was not asked for, or too long ago. Try again.";
        }

        if (!assertion.Succeeded || assertion.User.DisabledAt is not null || await manager.UserManager.IsLockedOutAsync(assertion.User))
        {
            await RefuseAsync(assertion.User?.Email ?? "unknown", address, assertion.Failure?.Message ?? "account shut", context.RequestAborted);
            return "This passkey is not known here, or its account is shut.";
        }

        var stored = await manager.UserManager.AddOrUpdatePasskeyAsync(assertion.User, assertion.Passkey);
        if (!stored.Succeeded)
        {
            throw new InvalidOperationException("The passkey's counter could not be kept.");
        }

        await EnterAsync(context, assertion.User, "passkey");
        return null;
    }

    /// <summary>Opens a session for somebody who has proved who they are.</summary>
    public async Task EnterAsync(HttpContext context, Person person, string method)
    {
        await manager.SignInAsync(person, isPersistent: true, method);
        await audit.RecordAsync(
            new Actor(ActorKind.Person, person.Id, person.DisplayName, Address(context), []),
            new AuditFact(AuditAction.SignedIn, AuditSubject.Person(person.Email ?? person.Id)) { Note = method },
            context.RequestAborted);
    }

    /// <summary>Counts an attempt to use a setup code or an invitation.</summary>
    public Task<bool> MayTryAsync(HttpContext context, string what) => limits.MayTryAsync(what, Address(context), context.RequestAborted);

    /// <summary>The caller's network address.</summary>
    public static string? Address(HttpContext context) => context.Connection.RemoteIpAddress?.ToString();

    private Task RefuseAsync(string email, string? address, string why, CancellationToken cancellationToken) => audit.RecordAsync(
        Actor.Nobody with { Address = address },
        new AuditFact(AuditAction.SignInRefused, AuditSubject.Person(email.Length > 254 ? email[..254] : email)) { Note = why },
        cancellationToken);
}
