using Deployer.Core.Access;

namespace Deployer.Tests.Access;

public sealed class FirstRunTests
{
    private const string Bootstrap = "a-bootstrap-token-of-more-than-32-characters";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task IsOpen_UntilThereIsAnOwner_ThenNeverAgain()
    {
        await using var world = await AccessWorld.CreateAsync();
        var firstRun = world.Get<FirstRun>();
        Assert.True(await firstRun.IsOpenAsync(Ct));

        await world.OwnerAsync();

        Assert.False(await firstRun.IsOpenAsync(Ct));
        Assert.True(await firstRun.HasOwnerAsync(Ct));
    }

    [Fact]
    public async Task IsOpen_WithATokenEvenRevoked_IsOver()
    {
        await using var world = await AccessWorld.CreateAsync();
        var owner = new Actor(ActorKind.FirstRun, "", "first visitor", "127.0.0.1", [new AccessGrant(AccessRole.Owner, null, null)]);
        var token = await world.Get<ApiTokens>().CreateAsync(owner, new ApiTokenDraft("ci", AccessRole.Owner, null, null, null), Ct);
        await world.Get<ApiTokens>().RevokeAsync(owner, token.View.Id, Ct);

        Assert.False(await world.Get<FirstRun>().IsOpenAsync(Ct));
        Assert.False(await world.Get<FirstRun>().HasOwnerAsync(Ct));
    }

    [Fact]
    public async Task Prepare_WithBootstrapToken_MakesItOnceAndForAll()
    {
        await using var world = await AccessWorld.CreateAsync(
            new Dictionary<string, string?> { ["Auth:BootstrapToken"] = Bootstrap }, _ => { });
        await world.Get<FirstRun>().PrepareAsync(Ct);
        await world.Get<FirstRun>().PrepareAsync(Ct);

        var actor = await world.Get<ActorDirectory>().FindTokenAsync(Bootstrap, null, Ct);
        Assert.True(actor!.MayEverywhere(AccessRole.Owner));
        Assert.False(await world.Get<FirstRun>().IsOpenAsync(Ct));
        var token = Assert.Single(await world.Get<ApiTokens>().ListAsync(actor, Ct));

        await world.Get<ApiTokens>().RevokeAsync(actor, token.Id, Ct);
        await world.Get<FirstRun>().PrepareAsync(Ct);

        Assert.Null(await world.Get<ActorDirectory>().FindTokenAsync(Bootstrap, null, Ct));
    }

    [Fact]
    public async Task IsSetupCode_GivenInAnyWriting_MatchesThatCodeAlone()
    {
        await using var world = await AccessWorld.CreateAsync();
        var firstRun = world.Get<FirstRun>();
        var code = firstRun.SetupCode;

        Assert.True(firstRun.IsSetupCode(code));
        Assert.True(firstRun.IsSetupCode($" {code[..4]}-{code[4..8]}-{code[8..12]}-{code[12..]} ".ToLowerInvariant()));
        foreach (var wrong in new[] { null, "", code[1..], code + "A", new string('A', 16) })
        {
            Assert.False(firstRun.IsSetupCode(wrong));
        }
    }
}
