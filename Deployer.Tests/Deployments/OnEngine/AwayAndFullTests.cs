using System.Diagnostics;
using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Tests.Engine.Docker;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Deployments.OnEngine;

/// <summary>Engines that are away, and one whose disk is really full.</summary>
[Collection(DockerTests.Name)]
public sealed class AwayAndFullTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task Deploy_NoEngine_NamesItsAddressAndTheSetting()
    {
        using var engine = (IDisposable)TestEngine.Connect("unix:///nonexistent/docker.sock");
        await using var bench = await RunnerBench.CreateAsync((IContainerEngine)engine, new Dictionary<string, string?>(StringComparer.Ordinal));
        await bench.AddAppAsync("web", new AppSpec { Image = "127.0.0.1:1/web:v1" });

        var failed = await bench.DeployAsync("web", null);

        Assert.Equal((DeploymentStatus.Failed, FailureCode.EngineUnreachable), (failed.Status, failed.Failure?.Code));
        Assert.Contains("unix:///nonexistent/docker.sock", failed.Failure!.Cause, StringComparison.Ordinal);
        Assert.Contains("Engine:Endpoint", failed.Failure.Remedy, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Deploy_EnginesDiskIsFull_SaysWhatCanBeRemoved()
    {
        var root = Directory.CreateTempSubdirectory("deployer-engine-").FullName;
        try
        {
            // Room for small images alone, at the one place where this engine keeps anything.
            Directory.CreateDirectory($"{root}/data");
            await RunAsync("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", $"{root}/data");
            await TestEngine.RunScriptAsync(root, "up");
            using var engine = (IDisposable)TestEngine.Connect($"unix://{root}/docker.sock");
            await using var bench = await RunnerBench.CreateAsync((IContainerEngine)engine, new Dictionary<string, string?>(StringComparer.Ordinal));
            await foreach (var _ in ((IContainerEngine)engine).PullAsync(TestEngine.Image("nohealth", "v1"), credentials: null, Cancel))
            {
                // Nobody uses it: it could go.
            }

            await bench.AddAppAsync("big", new AppSpec { Image = $"{TestEngine.Registry}/big:latest" });
            var failed = await bench.DeployAsync("big", null);

            Assert.Equal((DeploymentStatus.Failed, FailureCode.DiskFull), (failed.Status, failed.Failure?.Code));
            Assert.Equal("The engine's disk is full.", failed.Failure!.Cause);
            Assert.Matches("^One image that no container uses takes up to [1-9][0-9]* MB on the engine's disk: remove it", failed.Failure.Remedy);
        }
        finally
        {
            await TestEngine.RunScriptAsync(root, "purge");
        }
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(0, process.ExitCode);
    }
}
