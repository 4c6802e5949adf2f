using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Deployer.Core.Engine;
using Deployer.Tests.Engine.Docker;

namespace Deployer.Tests.Runner.Crashes;

/// <summary>The real program whose own disk, a small one, is filled by the output of what it deploys.</summary>
[Collection(DockerTests.Name)]
public sealed class OwnDiskTests(TestEngine docker) : IAsyncLifetime
{
    private const string App = "own-disk";
    private const string Host = "own-disk.example.test";

    private readonly string _directory = Directory.CreateTempSubdirectory("deployer-own-disk-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Disk => Path.Combine(_directory, "data");

    private string Ballast => Path.Combine(Disk, "ballast");

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Disk);
        await RunAsync("mount", "-t", "tmpfs", "-o", "size=40m", "deployer-own-disk", Disk);
        await File.WriteAllBytesAsync(Ballast, new byte[8 * 1024 * 1024], Stop);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var container in await ContainersAsync(CancellationToken.None))
        {
            await docker.Engine.RemoveContainerAsync(container.Id, CancellationToken.None);
        }

        await RunAsync("umount", Disk);
        Directory.Delete(_directory, recursive: true);
    }

    [Fact(Timeout = 300_000)]
    public async Task Deploy_ItsOutputFillsTheDisk_TheOldServesOnAndTheEndIsToldOnceThereIsRoom()
    {
        await using var deployer = new DeployerProcess(_directory, docker.Engine.Endpoint, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Logs:WritePatienceSeconds"] = "1",
            ["Runner:StaysRunning"] = "00:00:00",
        });
        await deployer.StartAsync(Stop);
        await deployer.SendAsync(HttpMethod.Post, "/api/apps", Settings("nohealth:v1"), HttpStatusCode.Created, Stop);
        var first = await DeployAsync(deployer);
        Assert.Equal("succeeded", Text(await Patience.UntilAsync("#1 ends", () => ReadAsync(deployer, first), IsFinal), "status"));
        var old = Assert.Single(await ContainersAsync(Stop));
        await deployer.SendAsync(HttpMethod.Put, $"/api/apps/{App}", Settings("flood:latest"), HttpStatusCode.OK, Stop);

        var second = await DeployAsync(deployer);
        await Patience.UntilAsync("the new container comes", () => ContainersAsync(Stop), containers => containers.Count == 2);
        await Patience.UntilAsync("the disk is full and the new container goes", () => ContainersAsync(Stop), containers => containers.Count == 1);

        // Whether or not there is room for the end yet: the app is served.
        Assert.Equal((old.Id, ContainerStatus.Running), (await ContainersAsync(Stop)).Select(container => (container.Id, container.Status)).Single());
        Assert.Equal("hello from nohealth-v1", await deployer.AskAsync(Host, "/", Stop));

        File.Delete(Ballast);
        var ended = await Patience.UntilAsync("#2 ends", () => ReadAsync(deployer, second), IsFinal);
        Assert.Equal(("failed", "disk_full"), (Text(ended, "status"), Text(ended.GetProperty("failure"), "code")));
        var lines = await ReadLogAsync(deployer, second);
        Assert.InRange(lines, 1_000, 1_000_000);
        Assert.Equal("hello from nohealth-v1", await deployer.AskAsync(Host, "/", Stop));
    }

    private static object Settings(string image) => new
    {
        name = App,
        image = $"{TestEngine.Registry}/{image}",
        env = new { DRAIN = "0" },
        hosts = new[] { Host },
        ports = new[] { new { container = 8080, host = (int?)null } },
        health = new { path = "/healthz", port = 8080, interval_seconds = 1, timeout_seconds = 10, retries = 3 },
        stop_grace_seconds = 1,
    };

    private static async Task<long> DeployAsync(DeployerProcess deployer) =>
        (await deployer.SendAsync(HttpMethod.Post, $"/api/apps/{App}/deployments", new { }, HttpStatusCode.Accepted, Stop)).GetProperty("id").GetInt64();

    private static Task<JsonElement> ReadAsync(DeployerProcess deployer, long id) => deployer.GetAsync($"/api/deployments/{id}", Stop);

    /// <summary>Follows the cursor to the end: every line once, in order, and the log is complete. Gives their number.</summary>
    private static async Task<int> ReadLogAsync(DeployerProcess deployer, long id)
    {
        var (lines, after) = (0, "");
        JsonElement page;
        do
        {
            page = await deployer.GetAsync($"/api/deployments/{id}/logs?limit=5000{after}", Stop);
            foreach (var line in page.GetProperty("logs").EnumerateArray())
            {
                Assert.Equal(++lines, line.GetProperty("line").GetInt32());
            }

            after = $"&after={Uri.EscapeDataString(Text(page, "next_after")!)}";
        }
        while (!page.GetProperty("complete").GetBoolean());

        return lines;
    }

    private async Task<IReadOnlyList<ContainerDetails>> ContainersAsync(CancellationToken cancellationToken) => await docker.Engine.ListContainersAsync(
        new Dictionary<string, string>(StringComparer.Ordinal) { ["deployer.app"] = App }, cancellationToken);

    private static bool IsFinal(JsonElement deployment) => Text(deployment, "status") is not ("queued" or "running");

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments))!;
        await process.WaitForExitAsync(CancellationToken.None);
        Assert.Equal(0, process.ExitCode);
    }
}
