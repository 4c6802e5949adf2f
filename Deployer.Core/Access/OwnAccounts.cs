using System.Data;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Deployer.Core.Access;

/// <summary>
/// Changes people make to their own accounts, each in one transaction with its entry in the audit log. One per request:
/// it shares the database context with the person who was read in it.
/// </summary>
public sealed class OwnAccounts(UserManager<Person> users, DeployerDb db, AuditLog audit, AccessFeed feed)
{
    /// <summary>Most passkeys of one person.</summary>
    public const int MaxPasskeys = 20;

    /// <summary>Changes the password, or sets the first one, and ends every other session.</summary>
    /// <param name="owner">Who asks: the person.</param>
    /// <param name="person">The account.</param>
    /// <param name="now">The password now; of no account where there is none.</param>
    /// <param name="password">The new password.</param>
    /// <param name="keep">The session that goes on.</param>
    /// <param name="cancellationToken">Cancels the work.</param>
    /// <returns>What is wrong; empty when it is changed.</returns>
    public async Task<IReadOnlyList<string>> SetPasswordAsync(
        Actor owner, Person person, string now, string password, Guid? keep, CancellationToken cancellationToken)
    {
        await using var transaction = await BeginAsync(cancellationToken);
        var result = await users.HasPasswordAsync(person)
            ? await users.ChangePasswordAsync(person, now, password)
            : await users.AddPasswordAsync(person, password);
        if (!result.Succeeded)
        {
            return Errors(result);
        }

        await db.Set<Session>().Where(session => session.PersonId == person.Id && session.Id != keep).ExecuteDeleteAsync(cancellationToken);
        await CommitAsync(transaction, owner, new AuditFact(AuditAction.PasswordChanged, Subject(person)), cancellationToken);
        feed.Publish();
        return [];
    }

    /// <summary>Adds a passkey.</summary>
    /// <returns>What is wrong; empty when it is added.</returns>
    public async Task<IReadOnlyList<string>> AddPasskeyAsync(
        Actor owner, Person person, UserPasskeyInfo passkey, CancellationToken cancellationToken)
    {
        await using var transaction = await BeginAsync(cancellationToken);
        if ((await users.GetPasskeysAsync(person)).Count >= MaxPasskeys)
        {
            return [$"You have {MaxPasskeys} passkeys. Remove one first."];
        }

        var result = await users.AddOrUpdatePasskeyAsync(person, passkey);
        if (!result.Succeeded)
        {
            return Errors(result);
        }

        await CommitAsync(transaction, owner, new AuditFact(AuditAction.PasskeyAdded, Subject(person)) { Note = passkey.Name }, cancellationToken);
        return [];
    }

    /// <summary>Removes a passkey.</summary>
    /// <returns>Whether the person had it.</returns>
    public async Task<bool> RemovePasskeyAsync(Actor owner, Person person, byte[] credentialId, CancellationToken cancellationToken)
    {
        await using var transaction = await BeginAsync(cancellationToken);
        if (await users.GetPasskeyAsync(person, credentialId) is not { } passkey
            || !(await users.RemovePasskeyAsync(person, credentialId)).Succeeded)
        {
            return false;
        }

        await CommitAsync(transaction, owner, new AuditFact(AuditAction.PasskeyRemoved, Subject(person)) { Note = passkey.Name }, cancellationToken);
        return true;
    }

    private Task<IDbContextTransaction> BeginAsync(CancellationToken cancellationToken) =>
        db.Database.BeginTransactionAsync(IsolationLevel.Serializable, cancellationToken);

    private async Task CommitAsync(IDbContextTransaction transaction, Actor owner, AuditFact fact, CancellationToken cancellationToken)
    {
        audit.Stage(db, owner, fact);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static string Subject(Person person) => AuditSubject.Person(person.Email ?? person.Id);

    private static string[] Errors(IdentityResult result) => [.. result.Errors.Select(error => error.Description).Distinct(StringComparer.Ordinal)];
}
