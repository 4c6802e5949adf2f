using Deployer.Core.Access;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Tests.Access;

public sealed class PeopleTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CreateOwner_Twice_RefusesTheSecond()
    {
        await using var world = await AccessWorld.CreateAsync();
        var owner = await world.OwnerAsync();

        var second = await world.Get<People>().CreateOwnerAsync(
            new NewPerson("mallory@example.com", "Mallory", AccessWorld.GoodPassword), "127.0.0.1", Ct);

        Assert.False(second.Done);
        Assert.Equal("olga@example.com", Assert.Single(await world.Get<People>().ListAsync(owner, Ct)).Email);
    }

    [Fact]
    public async Task CreateOwner_SeveralAtOnce_MakesOne()
    {
        await using var world = await AccessWorld.CreateAsync();

        var changes = await Task.WhenAll(Enumerable.Range(0, 6).Select(index => Task.Run(() => world.Get<People>().CreateOwnerAsync(
            new NewPerson($"p{index}@example.com", $"P{index}", AccessWorld.GoodPassword), "127.0.0.1", Ct))));

        Assert.Single(changes, change => change.Done);
    }

    [Theory]
    [InlineData("short one 4")]
    [InlineData("aaaaaaaaaaaaaaaaaaaa")]
    [InlineData("123456789012345")]
    [InlineData("Password12345!")]
    [InlineData("olga.owner.2026")]
    [InlineData("qwertyuiop123456")]
    [InlineData("DeployerDeployer1")]
    public async Task CreateOwner_GuessablePassword_IsRefusedWithRemedy(string password)
    {
        await using var world = await AccessWorld.CreateAsync();

        var change = await world.Get<People>().CreateOwnerAsync(
            new NewPerson("olga@example.com", "Olga Owner", password), "127.0.0.1", Ct);

        Assert.Contains("Password", Assert.Single(change.Errors.Take(1)), StringComparison.Ordinal);
        Assert.True(await world.Get<FirstRun>().IsOpenAsync(Ct));
    }

    [Theory]
    [InlineData("not an address")]
    [InlineData("a@b@c")]
    [InlineData("Olga <olga@example.com>")]
    [InlineData("olga@example.com\r\nBcc: x@example.com")]
    [InlineData("")]
    public async Task CreateOwner_BadAddress_IsRefused(string email)
    {
        await using var world = await AccessWorld.CreateAsync();

        var change = await world.Get<People>().CreateOwnerAsync(new NewPerson(email, "Olga", AccessWorld.GoodPassword), null, Ct);

        Assert.StartsWith("E-mail address", Assert.Single(change.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Grant_PerEnvironment_HoldsThereAlone()
    {
        await using var world = await AccessWorld.CreateAsync();
        var owner = await world.OwnerAsync();
        var dora = await world.JoinAsync(owner, "dora", AccessRole.Deployer, "staging");
        await world.Get<People>().GrantAsync(owner, dora.Id, "production", AccessRole.Viewer, Ct);

        dora = await world.ActorAsync(dora.Id);

        Assert.True(dora.May(AccessRole.Deployer, "staging", "web"));
        Assert.False(dora.May(AccessRole.Admin, "staging", "web"));
        Assert.True(dora.May(AccessRole.Viewer, "production", "web"));
        Assert.False(dora.May(AccessRole.Deployer, "production", "web"));
        Assert.False(dora.May(AccessRole.Viewer, "lab", "web"));
        Assert.False(dora.MayEverywhere(AccessRole.Viewer));
    }

    [Fact]
    public async Task Grant_ReplacesTheRoleHeldThere()
    {
        await using var world = await AccessWorld.CreateAsync();
        var owner = await world.OwnerAsync();
        var dora = await world.JoinAsync(owner, "dora", AccessRole.Admin, null);

        await world.Get<People>().GrantAsync(owner, dora.Id, null, AccessRole.Viewer, Ct);

        Assert.Equal([new AccessGrant(AccessRole.Viewer, null, null)], (await world.ActorAsync(dora.Id)).Grants);
    }

    [Fact]
    public async Task LastOwner_CannotBeLost()
    {
        await using var world = await AccessWorld.CreateAsync();
        var owner = await world.OwnerAsync();
        var people = world.Get<People>();

        Assert.False((await people.GrantAsync(owner, owner.Id, null, AccessRole.Admin, Ct)).Done);
        Assert.False((await people.GrantAsync(owner, owner.Id, null, null, Ct)).Done);
        Assert.False((await people.DisableAsync(owner, owner.Id, Ct)).Done);

        var second = await world.JoinAsync(owner, "second", AccessRole.Owner, null);
        Assert.True((await people.DisableAsync(second, owner.Id, Ct)).Done);
        Assert.False((await people.GrantAsync(second, second.Id, null, AccessRole.Viewer, Ct)).Done);
    }

    [Fact]
    public async Task EveryVerb_ByAnybodyButAnOwner_IsDenied()
    {
        await using var world = await AccessWorld.CreateAsync();
        var owner = await world.OwnerAsync();
        var admin = await world.JoinAsync(owner, "adam", AccessRole.Admin, null);
        foreach (var actor in new[] { admin, Actor.Nobody })
        {
            await Assert.ThrowsAsync<AccessDeniedException>(() => world.Get<People>().ListAsync(actor, Ct));
            await Assert.ThrowsAsync<AccessDeniedException>(() => world.Get<People>().GrantAsync(actor, admin.Id, null, AccessRole.Owner, Ct));
            await Assert.ThrowsAsync<AccessDeniedException>(() => world.Get<People>().DisableAsync(actor, owner.Id, Ct));
            await Assert.ThrowsAsync<AccessDeniedException>(() => world.Get<People>().EnableAsync(actor, owner.Id, Ct));
            await Assert.ThrowsAsync<AccessDeniedException>(() => world.Get<Invitations>().InviteAsync(actor, "x@example.com", AccessRole.Owner, null, Ct));
            await Assert.ThrowsAsync<AccessDeniedException>(() => world.Get<Invitations>().ListAsync(actor, Ct));
            await Assert.ThrowsAsync<AccessDeniedException>(() => world.Get<Invitations>().WithdrawAsync(actor, 1, Ct));
            await Assert.ThrowsAsync<AccessDeniedException>(() => world.Get<ApiTokens>().CreateAsync(
                actor, new ApiTokenDraft("t", AccessRole.Viewer, null, null, null), Ct));
            await Assert.ThrowsAsync<AccessDeniedException>(() => world.Get<ApiTokens>().ListAsync(actor, Ct));
            await Assert.ThrowsAsync<AccessDeniedException>(() => world.Get<ApiTokens>().RevokeAsync(actor, 1, Ct));
            await Assert.ThrowsAsync<AccessDeniedException>(() => world.Get<Sessions>().ListAsync(actor, owner.Id, Ct));
            await Assert.ThrowsAsync<AccessDeniedException>(() => world.Get<Sessions>().EndAllAsync(actor, owner.Id, Ct));
        }
    }

    [Fact]
    public async Task Invitation_UsedTwiceAtOnce_MakesOneAccount()
    {
        await using var world = await AccessWorld.CreateAsync();
        var owner = await world.OwnerAsync();
        var invitation = await world.Get<Invitations>().InviteAsync(owner, "dora@example.com", AccessRole.Deployer, "staging", Ct);

        var changes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            world.Get<Invitations>().AcceptAsync(invitation!.Key, "Dora", AccessWorld.GoodPassword, null, Ct))));

        Assert.Single(changes, change => change.Done);
        Assert.Equal(2, (await world.Get<People>().ListAsync(owner, Ct)).Count);
        Assert.Empty(await world.Get<Invitations>().ListAsync(owner, Ct));
    }

    [Fact]
    public async Task Invitation_TooOldOrWithdrawnOrInvented_IsRefused()
    {
        await using var world = await AccessWorld.CreateAsync();
        var owner = await world.OwnerAsync();
        var invitations = world.Get<Invitations>();
        var withdrawn = await invitations.InviteAsync(owner, "a@example.com", AccessRole.Viewer, null, Ct);
        Assert.True(await invitations.WithdrawAsync(owner, withdrawn!.View.Id, Ct));
        var old = await invitations.InviteAsync(owner, "b@example.com", AccessRole.Viewer, null, Ct);
        world.Time.Advance(TimeSpan.FromDays(8));

        foreach (var key in new[] { withdrawn.Key, old!.Key, "invented", "" })
        {
            Assert.False((await invitations.AcceptAsync(key, "X", AccessWorld.GoodPassword, null, Ct)).Done);
        }
    }

    [Fact]
    public async Task Invitation_WeakPassword_CanBeTriedAgain()
    {
        await using var world = await AccessWorld.CreateAsync();
        var owner = await world.OwnerAsync();
        var invitation = await world.Get<Invitations>().InviteAsync(owner, "dora@example.com", AccessRole.Viewer, null, Ct);

        Assert.False((await world.Get<Invitations>().AcceptAsync(invitation!.Key, "Dora", "weak", null, Ct)).Done);
        Assert.True((await world.Get<Invitations>().AcceptAsync(invitation.Key, "Dora", AccessWorld.GoodPassword, null, Ct)).Done);
    }

    [Fact]
    public async Task Disable_EndsSessionsAndRights()
    {
        await using var world = await AccessWorld.CreateAsync();
        var owner = await world.OwnerAsync();
        var dora = await world.JoinAsync(owner, "dora", AccessRole.Deployer, null);
        var key = await world.Get<Sessions>().OpenAsync(new SessionDraft(dora.Id, [1, 2], "192.0.2.7", "Browser"), Ct);

        await world.Get<People>().DisableAsync(owner, dora.Id, Ct);

        Assert.Null(await world.Get<Sessions>().FindAsync(key, Ct));
        Assert.Null(await world.Get<ActorDirectory>().FindPersonAsync(dora.Id, null, Ct));
        Assert.True((await world.Get<People>().EnableAsync(owner, dora.Id, Ct)).Done);
        Assert.NotNull(await world.Get<ActorDirectory>().FindPersonAsync(dora.Id, null, Ct));
    }

    [Fact]
    public async Task Sessions_EndedOneOrAll_AreGoneAndAudited()
    {
        await using var world = await AccessWorld.CreateAsync();
        var owner = await world.OwnerAsync();
        var sessions = world.Get<Sessions>();
        var keys = new List<string>();
        for (var index = 0; index < 3; index++)
        {
            keys.Add(await sessions.OpenAsync(new SessionDraft(owner.Id, [(byte)index], "192.0.2.7", $"Browser {index}"), Ct));
        }

        var listed = await sessions.ListAsync(owner, owner.Id, Ct);
        Assert.Equal(["Browser 0", "Browser 1", "Browser 2"], listed.Select(session => session.UserAgent).Order());
        Assert.True(await sessions.EndAsync(owner, owner.Id, listed.Single(session => session.UserAgent == "Browser 1").Id, Ct));
        Assert.NotNull(await sessions.FindAsync(keys[0], Ct));
        Assert.Null(await sessions.FindAsync(keys[1], Ct));

        await sessions.EndAllAsync(owner, owner.Id, Ct);

        Assert.Null(await sessions.FindAsync(keys[0], Ct));
        Assert.Empty(await sessions.ListAsync(owner, owner.Id, Ct));
        Assert.Equal(
            [
                "Olga Owner person.owner_created person:olga@example.com",
                "Olga Owner session.signed_in person:olga@example.com", "Olga Owner session.signed_in person:olga@example.com", "Olga Owner session.signed_in person:olga@example.com",
                "Olga Owner session.ended person:olga@example.com", "Olga Owner session.ended_everywhere person:olga@example.com",
            ],
            await world.AuditedAsync());
    }

    [Fact]
    public async Task Session_UnusedForItsLifetime_Ends_UsedGoesOn()
    {
        await using var world = await AccessWorld.CreateAsync();
        var owner = await world.OwnerAsync();
        var sessions = world.Get<Sessions>();
        var used = await sessions.OpenAsync(new SessionDraft(owner.Id, [1], null, null), Ct);
        var unused = await sessions.OpenAsync(new SessionDraft(owner.Id, [2], null, null), Ct);

        world.Time.Advance(TimeSpan.FromDays(10));
        Assert.NotNull(await sessions.FindAsync(used, Ct));
        world.Time.Advance(TimeSpan.FromDays(10));

        Assert.NotNull(await sessions.FindAsync(used, Ct));
        Assert.Null(await sessions.FindAsync(unused, Ct));
    }

    [Fact]
    public async Task Database_HoldsNoKeyInTheClear()
    {
        await using var world = await AccessWorld.CreateAsync();
        var owner = await world.OwnerAsync();
        var token = await world.Get<ApiTokens>().CreateAsync(owner, new ApiTokenDraft("ci", AccessRole.Deployer, null, null, null), Ct);
        var invitation = await world.Get<Invitations>().InviteAsync(owner, "dora@example.com", AccessRole.Viewer, null, Ct);
        var session = await world.Get<Sessions>().OpenAsync(new SessionDraft(owner.Id, [1], null, null), Ct);

        await using var db = await world.DbAsync();
        await db.Database.ExecuteSqlRawAsync("PRAGMA wal_checkpoint(TRUNCATE)", Ct);
        var file = new Microsoft.Data.Sqlite.SqliteConnectionStringBuilder(db.Database.GetConnectionString()).DataSource;
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes, Ct);
        var text = System.Text.Encoding.Latin1.GetString(bytes.ToArray());

        Assert.Contains("olga@example.com", text, StringComparison.Ordinal);
        foreach (var secret in new[] { token.Token, token.Token[4..], invitation!.Key, session, AccessWorld.GoodPassword })
        {
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Token_ExpiredOrRevokedOrInvented_IsNobody()
    {
        await using var world = await AccessWorld.CreateAsync();
        var owner = await world.OwnerAsync();
        var tokens = world.Get<ApiTokens>();
        var directory = world.Get<ActorDirectory>();
        var brief = await tokens.CreateAsync(owner, new ApiTokenDraft("brief", AccessRole.Deployer, "staging", "web", Duration.FromHours(1)), Ct);
        var revoked = await tokens.CreateAsync(owner, new ApiTokenDraft("revoked", AccessRole.Viewer, null, null, null), Ct);

        var actor = await directory.FindTokenAsync(brief.Token, "192.0.2.7", Ct);
        Assert.NotNull(actor);
        Assert.True(actor.May(AccessRole.Deployer, "staging", "web"));
        Assert.False(actor.May(AccessRole.Deployer, "staging", "other"));
        Assert.False(actor.May(AccessRole.Viewer, "production", "web"));
        Assert.Equal(world.Time.GetUtcNow(), (await tokens.ListAsync(owner, Ct)).Single(token => token.Name == "brief").LastUsedAt!.Value.ToDateTimeOffset());

        Assert.True(await tokens.RevokeAsync(owner, revoked.View.Id, Ct));
        Assert.False(await tokens.RevokeAsync(owner, revoked.View.Id, Ct));
        world.Time.Advance(TimeSpan.FromHours(1));

        Assert.Null(await directory.FindTokenAsync(brief.Token, null, Ct));
        Assert.Null(await directory.FindTokenAsync(revoked.Token, null, Ct));
        Assert.Null(await directory.FindTokenAsync("dpl_invented", null, Ct));
    }
}
