using System.Text.Json;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Tests.Fakes;
using Deployer.Tests.Security;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Tests.Audit;

/// <summary>A change and its entry in the audit log are one transaction: where the entry cannot be written, nothing is changed.</summary>
public sealed class AuditTransactionTests : IAsyncLifetime
{
    private static readonly Actor Owner = new(ActorKind.Token, "token:1", "ann", "192.0.2.1", [new AccessGrant(AccessRole.Owner, null, null)]);

    private readonly GuardedServer _server = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Change_WhoseEntryCannotBeWritten_IsNotMade()
    {
        PlayedActor.Play(Owner);
        var target = await _server.AddTargetAsync("staging", Cancellation);
        var fresh = ServerFixture.NewName();
        await _server.Services.GetRequiredService<AppCatalog>().AddAsync(new AppDraft { Name = fresh, Image = "web:v1", Environment = "staging" }, Cancellation);
        await RunAsync<SecretGate>(gate => gate.SetAsync(target.App, "KEPT", "value", Cancellation));
        await RunAsync<RegistryGate>(gate => gate.SaveAsync("kept.test", "a", "b", Cancellation));
        var (id, _) = await _server.AddPersonAsync(AccessRole.Viewer, environment: null, "Anna", Cancellation);
        var person = Owner with { Kind = ActorKind.Person, Id = id };
        var sessions = _server.Services.GetRequiredService<Sessions>();
        await sessions.OpenAsync(new SessionDraft(id, [1], null, null), Cancellation);
        var session = (await sessions.ListAsync(person, id, Cancellation))[0].Id;
        var passkey = new UserPasskeyInfo([1, 2, 3], [4], TimeProvider.System.GetUtcNow(), 0, [], isUserVerified: true, isBackupEligible: false, isBackedUp: false, [], []) { Name = "Laptop" };
        await OwnAsync(id, (own, row) => own.AddPasskeyAsync(person, row, passkey, Cancellation));
        var verbs = new Dictionary<string, Func<Task>>(StringComparer.Ordinal)
        {
            ["app added"] = () => RunAsync<AppGate>(gate => gate.AddAsync(new AppDraft { Name = ServerFixture.NewName(), Image = "web:v1" }, Cancellation)),
            ["app changed"] = () => RunAsync<AppGate>(gate => gate.ChangeAsync(target.App, new AppDraft { Name = target.App, Image = "web:v2", Environment = "staging" }, Cancellation)),
            ["app removed"] = () => RunAsync<AppGate>(gate => gate.RemoveAsync(fresh, Cancellation)),
            ["deployment asked for"] = () => RunAsync<DeploymentGate>(gate => gate.EnqueueAsync(target.App, new DeploymentRequest(null, null, null, null), Cancellation)),
            ["deployment canceled"] = () => RunAsync<DeploymentGate>(gate => gate.CancelAsync(target.Deployment, Cancellation)),
            ["log pinned"] = () => RunAsync<LogPinGate>(gate => gate.SetAsync(target.Deployment, pinned: true, Cancellation)),
            ["secret set"] = () => RunAsync<SecretGate>(gate => gate.SetAsync(target.App, "NEW", "value", Cancellation)),
            ["secret removed"] = () => RunAsync<SecretGate>(gate => gate.RemoveAsync(target.App, "KEPT", Cancellation)),
            ["registry saved"] = () => RunAsync<RegistryGate>(gate => gate.SaveAsync("new.test", "a", "b", Cancellation)),
            ["registry removed"] = () => RunAsync<RegistryGate>(gate => gate.RemoveAsync("kept.test", Cancellation)),
            ["signed in"] = () => sessions.OpenAsync(new SessionDraft(id, [1], null, null), Cancellation),
            ["signed out"] = () => sessions.SignOutAsync(person, session, Cancellation),
            ["signed out everywhere"] = () => sessions.EndAllAsync(person, id, Cancellation),
            ["password changed"] = () => OwnAsync(id, (own, row) => own.SetPasswordAsync(person, row, "violet harbour kettle 47", "another violet kettle 48", keep: null, Cancellation)),
            ["passkey added"] = () => OwnAsync(id, (own, row) => own.AddPasskeyAsync(
                person, row, new UserPasskeyInfo([9], [4], TimeProvider.System.GetUtcNow(), 0, [], isUserVerified: true, isBackupEligible: false, isBackedUp: false, [], []), Cancellation)),
            ["passkey removed"] = () => OwnAsync(id, (own, row) => own.RemovePasskeyAsync(person, row, passkey.CredentialId, Cancellation)),
        };

        await using var db = await _server.DbAsync(Cancellation);
        await db.Database.ExecuteSqlRawAsync("CREATE TRIGGER refuse BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'no room'); END", Cancellation);
        var before = await StateAsync();
        foreach (var (what, verb) in verbs)
        {
            Assert.True(await Record.ExceptionAsync(verb) is not null, $"{what}: nothing was written down, and nobody said so");
            Assert.Equal((what, before), (what, await StateAsync()));
        }

        // With room, each of them changes something: nothing else was in the way.
        await db.Database.ExecuteSqlRawAsync("DROP TRIGGER refuse", Cancellation);
        foreach (var (what, verb) in verbs)
        {
            await verb();
            var after = await StateAsync();
            Assert.NotEqual((what, before), (what, after));
            before = after;
        }
    }

    private async Task RunAsync<TGate>(Func<TGate, Task> act)
        where TGate : notnull
    {
        await using var scope = _server.Services.CreateAsyncScope();
        await act(scope.ServiceProvider.GetRequiredService<TGate>());
    }

    private async Task OwnAsync(string personId, Func<OwnAccounts, Person, Task> act)
    {
        await using var scope = _server.Services.CreateAsyncScope();
        var person = await scope.ServiceProvider.GetRequiredService<UserManager<Person>>().FindByIdAsync(personId);
        await act(scope.ServiceProvider.GetRequiredService<OwnAccounts>(), person!);
    }

    /// <summary>Everything that one of the verbs could change.</summary>
    private async Task<string> StateAsync()
    {
        await using var db = await _server.DbAsync(Cancellation);
        return JsonSerializer.Serialize(new
        {
            Apps = await db.Apps.AsNoTracking().Select(app => new { app.Name, app.Environment, app.UpdatedAt }).ToListAsync(Cancellation),
            Deployments = await db.Deployments.AsNoTracking()
                .Select(row => new { row.Id, row.Status, row.Pinned, row.CancelRequestedAt, row.WithdrawnAt }).ToListAsync(Cancellation),
            Secrets = await db.Set<Core.Secrets.AppSecret>().Select(secret => secret.Name).ToListAsync(Cancellation),
            Registries = await db.Set<Core.Registries.Registry>().Select(registry => registry.Host).ToListAsync(Cancellation),
            Sessions = await db.Set<Session>().Select(row => row.Id).ToListAsync(Cancellation),
            Passwords = await db.People.Select(row => row.PasswordHash).ToListAsync(Cancellation),
            Passkeys = await db.Set<IdentityUserPasskey<string>>().CountAsync(Cancellation),
        }, Core.Data.DeployerJson.Options);
    }
}
