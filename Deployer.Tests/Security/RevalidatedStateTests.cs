using System.Security.Claims;
using Deployer.Core.Access;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Tests.Security;

/// <summary>What a circuit's look at its session says in the server's log.</summary>
public sealed class RevalidatedStateTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RevalidateAsync_BrokenDatabaseThenStoppedServer_WarnsOfTheFirstAlone()
    {
        var server = new GuardedServer();
        await server.InitializeAsync();
        var circuit = server.Services.CreateScope();
        var state = (RevalidatedState)circuit.ServiceProvider.GetRequiredService<AuthenticationStateProvider>();
        var person = new ClaimsIdentity(
            [new Claim(DeployerClaims.Kind, nameof(ActorKind.Person)), new Claim(DeployerClaims.Session, Guid.NewGuid().ToString())], "test");
        state.SetAuthenticationState(Task.FromResult(new AuthenticationState(new ClaimsPrincipal(person))));
        await using (var db = await server.DbAsync(Cancel))
        {
            await db.Database.ExecuteSqlRawAsync("ALTER TABLE sessions RENAME TO lost", Cancel);
        }

        await state.RevalidateAsync();
        Assert.Contains("no such table", Assert.Single(Warnings(server)), StringComparison.Ordinal);
        Assert.True((await state.GetAuthenticationStateAsync()).User.Identity!.IsAuthenticated);

        await server.DisposeAsync();
        await state.RevalidateAsync();

        Assert.Single(Warnings(server));
        circuit.Dispose();
    }

    private static IEnumerable<string> Warnings(GuardedServer server) =>
        server.Log.Messages.Where(message => message.StartsWith(typeof(RevalidatedState).FullName!, StringComparison.Ordinal));
}
