using System.Globalization;
using System.Net.Http;
using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Tests.Engine.Docker;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Runner;

/// <summary>Whole deployments on a real engine with a real registry.</summary>
[Collection(DockerTests.Name)]
public sealed class DeploymentsOnDockerTests(TestEngine docker) : IAsyncLifetime
{
    private readonly string _app = $"t{Guid.NewGuid():N}"[..12];
    private RunnerBench _bench = null!;

    public async ValueTask InitializeAsync() => _bench = await RunnerBench.CreateAsync(
        docker.Engine, new Dictionary<string, string?>(StringComparer.Ordinal) { ["Runner:StaysRunning"] = "00:00:02" });

    public async ValueTask DisposeAsync()
    {
        foreach (var container in await OursAsync())
        {
            await docker.Engine.RemoveContainerAsync(container.Id, CancellationToken.None);
        }

        await _bench.DisposeAsync();
    }

    [Fact]
    public async Task Deploy_GoodImage_ServesAndLogsEveryLineOnce()
    {
        await AddAppAsync("web:v1", spec => spec with { Ports = [new PortSpec(8080, 0)] });
        await docker.Engine.RemoveImageAsync(Image("web:v1"), CancellationToken.None);
        var deployment = await _bench.DeployAsync(_app, null);

        Assert.True(deployment.Status == DeploymentStatus.Succeeded, deployment.Failure?.Cause);
        Assert.StartsWith("sha256:", deployment.Digest, StringComparison.Ordinal);
        using var client = new HttpClient();
        var port = Assert.Single(deployment.Ports);
        Assert.Equal("hello from v1\n", await client.GetStringAsync(
            new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port.Host}/")), TestContext.Current.CancellationToken));

        var lines = await _bench.LinesAsync(deployment.Id);
        Assert.Contains(lines, line => line.StartsWith("system|Digest: sha256:", StringComparison.Ordinal));
        Assert.Single(lines, line => line == "stdout|web v1 starting on port 8080");
        Assert.Equal($"system|{_app} #1 succeeded", lines[^1]);
        var container = Assert.Single(await OursAsync());
        Assert.Equal(($"deployer-{_app}-1", ContainerStatus.Running, ContainerHealth.Healthy), (container.Name, container.Status, container.Health));
    }

    [Fact]
    public async Task Deploy_NewVersion_ReplacesTheOld()
    {
        await AddAppAsync("web:v1", spec => spec);
        await _bench.DeployAsync(_app, null);
        var second = await _bench.DeployAsync(_app, Image("web:v2"));

        Assert.True(second.Status == DeploymentStatus.Succeeded, second.Failure?.Cause);
        Assert.Equal($"deployer-{_app}-2", Assert.Single(await OursAsync()).Name);
    }

    [Fact]
    public async Task Deploy_WithoutHealthCheckButWithProbe_AsksOverHttp()
    {
        await AddAppAsync("nohealth:v1", spec => spec with { Health = new HealthSpec("/healthz", 8080, 1, 1, 3) });
        var deployment = await _bench.DeployAsync(_app, null);

        Assert.True(deployment.Status == DeploymentStatus.Succeeded, deployment.Failure?.Cause);
        Assert.Contains("system|Healthy: GET /healthz answered 200 OK", await _bench.LinesAsync(deployment.Id));
    }

    [Theory]
    [InlineData("web:nope", FailureCode.ImageNotFound)]
    [InlineData("nothere:v1", FailureCode.ImageNotFound)]
    [InlineData("armsingle:latest", FailureCode.PlatformMismatch)]
    [InlineData("armlist:latest", FailureCode.PlatformMismatch)]
    [InlineData("badcmd:latest", FailureCode.ContainerExited)]
    [InlineData("crash:latest", FailureCode.ContainerExited)]
    [InlineData("unhealthy:latest", FailureCode.Unhealthy)]
    public async Task Deploy_BadImage_FailsWithItsCodeAndLeavesTheOldServing(string image, FailureCode code)
    {
        await AddAppAsync("web:v1", spec => spec);
        var good = await _bench.DeployAsync(_app, null);
        var failed = await _bench.DeployAsync(_app, Image(image));

        Assert.Equal((DeploymentStatus.Failed, code), (failed.Status, failed.Failure?.Code));
        Assert.Equal((good.ContainerId, ContainerStatus.Running), ((await OursAsync()).Single().Id, (await OursAsync()).Single().Status));
    }

    [Fact]
    public async Task Deploy_CrashAtStart_KeepsExitCodeAndLastLines()
    {
        await AddAppAsync("crash:latest", spec => spec);
        var failed = await _bench.DeployAsync(_app, null);

        var evidence = failed.Failure!.Evidence!;
        Assert.Equal(3, evidence.ExitCode);
        Assert.Contains("fatal: DATABASE_URL is not set", evidence.LastLines);
        Assert.Contains("stderr|fatal: DATABASE_URL is not set", await _bench.LinesAsync(failed.Id));
        Assert.Empty(await OursAsync());
    }

    [Fact]
    public async Task Deploy_RegistryWithPassword_FailsAccessDenied()
    {
        await AddAppAsync("web:v1", spec => spec);
        var failed = await _bench.DeployAsync(_app, $"{TestEngine.RegistryWithPassword}/web:v1");

        Assert.Equal(FailureCode.AccessDenied, failed.Failure?.Code);
        Assert.Contains(TestEngine.RegistryWithPassword, failed.Failure!.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_NothingListensOnTheRegistry_FailsRegistryUnreachable()
    {
        await AddAppAsync("web:v1", spec => spec);
        var failed = await _bench.DeployAsync(_app, "127.0.0.1:1/web:v1");

        Assert.Equal(FailureCode.RegistryUnreachable, failed.Failure?.Code);
    }

    [Fact]
    public async Task Deploy_PortTaken_FailsPortInUse()
    {
        using var holder = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Any, 0);
        holder.Start();
        var taken = ((System.Net.IPEndPoint)holder.LocalEndpoint).Port;
        await AddAppAsync("web:v1", spec => spec with { Ports = [new PortSpec(8080, taken)] });
        var failed = await _bench.DeployAsync(_app, null);

        Assert.Equal(FailureCode.PortInUse, failed.Failure?.Code);
        Assert.Empty(await OursAsync());
    }

    [Fact]
    public async Task Cancel_DuringThePull_EndsWithinTwoSeconds()
    {
        await AddAppAsync("web:v1", spec => spec);
        await docker.Engine.RemoveImageAsync($"{TestEngine.ThrottledRegistry}/big:latest", CancellationToken.None);
        var id = await _bench.EnqueueAsync(_app, $"{TestEngine.ThrottledRegistry}/big:latest");
        var run = await _bench.BeginAsync(id, CancellationToken.None);
        await _bench.UntilAsync(async () => (await _bench.LinesAsync(id)).Any(line => line.Contains("Pulling fs layer", StringComparison.Ordinal)));

        var asked = TimeProvider.System.GetTimestamp();
        await _bench.Queue.CancelAsync(id, "tester", CancellationToken.None);
        await run;

        Assert.InRange(TimeProvider.System.GetElapsedTime(asked), TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.Equal(DeploymentStatus.Canceled, (await _bench.ViewAsync(id)).Status);
    }

    private static string Image(string name) => $"{TestEngine.Registry}/{name}";

    private Task AddAppAsync(string image, Func<AppSpec, AppSpec> with) =>
        _bench.AddAppAsync(_app, with(new AppSpec { Image = Image(image) }));

    private Task<IReadOnlyList<ContainerDetails>> OursAsync() => docker.Engine.ListContainersAsync(
        new Dictionary<string, string>(StringComparer.Ordinal) { ["deployer.app"] = _app }, CancellationToken.None);
}
