using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Logs;
using Deployer.Core.Notifications;
using Deployer.Core.Secrets;
using Deployer.Tests.Access;
using Deployer.Tests.Fakes;
using Deployer.Tests.Security;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Deployer.Tests.Notifications;

/// <summary>A database with apps and deployments, a clock that stands still, and the sender, which sends when told to.</summary>
internal sealed class NotificationWorld(AccessWorld world) : IAsyncDisposable
{
    public static readonly Actor Owner = new(ActorKind.Token, "token:1", "ann", "192.0.2.1", [new AccessGrant(AccessRole.Owner, null, null)]);

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public AccessWorld Access => world;

    public NotificationSender Sender => world.Get<NotificationSender>();

    public static async Task<NotificationWorld> CreateAsync(IReadOnlyDictionary<string, string?> settings) =>
        new(await AccessWorld.CreateAsync(settings, services =>
        {
            services.AddSingleton<IContainerEngine>(new QuietEngine());
            services.AddApps();
            services.AddDeployments();
            services.AddLogs();
            services.AddNotifications();
            services.AddSingleton<NotificationSender>();
            services.AddScoped<ICurrentActor>(_ => new PlayedActor(new Nobody()));
        }));

    /// <summary>Adds a target as an owner.</summary>
    public async Task<(long Id, string? Secret)> AddTargetAsync(NotificationTargetDraft draft)
    {
        var change = await AddAsync(Owner, draft);
        var added = Assert.IsType<NotificationTargetChange.Added>(change);
        return (added.Target.Id, added.Secret);
    }

    public Task<NotificationTargetChange> AddAsync(Actor actor, NotificationTargetDraft draft) => AsAsync(actor, gate => gate.AddAsync(draft, Ct));

    public async Task<T> AsAsync<T>(Actor actor, Func<NotificationGate, Task<T>> act)
    {
        PlayedActor.Play(actor);
        await using var scope = world.Get<IServiceScopeFactory>().CreateAsyncScope();
        return await act(scope.ServiceProvider.GetRequiredService<NotificationGate>());
    }

    /// <summary>Runs a deployment to its end, as the runner would.</summary>
    public async Task<long> EndAsync(string environment, string reason, DeploymentStatus status, DeploymentFailure? failure)
    {
        var app = ServerFixture.NewName();
        Assert.IsType<AppChange.Saved>(await world.Get<AppCatalog>().AddAsync(
            new AppDraft { Name = app, Image = "registry.example.com/team/web:v7", Environment = environment, Secrets = ["TOKEN"] }, Ct));
        await world.Get<SecretBook>().SetAsync(app, "TOKEN", "s3ntinel-value", Ct);
        var queued = Assert.IsType<EnqueueResult.Queued>(await world.Get<DeploymentQueue>().EnqueueAsync(
            app, new DeploymentRequest(null, reason, "Ann", null), Ct));
        var ledger = world.Get<DeploymentLedger>();
        var claimed = await ledger.ClaimAsync(queued.Deployment.Id, "worker", TimeSpan.FromMinutes(1), Ct);
        await ledger.EndAsync(claimed!.Claim, new DeploymentEnd(status, failure, UndoPending: false), Ct);
        return queued.Deployment.Id;
    }

    public async Task<NotificationDelivery[]> OutboxAsync()
    {
        await using var db = await world.DbAsync();
        return await db.Set<NotificationDelivery>().AsNoTracking().OrderBy(row => row.Id).ToArrayAsync(Ct);
    }

    public ValueTask DisposeAsync() => world.DisposeAsync();

    private sealed class Nobody : ICurrentActor
    {
        public ValueTask<Actor> GetAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Actor.Nobody);
    }
}
