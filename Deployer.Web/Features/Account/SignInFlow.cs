using Deployer.Core.Access;
using Deployer.Core.Audit;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Identity;

namespace Deployer.Web.Features.Account;

/// <summary>Signs people in, and writes down who came and who was turned away.</summary>
internal sealed class SignInFlow(
    SignInManager<Person> manager, IPasswordHasher<Person> hasher, ExternalSignIns external, RateLimits limits, AuditLog audit)
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
        if (!limits.MayTry(email, address))
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

        await EnterAsync(person, "password");
        return null;
    }

    /// <summary>Signs in by passkey.</summary>
    /// <returns>What to tell the person; <see langword="null"/> when they are in.</returns>
    public async Task<string?> WithPasskeyAsync(HttpContext context, string credential)
    {
        var address = Address(context);
        if (!limits.MayTry("passkey " + address, address))
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

        await EnterAsync(assertion.User, "passkey");
        return null;
    }

    /// <summary>Signs somebody in for whom the organisation's sign-in system vouches.</summary>
    /// <returns>Why not; <see cref="ExternalFault.None"/> when they are in.</returns>
    public async Task<ExternalFault> WithExternalAsync(HttpContext context, ExternalIdentity identity, OidcOptions oidc)
    {
        var address = Address(context);
        var entry = await external.FindAsync(identity, oidc.Name, oidc.AdmitUnknown, address, context.RequestAborted);
        if (entry.PersonId is null || await manager.UserManager.FindByIdAsync(entry.PersonId) is not { } person)
        {
            var why = $"{oidc.Name}: {ExternalSignIn.Code(entry.Fault)}";
            await RefuseAsync(identity.Email ?? "unknown", address, why, context.RequestAborted);
            return entry.Fault == ExternalFault.None ? ExternalFault.Unknown : entry.Fault;
        }

        await EnterAsync(person, oidc.Name);
        return ExternalFault.None;
    }

    /// <summary>Opens a session for somebody who has proved who they are.</summary>
    public Task EnterAsync(Person person, string method) => manager.SignInAsync(person, isPersistent: true, method);

    /// <summary>Whether somebody who is in knows the password of their account; counts as an attempt to sign in does.</summary>
    /// <returns>What to tell them; <see langword="null"/> when they know it.</returns>
    public async Task<string?> ProveAsync(HttpContext context, Person person, string password)
    {
        var email = person.Email ?? person.Id;
        if (!limits.MayTry(email, Address(context)))
        {
            return TooOften;
        }

        var result = password.Length > 256 ? SignInResult.Failed : await manager.CheckPasswordSignInAsync(person, password, lockoutOnFailure: true);
        if (result.Succeeded)
        {
            return null;
        }

        await RefuseAsync(email, Address(context), result.IsLockedOut ? "tried too often" : "wrong password for a change of it", context.RequestAborted);
        return result.IsLockedOut
            ? "The password was tried too often. Wait a quarter of an hour."
            : "Password now: it is another one.";
    }

    /// <summary>Counts an attempt to use a setup code or an invitation.</summary>
    public bool MayTry(HttpContext context, string what) => limits.MayTry(what, Address(context));

    /// <summary>The caller's network address.</summary>
    public static string? Address(HttpContext context) => context.Connection.RemoteIpAddress?.ToString();

    private Task RefuseAsync(string email, string? address, string why, CancellationToken cancellationToken) => audit.RecordAsync(
        Actor.Nobody with { Address = address },
        new AuditFact(AuditAction.SignInRefused, AuditSubject.Person(email.Length > 254 ? email[..254] : email)) { Note = why },
        cancellationToken);
}
