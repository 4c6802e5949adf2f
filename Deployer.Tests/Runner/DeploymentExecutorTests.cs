using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Logs;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Runner;

/// <summary>A deployment's way through its steps, and every way to leave it, with a scripted engine.</summary>
public sealed class DeploymentExecutorTests : IAsyncLifetime
{
    private const string Image = "registry.test/web:v1";

    private static readonly StepState[] AllSucceeded = [.. Enumerable.Repeat(StepState.Succeeded, 6)];

    private RunnerBench _bench = null!;

    private FakeContainerEngine Engine => _bench.Engine;

    public async ValueTask InitializeAsync()
    {
        _bench = await RunnerBench.CreateAsync();
        Engine.Push(new FakeImage(Image) { OnStart = container => container.Write(LogStream.Stdout, "listening") });
        await _bench.AddAppAsync("web", new AppSpec { Image = Image });
    }

    public async ValueTask DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task Execute_GoodImage_SucceedsWithItsContainerRunning()
    {
        var deployment = await _bench.DeployAsync("web", null);

        Assert.Equal(DeploymentStatus.Succeeded, deployment.Status);
        Assert.Equal(AllSucceeded, deployment.Steps.Select(step => step.State));
        Assert.All(deployment.Steps, step => Assert.True(step.StartedAt <= step.EndedAt));
        Assert.Equal("sha256:" + new string('a', 64), deployment.Digest);
        var container = Assert.Single(Engine.Containers);
        Assert.Equal(("deployer-web-1", ContainerStatus.Running, deployment.ContainerId), (container.Name, container.Status, container.Id));
        Assert.Equal("web", container.Plan.Labels["deployer.app"]);
        Assert.Equal($"{deployment.Id}", container.Plan.Labels["deployer.deployment"]);
        Assert.Equal(RestartMode.UnlessStopped, container.Restart);
        Assert.Equal(deployment.Id, await _bench.CurrentAsync("web"));
    }

    [Fact]
    public async Task Execute_GoodImage_LogsMilestonesOutputAndVerdictInOrder()
    {
        var deployment = await _bench.DeployAsync("web", null);

        var lines = await _bench.LinesAsync(deployment.Id);
        Assert.Contains("system|0123456789ab: Pulling fs layer", lines);
        Assert.DoesNotContain(lines, line => line.Contains("Downloading", StringComparison.Ordinal));
        var order = new[] { "system|0123456789ab: Pull complete", "system|Started deployer-web-1", "stdout|listening" }
            .Select(line => lines.ToList().IndexOf(line)).ToList();
        Assert.DoesNotContain(-1, order);
        Assert.Equal(order.Order(), order);
        Assert.Equal("system|web #1 succeeded", lines[^1]);
    }

    [Fact]
    public async Task Execute_SecondDeployment_StartsBesideTheOldAndThenRemovesIt()
    {
        await _bench.DeployAsync("web", null);
        var second = await _bench.DeployAsync("web", null);

        Assert.Equal(DeploymentStatus.Succeeded, second.Status);
        Assert.Equal("deployer-web-2", Assert.Single(Engine.Containers).Name);
        var calls = Engine.Calls.ToList();
        Assert.True(calls.IndexOf("start deployer-web-2") < calls.IndexOf("stop deployer-web-1"));
    }

    [Fact]
    public async Task Execute_FixedHostPort_StopsTheOldFirstAndSaysSo()
    {
        await _bench.AddAppAsync("fixed", new AppSpec { Image = Image, Ports = [new PortSpec(8080, 9000)] });
        await _bench.DeployAsync("fixed", null);
        var second = await _bench.DeployAsync("fixed", null);

        Assert.Equal([new PublishedPort(8080, 9000)], second.Ports);
        var calls = Engine.Calls.ToList();
        Assert.True(calls.IndexOf("stop deployer-fixed-1") < calls.IndexOf("start deployer-fixed-2"));
        Assert.Contains(
            "system|deployer-fixed-1 serves now; it stops before the new container starts, because only one container can hold host port 9000",
            await _bench.LinesAsync(second.Id));
    }

    [Fact]
    public async Task Execute_MissingTag_FailsAndLeavesTheOldServing()
    {
        await _bench.DeployAsync("web", null);
        var failed = await _bench.DeployAsync("web", "registry.test/web:nope");

        Assert.Equal((DeploymentStatus.Failed, FailureCode.ImageNotFound), (failed.Status, failed.Failure!.Code));
        Assert.Equal("registry.test has no image registry.test/web:nope.", failed.Failure.Cause);
        Assert.Equal(
            [StepState.Succeeded, StepState.Failed, StepState.Skipped, StepState.Skipped, StepState.Skipped, StepState.Skipped],
            failed.Steps.Select(step => step.State));
        AssertOnlyOldServes();
    }

    [Fact]
    public async Task Execute_WrongPlatform_Fails()
    {
        Engine.Refuse("pull", FailureCode.PlatformMismatch, "no matching manifest for linux/amd64");
        var failed = await _bench.DeployAsync("web", null);

        Assert.Equal(FailureCode.PlatformMismatch, failed.Failure!.Code);
        Assert.EndsWith("no matching manifest for linux/amd64", failed.Failure.Cause, StringComparison.Ordinal);
        Assert.Empty(Engine.Containers);
    }

    [Theory]
    [InlineData(3, false, "The new container exited with code 3.")]
    [InlineData(137, true, "The new container was killed because it ran out of memory.")]
    [InlineData(0, false, "The new container ended at once, without an error (exit code 0).")]
    public async Task Execute_ContainerExits_FailsWithItsLastLines(int exitCode, bool outOfMemory, string cause)
    {
        await _bench.DeployAsync("web", null);
        Engine.Push(new FakeImage("registry.test/web:crash")
        {
            OnStart = container =>
            {
                container.Write(LogStream.Stdout, "starting");
                container.Write(LogStream.Stderr, "fatal: DATABASE_URL is not set");
                container.Exit(exitCode, outOfMemory);
            },
        });

        var failed = await _bench.DeployAsync("web", "registry.test/web:crash");

        Assert.Equal((FailureCode.ContainerExited, cause), (failed.Failure!.Code, failed.Failure.Cause));
        var evidence = failed.Failure.Evidence!;
        Assert.Equal((exitCode, outOfMemory), (evidence.ExitCode, evidence.OutOfMemory));
        Assert.Equal(["starting", "fatal: DATABASE_URL is not set"], evidence.LastLines);
        Assert.Contains("stderr|fatal: DATABASE_URL is not set", await _bench.LinesAsync(failed.Id));
        AssertOnlyOldServes();
    }

    [Fact]
    public async Task Execute_CrashAfterOldWasStopped_StartsTheOldAgain()
    {
        await _bench.AddAppAsync("fixed", new AppSpec { Image = Image, Ports = [new PortSpec(8080, 9000)] });
        var first = await _bench.DeployAsync("fixed", null);
        Engine.Push(new FakeImage("registry.test/web:crash") { OnStart = container => container.Exit(1) });

        var failed = await _bench.DeployAsync("fixed", "registry.test/web:crash");

        Assert.Equal(DeploymentStatus.Failed, failed.Status);
        var container = Assert.Single(Engine.Containers);
        Assert.Equal((first.ContainerId, ContainerStatus.Running), (container.Id, container.Status));
        Assert.Equal(first.Id, await _bench.CurrentAsync("fixed"));
        Assert.Contains("system|Started deployer-fixed-1 again", await _bench.LinesAsync(failed.Id));
    }

    [Fact]
    public async Task Execute_HealthCheckPasses_WaitsForIt()
    {
        Engine.Push(new FakeImage("registry.test/web:checked") { HasHealthCheck = true });
        var id = await _bench.EnqueueAsync("web", "registry.test/web:checked");
        var run = await _bench.BeginAsync(id, CancellationToken.None);
        await _bench.UntilAsync(async () => (await _bench.ViewAsync(id)).Steps[3].State == StepState.Running && Engine.Containers.Count == 1);

        Engine.Running("deployer-web-1").Report(ContainerHealth.Starting, 1, "connection refused");
        await _bench.UntilAsync(async () => (await _bench.LinesAsync(id)).Contains("system|Health check failed, 1 in a row: connection refused"));
        Assert.Equal(DeploymentStatus.Running, (await _bench.ViewAsync(id)).Status);
        Engine.Running("deployer-web-1").Report(ContainerHealth.Healthy, 0, "ok");
        await _bench.CompleteAsync(run);

        Assert.Equal(DeploymentStatus.Succeeded, (await _bench.ViewAsync(id)).Status);
    }

    [Fact]
    public async Task Execute_HealthCheckFails_FailsUnhealthyWithItsOutput()
    {
        Engine.Push(new FakeImage("registry.test/web:sick")
        {
            HasHealthCheck = true,
            OnStart = container =>
            {
                container.Write(LogStream.Stdout, "no database");
                container.Report(ContainerHealth.Unhealthy, 3, "503 Service Unavailable\n");
            },
        });

        var failed = await _bench.DeployAsync("web", "registry.test/web:sick");

        Assert.Equal(FailureCode.Unhealthy, failed.Failure!.Code);
        Assert.Equal("503 Service Unavailable", failed.Failure.Evidence!.HealthOutput);
        Assert.Null(failed.Failure.Evidence.ExitCode);
        Assert.Equal(["no database"], failed.Failure.Evidence.LastLines);
        Assert.Empty(Engine.Containers);
    }

    [Fact]
    public async Task Execute_HttpProbe_AllowsTimeToListenThenCountsFailures()
    {
        await _bench.AddAppAsync("probed", new AppSpec { Image = Image, Health = new HealthSpec("/healthz", 8080, 1, 1, 2) });
        for (var i = 0; i < 5; i++)
        {
            _bench.Probe.Answer(new ProbeResult(false, false, "no connection: nothing listens on the port"));
        }

        _bench.Probe.Answer(new ProbeResult(true, false, "503 Service Unavailable"));
        var deployment = await _bench.DeployAsync("probed", null);

        Assert.Equal(DeploymentStatus.Succeeded, deployment.Status);
        Assert.Equal(new Uri("http://10.0.0.2:8080/healthz"), _bench.Probe.Asked[0]);
        Assert.Contains("system|Healthy: GET /healthz answered 200 OK", await _bench.LinesAsync(deployment.Id));

        _bench.Probe.Otherwise = new ProbeResult(true, false, "500 Internal Server Error");
        var failed = await _bench.DeployAsync("probed", null);

        Assert.Equal(FailureCode.Unhealthy, failed.Failure!.Code);
        Assert.Equal(
            "The container runs, but GET /healthz on port 8080 failed 2 times in a row: 500 Internal Server Error.", failed.Failure.Cause);
    }

    [Theory]
    [InlineData("start", FailureCode.ContainerExited, "exec: \"/nope\": no such file")]
    [InlineData("start", FailureCode.PortInUse, "port is already allocated")]
    [InlineData("create", FailureCode.DiskFull, "no space left on device")]
    [InlineData("pull", FailureCode.AccessDenied, "no basic auth credentials")]
    [InlineData("pull", FailureCode.RateLimited, "toomanyrequests")]
    [InlineData("layer", FailureCode.RegistryUnreachable, "dial tcp: connection refused")]
    public async Task Execute_EngineRefuses_FailsWithItsCodeAndRemovesWhatItMade(string verb, FailureCode code, string words)
    {
        await _bench.DeployAsync("web", null);
        Engine.Before(verb, (subject, _) => subject == "deployer-web-1" ? Task.CompletedTask : throw new EngineException(code, words, null));

        var failed = await _bench.DeployAsync("web", null);

        Assert.Equal((DeploymentStatus.Failed, code), (failed.Status, failed.Failure!.Code));
        Assert.NotEmpty(failed.Failure.Remedy);
        AssertOnlyOldServes();
    }

    [Fact]
    public async Task Execute_EngineDown_FailsEngineUnreachable()
    {
        Engine.IsDown = true;
        var failed = await _bench.DeployAsync("web", null);

        Assert.Equal((DeploymentStatus.Failed, FailureCode.EngineUnreachable), (failed.Status, failed.Failure!.Code));
        Assert.Contains("unix:///fake/engine.sock", failed.Failure.Cause, StringComparison.Ordinal);
        Assert.Contains("Engine:Endpoint", failed.Failure.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Execute_EngineGoesDownAfterTheOldWasStopped_OldServesAsSoonAsItIsBack()
    {
        await _bench.AddAppAsync("fixed", new AppSpec { Image = Image, Ports = [new PortSpec(8080, 9000)] });
        var first = await _bench.DeployAsync("fixed", null);
        Engine.Before("start", (_, _) =>
        {
            Engine.IsDown = true;
            return Task.CompletedTask;
        });

        var failed = await _bench.DeployAsync("fixed", null);
        Assert.Equal((DeploymentStatus.Failed, FailureCode.EngineUnreachable), (failed.Status, failed.Failure!.Code));
        Assert.True((await _bench.RowAsync(failed.Id)).UndoPending);

        Engine.Allow("start");
        Engine.IsDown = false;
        await _bench.StartAsync();
        await _bench.UntilAsync(async () => !(await _bench.RowAsync(failed.Id)).UndoPending);

        var container = Assert.Single(Engine.Containers);
        Assert.Equal((first.ContainerId, ContainerStatus.Running), (container.Id, container.Status));
    }

    [Fact]
    public async Task Execute_PullStandsStill_TimesOut()
    {
        await _bench.DeployAsync("web", null);
        Engine.Before("layer", (_, cancellationToken) => Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken));
        var id = await _bench.EnqueueAsync("web", null);
        var run = await _bench.BeginAsync(id, CancellationToken.None);
        await _bench.UntilAsync(() => Task.FromResult(Engine.Calls.Count(call => call.StartsWith("layer", StringComparison.Ordinal)) == 4));
        _bench.Time.Advance(TimeSpan.FromMinutes(6));
        await _bench.CompleteAsync(run);

        var failed = await _bench.ViewAsync(id);
        Assert.Equal((FailureCode.TimedOut, "Pull made no progress for 5 minutes."), (failed.Failure!.Code, failed.Failure.Cause));
        AssertOnlyOldServes();
    }

    [Fact]
    public async Task Execute_FaultInAStep_FailsInternalWithoutTheDetails()
    {
        Engine.Before("create", (_, _) => throw new InvalidOperationException("secret detail"));
        var failed = await _bench.DeployAsync("web", null);

        Assert.Equal((DeploymentStatus.Failed, FailureCode.Internal), (failed.Status, failed.Failure!.Code));
        Assert.DoesNotContain(await _bench.LinesAsync(failed.Id), line => line.Contains("secret detail", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Execute_RemovalOfTheOldFails_SucceedsAndRemovesItLater()
    {
        await _bench.DeployAsync("web", null);
        Engine.Refuse("remove", FailureCode.Internal, "device or resource busy");
        var second = await _bench.DeployAsync("web", null);

        Assert.Equal(DeploymentStatus.Succeeded, second.Status);
        Assert.Equal(2, Engine.Containers.Count);
        Engine.Allow("remove");
        await _bench.StartAsync();
        await _bench.UntilAsync(() => Task.FromResult(Engine.Containers.Count == 1));

        Assert.Equal(("deployer-web-2", ContainerStatus.Running), (Engine.Containers[0].Name, Engine.Containers[0].Status));
    }

    private void AssertOnlyOldServes()
    {
        var container = Assert.Single(Engine.Containers);
        Assert.Equal(("deployer-web-1", ContainerStatus.Running), (container.Name, container.Status));
    }
}
