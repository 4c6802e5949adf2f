using System.Net;
using System.Text.Json;
using Deployer.Tests.Engine.Docker;
using Deployer.Tests.Proxy;

namespace Deployer.Tests.Deployments.OnEngine;

/// <summary>Apps from the API's JSON to the container and back: what the engine really runs, and what becomes of it.</summary>
[Collection(DockerTests.Name)]
public sealed class AppsOnEngineTests(DeployerProgram program) : IClassFixture<DeployerProgram>, IAsyncLifetime
{
    private readonly string _app = DeployerProgram.NewName();

    private string Host => $"{_app}.example.com";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        using var response = await program.Client.DeleteAsync($"/api/apps/{_app}", CancellationToken.None);
    }

    [Fact(Timeout = 120_000)]
    public async Task Deploy_EveryFieldOfTheSpec_IsSeenInTheContainer()
    {
        var hostPort = ProxyWorld.FreePort();
        await program.Engine.SendAsync(HttpMethod.Post, "/networks/create", new { Name = $"{_app}-net" });
        await program.AddAppAsync(_app, DeployerProgram.Image("nohealth:v1"), new
        {
            command = new[] { "/bin/httpd", "-f", "-p", "8080", "-h", "/www" },
            env = new Dictionary<string, string>(StringComparer.Ordinal) { ["GREETING"] = "good = \"morning\" $x", ["EMPTY"] = "" },
            ports = new[] { new { container = 8080, host = (int?)hostPort }, new { container = 9000, host = (int?)null } },
            volumes = new[] { new { name = $"{_app}-data", path = "/data" } },
            networks = new[] { $"{_app}-net" },
            health = new { path = "/cgi-bin/env", port = 8080, interval_seconds = 1, timeout_seconds = 5, retries = 3 },
            hosts = new[] { Host },
            memory_mb = 48,
            cpus = 0.5,
            restart = "on_failure",
            stop_grace_seconds = 3,
            labels = new { team = "core" },
            user = "1000:1000",
            read_only_root = true,
        });
        await program.SendAsync(HttpMethod.Put, $"/api/apps/{_app}/secrets/TOKEN", new { value = "t0ken-0f-the-spec" }, HttpStatusCode.NoContent);

        var deployment = await program.SucceedAsync(_app, null);

        var container = await program.Engine.InspectAsync(deployment.GetProperty("container_id").GetString()!);
        var config = container.GetProperty("Config");
        var host = container.GetProperty("HostConfig");
        Assert.Equal(["/bin/httpd", "-f", "-p", "8080", "-h", "/www"], Texts(config.GetProperty("Cmd")));
        Assert.Superset(
            new HashSet<string>(StringComparer.Ordinal) { "GREETING=good = \"morning\" $x", "EMPTY=", "TOKEN=t0ken-0f-the-spec", "VERSION=nohealth-v1" },
            Texts(config.GetProperty("Env")).ToHashSet(StringComparer.Ordinal));
        Assert.Equal(
            (hostPort.ToString(System.Globalization.CultureInfo.InvariantCulture), false),
            (host.GetProperty("PortBindings").GetProperty("8080/tcp")[0].GetProperty("HostPort").GetString(), host.GetProperty("PortBindings").TryGetProperty("9000/tcp", out _)));
        Assert.True(config.GetProperty("ExposedPorts").TryGetProperty("9000/tcp", out _));
        var mount = Assert.Single(container.GetProperty("Mounts").EnumerateArray());
        Assert.Equal(("volume", $"{_app}-data", "/data", true), (
            mount.GetProperty("Type").GetString(), mount.GetProperty("Name").GetString(), mount.GetProperty("Destination").GetString(), mount.GetProperty("RW").GetBoolean()));
        Assert.Equal(
            [$"{_app}-net", "deployer-production"],
            container.GetProperty("NetworkSettings").GetProperty("Networks").EnumerateObject().Select(network => network.Name).OrderBy(name => name != $"{_app}-net"));
        Assert.Equal((48L * 1024 * 1024, 500_000_000L), (host.GetProperty("Memory").GetInt64(), host.GetProperty("NanoCpus").GetInt64()));
        Assert.Equal("on-failure", host.GetProperty("RestartPolicy").GetProperty("Name").GetString());
        Assert.Equal((3, "1000:1000", true), (
            config.GetProperty("StopTimeout").GetInt32(), config.GetProperty("User").GetString(), host.GetProperty("ReadonlyRootfs").GetBoolean()));
        var labels = config.GetProperty("Labels");
        Assert.Equal(("core", _app, deployment.GetProperty("id").ToString()), (
            labels.GetProperty("team").GetString(), labels.GetProperty("deployer.app").GetString(), labels.GetProperty("deployer.deployment").GetString()));
        Assert.Contains("system|Healthy: GET /cgi-bin/env answered 200 OK", await program.LinesAsync(deployment.GetProperty("id").GetInt64()));

        var (status, seen) = await program.AskAsync(Host, "/cgi-bin/env");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("TOKEN=t0ken-0f-the-spec", seen, StringComparison.Ordinal);
        await SnapshotStaysAsync(deployment);
        await program.SendAsync(HttpMethod.Delete, $"/api/apps/{_app}", null, HttpStatusCode.NoContent);
        await program.Engine.SendAsync(HttpMethod.Delete, $"/networks/{_app}-net", null);
        await program.Engine.SendAsync(HttpMethod.Delete, $"/volumes/{_app}-data", null);
    }

    [Fact(Timeout = 120_000)]
    public async Task StopStartRestart_ServingApp_DoWhatTheySay()
    {
        await AddWebAsync();
        var id = (await program.SucceedAsync(_app, null)).GetProperty("container_id").GetString()!;
        var began = await StartedAtAsync(id);

        await OperateAsync("stop");
        var exited = (await program.Engine.InspectAsync(id)).GetProperty("State");
        Assert.Equal(("exited", 0), (exited.GetProperty("Status").GetString(), exited.GetProperty("ExitCode").GetInt32()));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await program.AskAsync(Host, "/")).Status);
        Assert.Equal("exited", (await RuntimeAsync()).GetProperty("status").GetString());
        Assert.Empty(Drifts(await RuntimeAsync()));

        await OperateAsync("start");
        Assert.Equal("hello from v1\n", await ServedAsync());
        Assert.NotEqual(began, await StartedAtAsync(id));

        var again = await StartedAtAsync(id);
        await OperateAsync("restart");
        Assert.Equal("hello from v1\n", await ServedAsync());
        Assert.NotEqual(again, await StartedAtAsync(id));
    }

    [Fact(Timeout = 120_000)]
    public async Task Runtime_ContainerChangedByHand_ShowsEachDrift()
    {
        await AddWebAsync();
        var id = (await program.SucceedAsync(_app, null)).GetProperty("container_id").GetString()!;
        Assert.Empty(Drifts(await RuntimeAsync()));

        await program.Engine.SendAsync(HttpMethod.Post, $"/containers/{id}/update", new { Memory = 32 * 1024 * 1024, MemorySwap = -1, RestartPolicy = new { Name = "no" } });
        Assert.Equal(["limits_changed", "restart_changed"], Drifts(await RuntimeAsync()));
        await program.Engine.SendAsync(HttpMethod.Post, $"/containers/{id}/pause", null);
        await program.Engine.SendAsync(HttpMethod.Post, $"/containers/{id}/rename?name={_app}-mine", null);
        Assert.Equal(["paused", "renamed", "limits_changed", "restart_changed"], Drifts(await RuntimeAsync()));
        await program.Engine.SendAsync(HttpMethod.Delete, $"/containers/{id}?force=true", null);
        Assert.Equal(["removed"], Drifts(await RuntimeAsync()));
        Assert.Equal(HttpStatusCode.Conflict, (await program.Client.PostAsync($"/api/apps/{_app}/start", null, TestContext.Current.CancellationToken)).StatusCode);

        await program.SucceedAsync(_app, null);
        Assert.Empty(Drifts(await RuntimeAsync()));
        Assert.Equal("hello from v1\n", await ServedAsync());
    }

    [Fact(Timeout = 120_000)]
    public async Task Delete_ServingApp_EndsItsRequestsAndKeepsVolumesAlone()
    {
        await program.AddAppAsync(_app, DeployerProgram.Image("web:v1"), new
        {
            hosts = new[] { Host },
            volumes = new[] { new { name = $"{_app}-data", path = "/data" } },
        });
        await program.SendAsync(HttpMethod.Put, $"/api/apps/{_app}/secrets/TOKEN", new { value = "s0me-token" }, HttpStatusCode.NoContent);
        var deployment = (await program.SucceedAsync(_app, null)).GetProperty("id").GetInt64();
        Assert.Equal("hello from v1\n", await ServedAsync());

        var underWay = program.AskAsync(Host, "/cgi-bin/slow?2");
        await UntilUnderWayAsync();
        await program.SendAsync(HttpMethod.Delete, $"/api/apps/{_app}", null, HttpStatusCode.NoContent);

        Assert.Equal((HttpStatusCode.OK, "slow 2 from v1\n"), await underWay);
        Assert.Empty(await program.Engine.ContainersOfAsync(_app));
        Assert.Equal(HttpStatusCode.NotFound, await UntilNotAsync(HttpStatusCode.ServiceUnavailable));
        await program.SendAsync(HttpMethod.Get, $"/api/apps/{_app}", null, HttpStatusCode.NotFound);
        await program.SendAsync(HttpMethod.Get, $"/api/deployments/{deployment}/logs", null, HttpStatusCode.NotFound);
        Assert.True(await program.Engine.HasAsync($"/volumes/{_app}-data"));
        await program.Engine.SendAsync(HttpMethod.Delete, $"/volumes/{_app}-data", null);

        // Another app may have the name, and inherits nothing.
        await AddWebAsync();
        Assert.Empty((await program.GetAsync($"/api/apps/{_app}/secrets")).GetProperty("secrets").EnumerateArray());
    }

    private async Task SnapshotStaysAsync(JsonElement deployment)
    {
        var id = deployment.GetProperty("id").GetInt64();
        await program.SendAsync(HttpMethod.Put, $"/api/apps/{_app}", new { image = DeployerProgram.Image("web:v2"), hosts = new[] { Host } }, HttpStatusCode.OK);

        Assert.Equal(deployment.GetProperty("spec").ToString(), (await program.GetAsync($"/api/deployments/{id}")).GetProperty("spec").ToString());
        Assert.Equal(["settings_not_deployed"], Drifts(await RuntimeAsync()));
        Assert.All(
            Directory.GetFiles(Path.Combine(program.DataDirectory, Core.Secrets.SecretsRegistration.KeyDirectory)),
            path => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path)));
    }

    private Task AddWebAsync() => program.AddAppAsync(_app, DeployerProgram.Image("web:v1"), new { hosts = new[] { Host } });

    private Task<JsonElement> OperateAsync(string verb) => program.SendAsync(HttpMethod.Post, $"/api/apps/{_app}/{verb}", null, HttpStatusCode.NoContent);

    private Task<JsonElement> RuntimeAsync() => program.GetAsync($"/api/apps/{_app}/runtime");

    /// <summary>Until the app is at a slow request: the process that answers it is there.</summary>
    private async Task UntilUnderWayAsync()
    {
        var id = Assert.Single(await program.Engine.ContainersOfAsync(_app));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        while (!(await program.Engine.GetAsync($"/containers/{id}/top")).GetProperty("Processes").ToString().Contains("sleep 2", StringComparison.Ordinal))
        {
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>What the app answers once it listens again: after a start its server needs a moment.</summary>
    private async Task<string> ServedAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        while (true)
        {
            var (status, text) = await program.AskAsync(Host, "/");
            if (status == HttpStatusCode.OK)
            {
                return text;
            }

            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The first other status at the app's host: a proxy follows the routes a moment later.</summary>
    private async Task<HttpStatusCode> UntilNotAsync(HttpStatusCode status)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        while (true)
        {
            var (now, _) = await program.AskAsync(Host, "/");
            if (now != status)
            {
                return now;
            }

            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    private async Task<string> StartedAtAsync(string id) => (await program.Engine.InspectAsync(id)).GetProperty("State").GetProperty("StartedAt").GetString()!;

    private static IReadOnlyList<string> Drifts(JsonElement runtime) =>
        [.. runtime.GetProperty("drifts").EnumerateArray().Select(drift => drift.GetProperty("kind").GetString()!)];

    private static IReadOnlyList<string> Texts(JsonElement array) => [.. array.EnumerateArray().Select(text => text.GetString()!)];
}
