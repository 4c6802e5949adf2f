using System.Data.Common;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Tests.Fakes;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Tests.Apps;

public sealed class AppGateTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Change_AppMovesToAnEnvironmentOfOthersMeanwhile_IsRefusedAndLeavesItThere()
    {
        var name = await server.AddAppAsync(Cancellation);
        var databases = server.Services.GetRequiredService<IDbContextFactory<DeployerDb>>();
        string connection;
        await using (var db = await databases.CreateDbContextAsync(Cancellation))
        {
            connection = db.Database.GetConnectionString()!;
        }

        // After the gate has looked where the app is, and before the change begins.
        var moves = new BeforeTransaction(async () =>
        {
            await using var db = await databases.CreateDbContextAsync(Cancellation);
            await db.Apps.Where(app => app.Name == name)
                .ExecuteUpdateAsync(set => set.SetProperty(app => app.Environment, "payroll"), Cancellation);
        });
        var catalog = new AppCatalog(
            new FixedDatabases(new DbContextOptionsBuilder<DeployerDb>().UseSqlite(connection).AddInterceptors(moves).Options),
            server.Engine, server.Services.GetRequiredService<InstanceIdentity>(),
            server.Services.GetRequiredService<AppOperations>(), new DeploymentFeed(), TimeProvider.System);
        var gate = new AppGate(catalog, new AdminOf(AppValidation.DefaultEnvironment), server.Services.GetRequiredService<AuditLog>());

        var denied = await Assert.ThrowsAsync<AccessDeniedException>(
            () => gate.ChangeAsync(name, new AppDraft { Name = name, Image = "mine:v1" }, Cancellation));

        Assert.Equal("payroll", denied.Environment);
        var app = await server.Services.GetRequiredService<AppCatalog>().FindAsync(name, Cancellation);
        Assert.Equal(("payroll", "web:v1"), (app!.Environment, app.Spec.Image));
    }

    private sealed class AdminOf(string environment) : ICurrentActor
    {
        public ValueTask<Actor> GetAsync(CancellationToken cancellationToken) =>
            new(new Actor(ActorKind.Person, "ada", "Ada", null, [new AccessGrant(AccessRole.Admin, environment, null)]));
    }

    private sealed class BeforeTransaction(Func<Task> act) : DbTransactionInterceptor
    {
        public override async ValueTask<InterceptionResult<DbTransaction>> TransactionStartingAsync(
            DbConnection connection, TransactionStartingEventData eventData, InterceptionResult<DbTransaction> result, CancellationToken cancellationToken = default)
        {
            await act();
            return result;
        }
    }
}
