using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Registries;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Registries;

/// <summary>Credentials for registries.</summary>
public sealed class RegistryBookTests : IAsyncLifetime
{
    private RunnerBench _bench = null!;

    private RegistryBook Book => _bench.Get<RegistryBook>();

    public async ValueTask InitializeAsync() => _bench = await RunnerBench.CreateAsync();

    public async ValueTask DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task Deploy_ImageOfThatHost_IsPulledWithItsCredentials()
    {
        await Book.SaveAsync("registry.test:5000", "ann", "p4ssword-of-ann", CancellationToken.None);
        await Book.SaveAsync("other.test", "bob", "p4ssword-of-bob", CancellationToken.None);
        _bench.Engine.Push(new FakeImage("registry.test:5000/web:v1"));
        _bench.Engine.Push(new FakeImage("unknown.test/web:v1"));
        await _bench.AddAppAsync("web", new AppSpec { Image = "registry.test:5000/web:v1" });

        var deployment = await _bench.DeployAsync("web", null);
        await _bench.DeployAsync("web", "unknown.test/web:v1");

        Assert.Equal(DeploymentStatus.Succeeded, deployment.Status);
        Assert.Equal([new RegistryCredentials("ann", "p4ssword-of-ann"), null], _bench.Engine.PulledWith);
        Assert.Contains("system|Pulling registry.test:5000/web:v1 as ann", await _bench.LinesAsync(deployment.Id));
    }

    [Theory]
    [InlineData("", "ann", "x", RegistryChange.HostInvalid)]
    [InlineData("https://registry.test", "ann", "x", RegistryChange.HostInvalid)]
    [InlineData("registry.test/team", "ann", "x", RegistryChange.HostInvalid)]
    [InlineData("registry.test", "", "x", RegistryChange.CredentialsInvalid)]
    [InlineData("registry.test", "a:b", "x", RegistryChange.CredentialsInvalid)]
    [InlineData("registry.test", "ann", "", RegistryChange.CredentialsInvalid)]
    [InlineData("Registry.Test:5000", "ann", "x", RegistryChange.Saved)]
    [InlineData("127.0.0.1:5000", "ann", "x", RegistryChange.Saved)]
    [InlineData(ImageReference.DefaultDomain, "ann", "x", RegistryChange.Saved)]
    public async Task Save_HostAndCredentials_AreChecked(string host, string user, string password, RegistryChange expected) =>
        Assert.Equal(expected, await Book.SaveAsync(host, user, password, CancellationToken.None));

    [Fact]
    public async Task Save_Again_ReplacesAndListsWithoutPassword()
    {
        await Book.SaveAsync("registry.test", "ann", "one", CancellationToken.None);
        await Book.SaveAsync("REGISTRY.test", "eve", "two", CancellationToken.None);

        var registry = Assert.Single(await Book.ListAsync(CancellationToken.None));
        Assert.Equal(("registry.test", "eve"), (registry.Host, registry.UserName));
        Assert.Equal(RegistryChange.Saved, await Book.RemoveAsync("registry.test", CancellationToken.None));
        Assert.Equal(RegistryChange.Unknown, await Book.RemoveAsync("registry.test", CancellationToken.None));
    }

    [Fact]
    public async Task Test_StoredCredentials_TellsWhetherTheRegistryTakesThem()
    {
        _bench.Engine.Passwords["registry.test ann"] = "right";
        Assert.Null(await Book.TestAsync("registry.test", CancellationToken.None));

        await Book.SaveAsync("registry.test", "ann", "right", CancellationToken.None);
        Assert.True((await Book.TestAsync("registry.test", CancellationToken.None))!.Works);

        await Book.SaveAsync("registry.test", "ann", "wrong", CancellationToken.None);
        var test = (await Book.TestAsync("registry.test", CancellationToken.None))!;
        Assert.Equal((false, FailureCode.AccessDenied), (test.Works, test.Code));
    }
}
