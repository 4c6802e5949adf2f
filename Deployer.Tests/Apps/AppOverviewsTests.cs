using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Tests.Fakes;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Tests.Apps;

/// <summary>All apps in one line each, over a real database and runner.</summary>
public sealed class AppOverviewsTests : IAsyncLifetime
{
    private const string First = "registry.test/web:v1";

    private RunnerBench _bench = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bench = await RunnerBench.CreateAsync();
        _bench.Engine.Push(new FakeImage(First));
        await _bench.AddAppAsync("web", new AppSpec { Image = First, Hosts = ["web.test"] });
        await _bench.AddAppAsync("api", new AppSpec { Image = "registry.test/api:v9" });
    }

    public async ValueTask DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task Read_FromQueuedToServing_TellsEachStateAndLeavesOtherAppsTheSame()
    {
        var (api, web) = await ReadAsync();
        Assert.Equal((AppState.NotDeployed, null, First), (web.State, web.Last, web.Image));

        var id = await _bench.EnqueueAsync("web", null);
        (var sameApi, web) = await ReadAsync();
        Assert.Equal((DeploymentStatus.Queued, 1, "tester"), (web.Last!.Status, web.Waiting!.Position, web.Last.RequestedBy));
        Assert.Same(api, sameApi);

        await _bench.CompleteAsync(await _bench.BeginAsync(id, CancellationToken.None));
        (sameApi, web) = await ReadAsync();
        Assert.Equal((DeploymentStatus.Succeeded, AppState.Running, null), (web.Last!.Status, web.State, web.Waiting));
        Assert.Equal((id, 1, First), (web.Serving!.DeploymentId, web.Serving.Number, web.Serving.Image));
        Assert.Equal(["web.test"], web.Hosts);
        Assert.NotNull(web.Serving.Digest);
        Assert.NotNull(web.Last.Took);
        Assert.Same(api, sameApi);
    }

    [Fact]
    public async Task Read_NothingChanged_GivesTheSameObjects()
    {
        await _bench.DeployAsync("web", null);
        var (api, web) = await ReadAsync();

        var (sameApi, sameWeb) = await ReadAsync();
        Assert.Same(api, sameApi);
        Assert.Same(web, sameWeb);

        // Also when all is read anew after a while.
        _bench.Time.Advance(TimeSpan.FromMinutes(2));
        (sameApi, sameWeb) = await ReadAsync();
        Assert.Same(api, sameApi);
        Assert.Same(web, sameWeb);
    }

    [Fact]
    public async Task Read_LongHistory_TellsTheLastTwentyOldestFirst()
    {
        await ReadAsync();
        await using (var db = await _bench.Get<IDbContextFactory<DeployerDb>>().CreateDbContextAsync(Cancel))
        {
            var app = await db.Apps.SingleAsync(row => row.Name == "web", Cancel);
            db.Deployments.AddRange(Enumerable.Range(1, 25).Select(number => new Deployment
            {
                AppId = app.Id,
                Number = number,
                Status = number % 5 == 0 ? DeploymentStatus.Failed : DeploymentStatus.Succeeded,
                Spec = app.Spec,
                CreatedAt = _bench.Time.Now(),
            }));
            await db.SaveChangesAsync(Cancel);
        }

        var (api, web) = await ReadAsync();

        Assert.Equal(Enumerable.Range(6, 20), web.Attempts.Select(attempt => attempt.Number));
        Assert.Equal(4, web.Attempts.Count(attempt => attempt.Status == DeploymentStatus.Failed));
        Assert.Empty(api.Attempts);
    }

    [Fact]
    public async Task Read_ContainerChangesAtTheEngine_SeesItAfterAWhile()
    {
        await _bench.DeployAsync("web", null);
        Assert.Equal(AppState.Running, (await ReadAsync()).Web.State);
        var container = Assert.Single(_bench.Engine.Containers).Id;

        await _bench.Engine.StopContainerAsync(container, TimeSpan.Zero, Cancel);
        _bench.Time.Advance(ContainerGlance.Freshness);
        Assert.Equal(AppState.Down, (await ReadAsync()).Web.State);

        await _bench.Get<AppOperations>().StartAsync("web", Cancel);
        await _bench.Get<AppOperations>().StopAsync("web", Cancel);
        Assert.Equal(AppState.Stopped, (await ReadAsync()).Web.State);

        await _bench.Engine.RemoveContainerAsync(container, Cancel);
        _bench.Time.Advance(ContainerGlance.Freshness);
        Assert.Equal(AppState.Missing, (await ReadAsync()).Web.State);

        _bench.Engine.IsDown = true;
        _bench.Time.Advance(ContainerGlance.Freshness);
        Assert.Equal(AppState.Unknown, (await ReadAsync()).Web.State);
    }

    [Fact]
    public async Task Read_EngineAnswersLate_KeepsNobodyAndRingsWhenItHasAnswered()
    {
        await _bench.DeployAsync("web", null);
        var answers = new TaskCompletionSource();
        _bench.Engine.Before("list", (_, _) => answers.Task);

        var reading = _bench.Get<AppOverviews>().ReadAsync(Cancel);
        await _bench.CompleteAsync(reading);
        Assert.Equal(AppState.Unknown, (await reading)[1].State);

        using var bell = _bench.Get<DeploymentFeed>().WatchAll();
        answers.SetResult();
        Assert.True(await bell.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, Cancel));
        Assert.Equal(AppState.Running, (await ReadAsync()).Web.State);
    }

    [Fact]
    public async Task Read_EngineFailsInAWayNobodyExpects_ShowsTheAppsAndAsksAgain()
    {
        await _bench.DeployAsync("web", null);
        _bench.Engine.Before("list", (_, _) => throw new InvalidOperationException("something new"));
        _bench.Time.Advance(ContainerGlance.Freshness);
        Assert.Equal(AppState.Unknown, (await ReadAsync()).Web.State);

        _bench.Engine.Allow("list");
        _bench.Time.Advance(ContainerGlance.Freshness);
        Assert.Equal(AppState.Running, (await ReadAsync()).Web.State);
    }

    [Fact]
    public async Task Read_AppAddedChangedAndRemoved_FollowsIt()
    {
        await ReadAsync();
        await _bench.AddAppAsync("cron", new AppSpec { Image = "registry.test/cron:v1" });
        Assert.Equal(["api", "cron", "web"], (await _bench.Get<AppOverviews>().ReadAsync(Cancel)).Select(app => app.Name));

        await using var db = await _bench.Get<IDbContextFactory<DeployerDb>>().CreateDbContextAsync(Cancel);
        _bench.Time.Advance(TimeSpan.FromSeconds(1));
        await db.Apps.Where(app => app.Name == "cron").ExecuteUpdateAsync(
            set => set.SetProperty(app => app.Spec, new AppSpec { Image = "registry.test/cron:v2" }).SetProperty(app => app.UpdatedAt, _bench.Time.Now()), Cancel);
        await db.Apps.Where(app => app.Name == "api").ExecuteDeleteAsync(Cancel);

        Assert.Equal(
            [("cron", "registry.test/cron:v2"), ("web", First)],
            (await _bench.Get<AppOverviews>().ReadAsync(Cancel)).Select(app => (app.Name, app.Image)));
    }

    private async Task<(AppOverview Api, AppOverview Web)> ReadAsync()
    {
        var apps = await _bench.Get<AppOverviews>().ReadAsync(Cancel);
        return (apps[0], apps[1]);
    }
}
