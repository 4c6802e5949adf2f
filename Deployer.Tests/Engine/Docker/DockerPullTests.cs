using System.Diagnostics;
using System.Globalization;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;

namespace Deployer.Tests.Engine.Docker;

[Collection(DockerTests.Name)]
public sealed class DockerPullTests(TestEngine test) : IAsyncDisposable
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => test.TidyUpAsync();

    [Fact(Timeout = 60_000)]
    public async Task PullAsync_NewImage_GivesMilestonesAsDockerPullPrintsThem()
    {
        var image = TestEngine.Image("crashlate", "latest");
        await test.Engine.RemoveImageAsync(image.PullName, Token);

        var lines = await test.PullAsync(image);

        Assert.Equal("latest: Pulling from crashlate", lines[0]);
        Assert.StartsWith("Digest: sha256:", lines[^2], StringComparison.Ordinal);
        Assert.Equal($"Status: Downloaded newer image for {image.PullName}", lines[^1]);
        Assert.DoesNotContain(lines, line => line.Contains("Downloading", StringComparison.Ordinal) || line.Contains("Extracting", StringComparison.Ordinal));
        var held = await test.Engine.FindImageAsync(image.PullName, Token);
        Assert.Equal([$"{image.Repository}@{lines[^2]["Digest: ".Length..]}"], held!.RepoDigests);
    }

    [Fact(Timeout = 60_000)]
    public async Task PullAsync_LayerThatIsNew_PassesThroughItsPhasesInOrder()
    {
        var image = TestEngine.Image("layers", "latest");
        await test.Engine.RemoveImageAsync(image.PullName, Token);

        var lines = await test.PullAsync(image);

        var layers = lines
            .Select(line => line.Split(": ", 2))
            .Where(parts => parts is [{ Length: 12 }, _])
            .GroupBy(parts => parts[0], parts => parts[1], StringComparer.Ordinal)
            .ToList();
        Assert.NotEmpty(layers);
        Assert.All(layers, phases => Assert.Contains(phases.Last(), (string[])["Pull complete", "Already exists"]));
        var pulled = layers.First(phases => phases.Contains("Pull complete", StringComparer.Ordinal));
        Assert.Equal(
            ["Pulling fs layer", "Download complete", "Pull complete"],
            pulled.Where(phase => phase is not ("Waiting" or "Verifying Checksum")));
    }

    [Fact(Timeout = 60_000)]
    public async Task PullAsync_ByDigest_PullsThatImage()
    {
        var lines = await test.PullAsync(TestEngine.Image("web", "v1"));
        var digest = lines[^2]["Digest: ".Length..];

        var byDigest = await test.PullAsync(TestEngine.Image("web", "v1").WithDigest(digest));

        Assert.Equal($"Status: Image is up to date for {TestEngine.Registry}/web@{digest}", byDigest[^1]);
    }

    [Fact(Timeout = 60_000)]
    public async Task PullAsync_SlowLayer_ReportsBytesThatAreNoMilestones()
    {
        var image = TestEngine.ImageAt(TestEngine.ThrottledRegistry, "big", "latest");
        await test.Engine.RemoveImageAsync(image.PullName, Token);

        var counted = await test.Engine.PullAsync(image, credentials: null, Token)
            .FirstAsync(pullEvent => pullEvent is { Status: "Downloading", Current: > 1_000_000 }, Token);

        Assert.False(counted.IsMilestone);
        Assert.InRange(counted.Total!.Value, 25_000_000, 26_000_000);
        Assert.Equal(12, counted.Layer!.Length);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("web", "no-such-tag", FailureCode.ImageNotFound, "not found")]
    [InlineData("no-such-repository", "latest", FailureCode.ImageNotFound, "not found")]
    [InlineData("armsingle", "latest", FailureCode.PlatformMismatch, "linux/arm64")]
    [InlineData("armlist", "latest", FailureCode.PlatformMismatch, "no matching manifest")]
    public async Task PullAsync_ImageThatCannotBeHad_FailsWithItsCode(string path, string tag, FailureCode code, string words)
    {
        var failure = await Assert.ThrowsAsync<EngineException>(() => test.PullAsync(TestEngine.Image(path, tag)));

        Assert.Equal(code, failure.Code);
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("limited/web", FailureCode.RateLimited)]
    [InlineData("broken/web", FailureCode.RegistryUnreachable)]
    public async Task PullAsync_RegistryThatRefuses_FailsWithItsCode(string path, FailureCode code)
    {
        var failure = await Assert.ThrowsAsync<EngineException>(
            () => test.PullAsync(TestEngine.ImageAt(TestEngine.ThrottledRegistry, path, "v1")));

        Assert.Equal(code, failure.Code);
    }

    [Fact(Timeout = 60_000)]
    public async Task PullAsync_NothingListens_FailsAsRegistryUnreachable()
    {
        var failure = await Assert.ThrowsAsync<EngineException>(() => test.PullAsync(TestEngine.ImageAt("127.0.0.1:1", "web", "v1")));

        Assert.Equal(FailureCode.RegistryUnreachable, failure.Code);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(null)]
    [InlineData("not-the-password")]
    public async Task PullAsync_MissingOrWrongPassword_IsDeniedWithoutShowingIt(string? password)
    {
        var credentials = password is null ? null : new RegistryCredentials("tester", password);

        var failure = await Assert.ThrowsAsync<EngineException>(
            () => test.PullAsync(TestEngine.ImageAt(TestEngine.RegistryWithPassword, "web", "v1"), credentials));

        Assert.Equal(FailureCode.AccessDenied, failure.Code);
        Assert.DoesNotContain("not-the-password", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task PullAsync_RightPassword_Pulls()
    {
        var lines = await test.PullAsync(TestEngine.ImageAt(TestEngine.RegistryWithPassword, "web", "v2"), TestEngine.Credentials);

        Assert.StartsWith("Status: ", lines[^1], StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task PullAsync_CanceledMidPull_EndsWithinTwoSecondsAndLeavesNoImage()
    {
        var image = TestEngine.ImageAt(TestEngine.ThrottledRegistry, "big", "latest");
        await test.Engine.RemoveImageAsync(image.PullName, Token);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var canceled = 0L;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var pullEvent in test.Engine.PullAsync(image, credentials: null, cancel.Token))
            {
                if (pullEvent.Status == "Downloading" && canceled == 0)
                {
                    canceled = Stopwatch.GetTimestamp();
                    await cancel.CancelAsync();
                }
            }
        });

        Assert.NotEqual(0, canceled);
        Assert.InRange(Stopwatch.GetElapsedTime(canceled), TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.Null(await test.Engine.FindImageAsync(image.PullName, Token));
    }

    [Theory(Timeout = 120_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task PullAsync_EngineStopsMidPull_FailsAsEngineUnreachable(bool killed)
    {
        var root = Directory.CreateTempSubdirectory("deployer-engine-").FullName;
        try
        {
            await TestEngine.RunScriptAsync(root, "up");
            var engine = TestEngine.Connect($"unix://{root}/docker.sock");
            using var _ = (IDisposable)engine;
            var stopped = Task.CompletedTask;

            var failure = await Assert.ThrowsAnyAsync<EngineException>(async () =>
            {
                await foreach (var pullEvent in engine.PullAsync(
                    TestEngine.ImageAt(TestEngine.ThrottledRegistry, "big", "latest"), credentials: null, Token))
                {
                    if (pullEvent.Status == "Downloading" && stopped == Task.CompletedTask)
                    {
                        stopped = killed ? KillAsync(root) : TestEngine.RunScriptAsync(root, "down");
                    }
                }
            });
            await stopped;

            Assert.Equal(FailureCode.EngineUnreachable, failure.Code);
            var unreachable = await Assert.ThrowsAsync<EngineUnreachableException>(() => engine.DescribeAsync(Token));
            Assert.Contains($"unix://{root}/docker.sock", unreachable.Message, StringComparison.Ordinal);
            Assert.Contains("Engine:Endpoint", unreachable.Message, StringComparison.Ordinal);
        }
        finally
        {
            await TestEngine.RunScriptAsync(root, "purge");
        }
    }

    private static async Task KillAsync(string root)
    {
        var pid = int.Parse(await File.ReadAllTextAsync($"{root}/dockerd.pid", Token), CultureInfo.InvariantCulture);
        using var engine = Process.GetProcessById(pid);
        engine.Kill();
        await engine.WaitForExitAsync(Token);
    }
}
