using System.Globalization;
using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Routing;
using Deployer.Core.Runner;
using Deployer.Tests.Engine.Docker;
using Deployer.Tests.Fakes;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Tests.Routing;

/// <summary>Where an app's requests go after whole deployments on a real engine.</summary>
[Collection(DockerTests.Name)]
public sealed class SwitchOverOnDockerTests(TestEngine docker) : IAsyncLifetime
{
    private readonly string _app = $"t{Guid.NewGuid():N}"[..12];
    private RunnerBench _bench = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Host => $"{_app}.example.com";

    public async ValueTask InitializeAsync() =>
        _bench = await RunnerBench.CreateAsync(
            docker.Engine, new Dictionary<string, string?>(StringComparer.Ordinal) { ["Runner:StaysRunning"] = "00:00:01", ["Runner:ListensWithin"] = "00:00:10" });

    public async ValueTask DisposeAsync()
    {
        await _bench.StopAsync();
        foreach (var container in await docker.Engine.ListContainersAsync(
            new Dictionary<string, string>(StringComparer.Ordinal) { ["deployer.app"] = _app }, CancellationToken.None))
        {
            await docker.Engine.RemoveContainerAsync(container.Id, CancellationToken.None);
        }

        await _bench.DisposeAsync();
    }

    [Fact]
    public async Task Deploy_NewVersion_MovesTheHost()
    {
        await AddAppAsync(spec => spec);
        await SucceedAsync("web:v1");
        var before = await AnswerAsync();
        var second = await SucceedAsync("web:v2");

        Assert.Equal(("hello from v1\n", "hello from v2\n"), (before, await AnswerAsync()));
        Assert.Contains(
            await _bench.LinesAsync(second.Id),
            line => line.StartsWith($"system|Requests for {Host} go to ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Deploy_NewContainerIsUnhealthy_LeavesTheHostWithTheOld()
    {
        await AddAppAsync(spec => spec);
        await SucceedAsync("web:v1");
        var failed = await _bench.DeployAsync(_app, Image("unhealthy:latest"));

        Assert.Equal(DeploymentStatus.Failed, failed.Status);
        Assert.Equal("hello from v1\n", await AnswerAsync());
    }

    [Fact]
    public async Task Deploy_NothingListensOnTheFirstPort_FailsBeforeTheSwitch()
    {
        await AddAppAsync(spec => spec with { Ports = [new PortSpec(9999, null)] });
        var failed = await _bench.DeployAsync(_app, Image("web:v1"));

        Assert.Equal((DeploymentStatus.Failed, FailureCode.Unhealthy), (failed.Status, failed.Failure?.Code));
        Assert.Contains("port 9999 accepts no connection at", failed.Failure!.Cause, StringComparison.Ordinal);
        Assert.Contains("0.0.0.0", failed.Failure.Remedy, StringComparison.Ordinal);
        Assert.Empty((await _bench.Get<RouteReader>().ReadAsync(Stop)).Targets);
    }

    [Fact]
    public async Task Deploy_NoHealthCheckAndSlowToListen_IsWaitedFor()
    {
        await AddAppAsync(spec => spec with { Env = new Dictionary<string, string>(StringComparer.Ordinal) { ["BOOT_DELAY"] = "4" } });
        var slow = await SucceedAsync("nohealth:v1");

        Assert.Equal("hello from nohealth-v1\n", await AnswerAsync());
        Assert.Contains("system|It accepts no connection yet: waiting up to 10 s", await _bench.LinesAsync(slow.Id));
    }

    [Fact]
    public async Task Deploy_NoHealthCheckAndNothingListens_FailsOnceTheWaitIsOver()
    {
        await AddAppAsync(spec => spec with { Ports = [new PortSpec(9999, null)] });
        var failed = await _bench.DeployAsync(_app, Image("nohealth:v1"));

        Assert.Equal((DeploymentStatus.Failed, FailureCode.Unhealthy), (failed.Status, failed.Failure?.Code));
        Assert.Contains("port 9999 accepts no connection at", failed.Failure!.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restart_CutShortByACrash_IsFinishedAndTheAppServesItsHostAgain()
    {
        await AddAppAsync(spec => spec);
        var first = await SucceedAsync("web:v1");
        var container = (await _bench.RowAsync(first.Id)).ContainerId!;

        // As a kill between the stop and the start leaves it.
        await _bench.Get<TrafficSwitch>().WithdrawAsync((await _bench.RowAsync(first.Id)).AppId, Stop);
        await docker.Engine.StopContainerAsync(container, TimeSpan.FromSeconds(1), Stop);
        await _bench.Get<Caretaker>().LookAsync(Stop);
        Assert.Equal(ContainerStatus.Exited, (await docker.Engine.FindContainerAsync(container, Stop))!.Status);

        await using (var db = await _bench.Get<IDbContextFactory<DeployerDb>>().CreateDbContextAsync(Stop))
        {
            var longAgo = SystemClock.Instance.GetCurrentInstant() - Duration.FromMinutes(10);
            await db.RouteTargets.ExecuteUpdateAsync(set => set.SetProperty(target => target.ChangedAt, longAgo), Stop);
        }

        await _bench.Get<Caretaker>().LookAsync(Stop);
        await docker.WaitForAsync(container, seen => seen.Health == ContainerHealth.Healthy);
        await CorrectRoutesAsync();
        Assert.Equal("hello from v1\n", await AnswerAsync());
    }

    [Fact]
    public async Task Deploy_HostOfAnotherApp_FailsHostInUse()
    {
        await AddAppAsync(spec => spec);
        await _bench.AddAppAsync("owner", new AppSpec { Image = Image("web:v1") });
        await _bench.Get<HostBook>().ReserveAsync(2, [Host], Stop);
        var failed = await _bench.DeployAsync(_app, Image("web:v1"));

        Assert.Equal((DeploymentStatus.Failed, FailureCode.HostInUse), (failed.Status, failed.Failure?.Code));
        Assert.Contains("belongs to the app owner", failed.Failure!.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_StopFirstFails_TheOldServesTheHostAgain()
    {
        await AddAppAsync(spec => spec with { Volumes = [new VolumeSpec($"{_app}-data", "/data")] });
        await SucceedAsync("web:v1");
        var failed = await _bench.DeployAsync(_app, Image("crash:latest"));
        Assert.Equal(DeploymentStatus.Failed, failed.Status);
        await docker.WaitForAsync((await _bench.RowAsync(failed.Id - 1)).ContainerId!, seen => seen.Health == ContainerHealth.Healthy);
        await CorrectRoutesAsync();

        Assert.Equal("hello from v1\n", await AnswerAsync());
        Assert.Contains("system|The app's hosts answer 503 until the new container is healthy", await _bench.LinesAsync(failed.Id));
    }

    [Fact]
    public async Task Cancel_WhileTheOldDrains_TheOldServesTheHostAgain()
    {
        await AddAppAsync(spec => spec);
        await SucceedAsync("web:v1");
        using var busy = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var proxy = PretendBusyProxyAsync(busy.Token);
        var id = await _bench.EnqueueAsync(_app, Image("web:v2"));
        var run = await _bench.BeginAsync(id, CancellationToken.None);
        await _bench.UntilAsync(async () =>
            (await _bench.LinesAsync(id)).Any(line => line.StartsWith("system|Waiting up to 30 s", StringComparison.Ordinal)));
        var between = await AnswerAsync();

        await _bench.Queue.CancelAsync(id, "tester", CancellationToken.None);
        await run;
        await busy.CancelAsync();
        await proxy;

        Assert.Equal(DeploymentStatus.Canceled, (await _bench.ViewAsync(id)).Status);
        Assert.Equal(("hello from v2\n", "hello from v1\n"), (between, await AnswerAsync()));
    }

    /// <summary>A proxy that applies every change at once and never gets rid of a request at any draining target.</summary>
    private async Task PretendBusyProxyAsync(CancellationToken stop)
    {
        var register = _bench.Get<ProxyRegister>();
        var feed = _bench.Get<RouteFeed>();
        await register.EnterAsync("busy", "http://127.0.0.1:1", CancellationToken.None);
        while (!stop.IsCancellationRequested)
        {
            var changed = feed.Changed;
            var routes = await _bench.Get<RouteReader>().ReadAsync(CancellationToken.None);
            await register.ReportAsync(
                "busy",
                routes.Stamp.Version,
                routes.Targets.Where(target => target.State == RouteTargetState.Draining).ToDictionary(target => target.Id, _ => 1),
                CancellationToken.None);
            await Task.WhenAny(changed, Task.Delay(ProxyRegister.ReportInterval, TimeProvider.System, stop));
        }
    }

    private static string Image(string name) => $"{TestEngine.Registry}/{name}";

    private Task AddAppAsync(Func<AppSpec, AppSpec> with) =>
        _bench.AddAppAsync(_app, with(new AppSpec { Image = Image("web:v1"), Hosts = [Host] }));

    private async Task<DeploymentView> SucceedAsync(string image)
    {
        var deployment = await _bench.DeployAsync(_app, Image(image));
        Assert.True(deployment.Status == DeploymentStatus.Succeeded, deployment.Failure?.Cause);
        return deployment;
    }

    /// <summary>Finds the address of what was just started and is up by now.</summary>
    private async Task CorrectRoutesAsync()
    {
        using var keeper = new RouteKeeper(
            _bench.Get<IDbContextFactory<DeployerDb>>(), docker.Engine, _bench.Get<TargetFinder>(), _bench.Get<TrafficSwitch>(),
            _bench.Get<RouteFeed>(), TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<RouteKeeper>.Instance);
        await keeper.CheckAsync(Stop);
    }

    /// <summary>What answers where the routes lead.</summary>
    private async Task<string> AnswerAsync()
    {
        var routes = await _bench.Get<RouteReader>().ReadAsync(Stop);
        Assert.True(Assert.Single(routes.Hosts, host => host.Host == Host).InService);
        var target = Assert.Single(routes.Targets, target => target.State == RouteTargetState.Active);
        using var client = new HttpClient();
        return await client.GetStringAsync(
            new Uri(string.Create(CultureInfo.InvariantCulture, $"http://{target.Address}:{target.Port}/")), Stop);
    }
}
