using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Logs;

namespace Deployer.Tests.Engine.Docker;

[Collection(DockerTests.Name)]
public sealed class DockerContainerTests(TestEngine test) : IAsyncDisposable
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => test.TidyUpAsync();

    [Fact(Timeout = 60_000)]
    public async Task DescribeAsync_RunningEngine_NamesItsPlatformAsImagesDo()
    {
        var engine = await test.Engine.DescribeAsync(Token);

        Assert.Equal("linux", engine.OperatingSystem);
        Assert.Contains(engine.Architecture, (string[])["amd64", "arm64"]);
        Assert.NotEqual("", engine.Version);
        Assert.StartsWith("/", engine.DataRoot, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task DescribeAsync_NoEngine_NamesEndpointReasonAndRemedy()
    {
        var engine = TestEngine.Connect("unix:///nonexistent/docker.sock");
        using var _ = (IDisposable)engine;

        var failure = await Assert.ThrowsAsync<EngineUnreachableException>(() => engine.DescribeAsync(Token));

        Assert.Equal(FailureCode.EngineUnreachable, failure.Code);
        Assert.Contains("unix:///nonexistent/docker.sock", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Engine:Endpoint", failure.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task FindImageAsync_ImageWithHealthCheck_TellsIt()
    {
        var plan = await test.PlanAsync("web", "v1");
        var without = await test.PlanAsync("nohealth", "v1");

        var web = await test.Engine.FindImageAsync(plan.ImageId, Token);
        var plain = await test.Engine.FindImageAsync(without.ImageId, Token);

        Assert.True(web!.HasHealthCheck);
        Assert.Equal([8080], web.ExposedPorts);
        Assert.False(plain!.HasHealthCheck);
        Assert.Null(await test.Engine.FindImageAsync($"{TestEngine.Registry}/web:never-pulled", Token));
    }

    [Fact(Timeout = 60_000)]
    public async Task StartContainerAsync_WebImage_RunsHealthyAndAnswersOnItsPort()
    {
        var plan = await test.PlanAsync("web", "v1");
        plan = plan with
        {
            Spec = plan.Spec with { Ports = [new PortSpec(8080, 0)], MemoryMb = 64, Cpus = 0.5, Restart = RestartMode.UnlessStopped },
            Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["GREETING"] = "good=morning" },
        };

        var id = await test.StartAsync(plan);
        var container = await test.WaitForAsync(id, it => it.Health == ContainerHealth.Healthy);

        Assert.Equal(plan.Name, container.Name);
        Assert.Equal(ContainerStatus.Running, container.Status);
        Assert.Equal(plan.Labels[TestEngine.Label], container.Labels[TestEngine.Label]);
        Assert.NotNull(container.StartedAt);
        Assert.NotEmpty(container.Addresses);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{container.Ports[8080]}") };
        Assert.Equal("hello from v1\n", await http.GetStringAsync(new Uri("/", UriKind.Relative), Token));
        Assert.Contains("GREETING=good=morning", await http.GetStringAsync(new Uri("/cgi-bin/env", UriKind.Relative), Token), StringComparison.Ordinal);
        await test.Engine.StartContainerAsync(id, Token); // runs already: no error
    }

    [Fact(Timeout = 60_000)]
    public async Task FindContainerAsync_FailingHealthCheck_IsUnhealthyWithItsOutput()
    {
        var id = await test.StartAsync(await test.PlanAsync("unhealthy", "latest"));

        var container = await test.WaitForAsync(id, it => it.Health == ContainerHealth.Unhealthy);

        Assert.Equal(ContainerStatus.Running, container.Status);
        Assert.True(container.FailingStreak >= 2);
        Assert.Contains("404", container.HealthOutput!, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task FindContainerAsync_CrashAtStart_HasExitCodeAndOutput()
    {
        var id = await test.StartAsync(await test.PlanAsync("crash", "latest"));

        var container = await test.WaitForAsync(id, it => it.Status == ContainerStatus.Exited);
        var output = await test.FollowToEndAsync(id);

        Assert.Equal(3, container.ExitCode);
        Assert.False(container.OutOfMemory);
        Assert.Equal(("starting\n", "fatal: DATABASE_URL is not set\n"), output);
    }

    [Fact(Timeout = 60_000)]
    public async Task FindContainerAsync_MoreMemoryThanAllowed_WasKilledForIt()
    {
        var plan = await test.PlanAsync("web", "v1", "/bin/sh", "-c", "tail /dev/zero");
        plan = plan with { Spec = plan.Spec with { MemoryMb = 16 } };

        var id = await test.StartAsync(plan);
        var container = await test.WaitForAsync(id, it => it.Status == ContainerStatus.Exited);

        Assert.True(container.OutOfMemory);
    }

    [Fact(Timeout = 60_000)]
    public async Task StartContainerAsync_CommandThatIsMissing_FailsAndTheContainerStaysCreated()
    {
        var id = await test.CreateAsync(await test.PlanAsync("badcmd", "latest"));

        var failure = await Assert.ThrowsAsync<EngineException>(() => test.Engine.StartContainerAsync(id, Token));

        Assert.Equal(FailureCode.ContainerExited, failure.Code);
        Assert.Contains("/bin/does-not-exist", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("{\"message\"", failure.Message, StringComparison.Ordinal);
        Assert.Equal(ContainerStatus.Created, (await test.Engine.FindContainerAsync(id, Token))!.Status);
    }

    [Fact(Timeout = 60_000)]
    public async Task StartContainerAsync_PortOfAnotherContainer_FailsAsPortInUse()
    {
        var plan = await test.PlanAsync("web", "v1");
        var first = await test.StartAsync(plan with { Spec = plan.Spec with { Ports = [new PortSpec(8080, 0)] } });
        var taken = (await test.Engine.FindContainerAsync(first, Token))!.Ports[8080];

        var second = await test.CreateAsync(
            plan with { Name = $"{plan.Name}-2", Spec = plan.Spec with { Ports = [new PortSpec(8080, taken)] } });
        var failure = await Assert.ThrowsAsync<EngineException>(() => test.Engine.StartContainerAsync(second, Token));

        Assert.Equal(FailureCode.PortInUse, failure.Code);
    }

    [Fact(Timeout = 60_000)]
    public async Task StartContainerAsync_PortOfAnotherProgram_FailsAsPortInUse()
    {
        using var listener = new TcpListener(IPAddress.Any, 0);
        listener.Start();
        var taken = ((IPEndPoint)listener.LocalEndpoint).Port;
        var plan = await test.PlanAsync("web", "v1");

        var id = await test.CreateAsync(plan with { Spec = plan.Spec with { Ports = [new PortSpec(8080, taken)] } });
        var failure = await Assert.ThrowsAsync<EngineException>(() => test.Engine.StartContainerAsync(id, Token));

        Assert.Equal(FailureCode.PortInUse, failure.Code);
    }

    [Fact(Timeout = 60_000)]
    public async Task CreateContainerAsync_ImageThatIsMissing_FailsAsImageNotFound()
    {
        var plan = await test.PlanAsync("web", "v1");

        var failure = await Assert.ThrowsAsync<EngineException>(
            () => test.CreateAsync(plan with { ImageId = $"{TestEngine.Registry}/web:never-pulled" }));

        Assert.Equal(FailureCode.ImageNotFound, failure.Code);
    }

    [Fact(Timeout = 60_000)]
    public async Task CreateContainerAsync_FurtherNetworkThatIsMissing_LeavesNoContainer()
    {
        var plan = await test.PlanAsync("web", "v1");

        await Assert.ThrowsAsync<EngineException>(
            () => test.CreateAsync(plan with { Spec = plan.Spec with { Networks = ["no-such-network"] } }));

        Assert.Null(await test.Engine.FindContainerAsync(plan.Name, Token));
    }

    [Fact(Timeout = 60_000)]
    public async Task FollowOutputAsync_LongAndInterruptedLines_GivesEveryByteOnItsStream()
    {
        var id = await test.StartAsync(await test.PlanAsync("longlines", "latest"));

        var (stdout, stderr) = await test.FollowToEndAsync(id);

        Assert.Equal("in between\n", stderr);
        var digits = string.Concat(Enumerable.Range(0, 40_000).Select(number => (char)('0' + (number % 10))));
        Assert.Equal($"{digits}\nhalf and half\n{new string('ä', 20_000)}\nno end", stdout);
    }

    [Fact(Timeout = 60_000)]
    public async Task FollowOutputAsync_LastWordsWithoutLineEnd_AreReadEachTime()
    {
        var plan = await test.PlanAsync("web", "v1", "/bin/sh", "-c", "echo begin; sleep 0.1; printf 'last words' >&2; exit 1");
        for (var run = 0; run < 5; run++)
        {
            var id = await test.StartAsync(plan with { Name = $"{plan.Name}-{run}" });

            Assert.Equal(("begin\n", "last words"), await test.FollowToEndAsync(id));
            Assert.Equal(("begin\n", "last words"), await test.FollowToEndAsync(id));
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task FollowOutputAsync_RunningContainer_GivesLinesAsTheyComeUntilCanceled()
    {
        var id = await test.StartAsync(await test.PlanAsync("chatty", "latest"));
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var streams = new HashSet<LogStream>();
        var canceled = 0L;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var chunk in test.Engine.FollowOutputAsync(id, tail: 0, cancel.Token))
            {
                streams.Add(chunk.Stream);
                if (streams.Count == 2)
                {
                    canceled = Stopwatch.GetTimestamp();
                    await cancel.CancelAsync();
                }
            }
        });

        Assert.InRange(Stopwatch.GetElapsedTime(canceled), TimeSpan.Zero, TimeSpan.FromSeconds(2));
    }

    [Fact(Timeout = 60_000)]
    public async Task ReadOutputAsync_WithTail_GivesTheLastLinesAndEnds()
    {
        var id = await test.StartAsync(await test.PlanAsync("web", "v1", "/bin/sh", "-c", "seq 1 50; exec sleep 1000"));
        await test.WaitForAsync(id, it => it.Status == ContainerStatus.Running);
        await test.Engine.FollowOutputAsync(id, tail: 100, Token).FirstAsync(chunk => Text(chunk).Contains("50\n", StringComparison.Ordinal), Token);

        var output = new StringBuilder();
        await foreach (var chunk in test.Engine.ReadOutputAsync(id, tail: 3, Token))
        {
            output.Append(Text(chunk));
        }

        Assert.Equal("48\n49\n50\n", output.ToString());
    }

    [Fact(Timeout = 60_000)]
    public async Task StopContainerAsync_ImageThatListens_StopsWithinTheGrace()
    {
        var id = await test.StartAsync(await test.PlanAsync("web", "v1"));
        await test.Engine.FollowOutputAsync(id, tail: 100, Token).FirstAsync(chunk => Text(chunk).Contains("listening", StringComparison.Ordinal), Token);

        await test.Engine.StopContainerAsync(id, TimeSpan.FromSeconds(20), Token);

        var container = await test.Engine.FindContainerAsync(id, Token);
        Assert.Equal((ContainerStatus.Exited, 0L), (container!.Status, container.ExitCode));
        await test.Engine.StopContainerAsync(id, TimeSpan.FromSeconds(1), Token); // stopped already: no error
    }

    [Fact(Timeout = 60_000)]
    public async Task StopContainerAsync_ImageThatIgnoresTheSignal_IsKilledAfterTheGrace()
    {
        var id = await test.StartAsync(await test.PlanAsync("stubborn", "latest"));
        await test.Engine.FollowOutputAsync(id, tail: 100, Token).FirstAsync(Token);

        var start = Stopwatch.GetTimestamp();
        await test.Engine.StopContainerAsync(id, TimeSpan.FromSeconds(2), Token);

        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.FromSeconds(1.9), TimeSpan.FromSeconds(10));
        Assert.Equal(137, (await test.Engine.FindContainerAsync(id, Token))!.ExitCode);
    }

    [Fact(Timeout = 60_000)]
    public async Task StopContainerAsync_NoGrace_KillsAtOnceWhateverGraceTheContainerHas()
    {
        var plan = await test.PlanAsync("stubborn", "latest");
        var id = await test.StartAsync(plan with { Spec = plan.Spec with { StopGraceSeconds = 300 } });
        await test.Engine.FollowOutputAsync(id, tail: 100, Token).FirstAsync(Token);

        await test.Engine.StopContainerAsync(id, TimeSpan.Zero, Token);

        var container = await test.Engine.FindContainerAsync(id, Token);
        Assert.Equal((ContainerStatus.Exited, 137L), (container!.Status, container.ExitCode));
        await test.Engine.StopContainerAsync(id, TimeSpan.Zero, Token); // stopped already: no error
        await test.Engine.RemoveContainerAsync(id, Token);
        await test.Engine.StopContainerAsync(id, TimeSpan.Zero, Token); // gone: no error
    }

    [Fact(Timeout = 60_000)]
    public async Task RenameAndRemove_RunningContainer_AreSeenByName()
    {
        var plan = await test.PlanAsync("web", "v1");
        var id = await test.StartAsync(plan);

        await test.Engine.RenameContainerAsync(id, $"{plan.Name}-old", Token);

        Assert.Null(await test.Engine.FindContainerAsync(plan.Name, Token));
        Assert.Equal(id, (await test.Engine.FindContainerAsync($"{plan.Name}-old", Token))!.Id);
        await test.Engine.RemoveContainerAsync(id, Token);
        await test.Engine.RemoveContainerAsync(id, Token); // gone already: no error
        await test.Engine.StopContainerAsync(id, TimeSpan.FromSeconds(1), Token);
        Assert.Null(await test.Engine.FindContainerAsync(id, Token));
    }

    [Fact(Timeout = 60_000)]
    public async Task ListContainersAsync_TwoLabels_GivesThoseThatCarryBoth()
    {
        var plan = await test.PlanAsync("web", "v1");
        var color = Guid.NewGuid().ToString("N");
        var size = Guid.NewGuid().ToString("N");
        var both = await test.StartAsync(plan with { Labels = Labels(("color", color), ("size", size)) });
        await test.CreateAsync(plan with { Name = $"{plan.Name}-2", Labels = Labels(("color", color)) });

        var found = await test.Engine.ListContainersAsync(Labels(("color", color), ("size", size)), Token);
        var ofColor = await test.Engine.ListContainersAsync(Labels(("color", color)), Token);

        Assert.Equal([both], found.Select(container => container.Id));
        Assert.Equal([ContainerStatus.Created, ContainerStatus.Running], ofColor.Select(container => container.Status).Order());
    }

    [Fact(Timeout = 60_000)]
    public async Task EnsureNetworkAsync_AskedTwiceAtOnce_MakesOneThatContainersJoin()
    {
        var name = $"{TestEngine.Label}-{Guid.NewGuid():N}";
        await Task.WhenAll(
            test.Engine.EnsureNetworkAsync(name, Labels((TestEngine.Label, "network")), Token),
            test.Engine.EnsureNetworkAsync(name, Labels((TestEngine.Label, "network")), Token));

        // An engine with two networks of one name refuses to join either by name.
        var plan = await test.PlanAsync("web", "v1");
        var id = await test.StartAsync(plan with { Network = name });

        Assert.Equal([name], (await test.Engine.FindContainerAsync(id, Token))!.Addresses.Keys);
    }

    private static string Text(OutputChunk chunk) => Encoding.UTF8.GetString(chunk.Bytes.Span);

    private static Dictionary<string, string> Labels(params (string Key, string Value)[] labels) =>
        labels.ToDictionary(label => label.Key, label => label.Value, StringComparer.Ordinal);
}
