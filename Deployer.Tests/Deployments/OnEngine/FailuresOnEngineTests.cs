using System.Globalization;
using System.Net;
using System.Text.Json;
using Deployer.Tests.Engine.Docker;
using Deployer.Tests.Proxy;

namespace Deployer.Tests.Deployments.OnEngine;

/// <summary>The program with little patience.</summary>
public sealed class ImpatientProgram : DeployerProgram
{
    protected override IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Runner:StallLimit"] = "00:00:06",
        ["Runner:StaysRunning"] = "00:00:02",
    };
}

/// <summary>What a failure says of itself, from the real engine and the real registries to the API's JSON.</summary>
[Collection(DockerTests.Name)]
public sealed class FailuresOnEngineTests(ImpatientProgram program) : IClassFixture<ImpatientProgram>, IAsyncLifetime
{
    private readonly string _app = DeployerProgram.NewName();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var app in new[] { _app, $"{_app}-holder" })
        {
            using var response = await program.Client.DeleteAsync($"/api/apps/{app}", CancellationToken.None);
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData("OPEN/web:v4", "image_not_found", "OPEN has no image OPEN/web:v4.", "OPEN/web has no tag v4; near it are v3, v2, v1")]
    [InlineData("OPEN/wep:v1", "image_not_found", "OPEN has no image OPEN/wep:v1.", "Check the repository and the tag for a slip")]
    [InlineData("AUTH/web:v1", "access_denied", "AUTH refused access to web.", "No credentials are stored for AUTH: store them with PUT /api/registries/AUTH.")]
    [InlineData("127.0.0.1:1/web:v1", "registry_unreachable", "The registry 127.0.0.1:1 did not answer the engine.", "See whether 127.0.0.1:1 is spelt right")]
    [InlineData("SLOW/broken/web:v1", "registry_unreachable", "The registry SLOW did not answer the engine.", "See whether SLOW is spelt right")]
    [InlineData("SLOW/limited/web:v1", "rate_limited", "The registry SLOW refuses more pulls for now.", "Wait, or add credentials for SLOW")]
    [InlineData("OPEN/armsingle:latest", "platform_mismatch", "The image is not made for the engine's processor or operating system:", "Build and push it for the engine's platform")]
    public async Task Deploy_ImageThatCannotBeHad_SaysWhichAndWhatToDo(string image, string code, string cause, string remedy)
    {
        await program.AddAppAsync(_app, Named(image), new { });

        var failure = await FailAsync();

        Assert.Equal((code, JsonValueKind.Null), (failure.GetProperty("code").GetString(), failure.GetProperty("evidence").ValueKind));
        Assert.StartsWith(Named(cause), failure.GetProperty("cause").GetString(), StringComparison.Ordinal);
        Assert.StartsWith(Named(remedy), failure.GetProperty("remedy").GetString(), StringComparison.Ordinal);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("echo before; tail /dev/zero", "The new container was killed because it ran out of memory.", "Raise the app's memory limit", 137, true, "before")]
    [InlineData("i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo line $i; done; exit 7", "The new container exited with code 7.", "Read its last lines", 7, false, "line 300")]
    [InlineData("echo done", "The new container ended at once, without an error (exit code 0).", "Give the app a command that keeps running", 0, false, "done")]
    [InlineData("echo 'no such program'; exit 127", "The new container's command could not be run (exit code 127).", "Correct the app's command", 127, false, "no such program")]
    public async Task Deploy_ContainerThatExits_GivesItsEvidence(string script, string cause, string remedy, int exitCode, bool outOfMemory, string lastLine)
    {
        await program.AddAppAsync(_app, DeployerProgram.Image("nohealth:v1"), new { command = new[] { "/bin/sh", "-c", script }, memory_mb = 16 });

        var failure = await FailAsync();

        var evidence = failure.GetProperty("evidence");
        Assert.Equal(("container_exited", cause), (failure.GetProperty("code").GetString(), failure.GetProperty("cause").GetString()));
        Assert.StartsWith(remedy, failure.GetProperty("remedy").GetString(), StringComparison.Ordinal);
        Assert.Equal((exitCode, outOfMemory), (evidence.GetProperty("exit_code").GetInt32(), evidence.GetProperty("out_of_memory").GetBoolean()));
        var lines = evidence.GetProperty("last_lines").EnumerateArray().Select(line => line.GetString()).ToList();
        Assert.Equal(lastLine, lines[^1]);
        Assert.Equal(script.Contains("300", StringComparison.Ordinal) ? 100 : 1, lines.Count);
    }

    [Fact(Timeout = 60_000)]
    public async Task Deploy_Unhealthy_GivesTheProbesOutputAndTheLastLines()
    {
        await program.AddAppAsync(_app, DeployerProgram.Image("unhealthy:latest"), new { });

        var failure = await FailAsync();

        Assert.Equal("unhealthy", failure.GetProperty("code").GetString());
        Assert.Contains("404", failure.GetProperty("evidence").GetProperty("health_output").GetString(), StringComparison.Ordinal);
        Assert.Contains("listening", failure.GetProperty("evidence").GetProperty("last_lines").ToString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Deploy_ProbeAnswersWrongly_IsUnhealthyAfterItsRetries()
    {
        await program.AddAppAsync(_app, DeployerProgram.Image("nohealth:v1"), new { health = new { path = "/nope", port = 8080, interval_seconds = 1, retries = 2 } });

        var failure = await FailAsync();

        Assert.Equal("The container runs, but GET /nope on port 8080 failed 2 times in a row: 404 Not Found.", failure.GetProperty("cause").GetString());
    }

    [Fact(Timeout = 60_000)]
    public async Task Deploy_NothingEverListens_TimesOutForWantOfProgress()
    {
        await program.AddAppAsync(_app, DeployerProgram.Image("nohealth:v1"), new { health = new { path = "/", port = 9999, interval_seconds = 1 } });

        var failure = await FailAsync();

        Assert.Equal(("timed_out", "Health check made no progress for 6 seconds."), (failure.GetProperty("code").GetString(), failure.GetProperty("cause").GetString()));
        Assert.Contains("listening", failure.GetProperty("evidence").GetProperty("last_lines").ToString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Deploy_SlowButMoving_OutlivesTheLimit()
    {
        // Twice the limit in all, but never as long without a sign.
        await program.AddAppAsync(_app, DeployerProgram.Image("nohealth:v1"), new
        {
            command = new[] { "/bin/sh", "-c", "for i in 1 2 3 4; do sleep 3; echo step $i; done; exec httpd -f -p 8080 -h /www" },
            health = new { path = "/cgi-bin/env", port = 8080, interval_seconds = 1 },
        });

        await program.SucceedAsync(_app, null);
    }

    [Fact(Timeout = 60_000)]
    public async Task Deploy_PortOfAnotherContainer_NamesThatContainer()
    {
        var port = ProxyWorld.FreePort();
        var ports = new[] { new { container = 8080, host = port } };
        await program.AddAppAsync($"{_app}-holder", DeployerProgram.Image("web:v1"), new { ports });
        await program.SucceedAsync($"{_app}-holder", null);
        await program.AddAppAsync(_app, DeployerProgram.Image("web:v1"), new { ports });

        var failure = await FailAsync();

        Assert.Equal("port_in_use", failure.GetProperty("code").GetString());
        Assert.Equal(
            $"The container deployer-{_app}-holder-1 of the app {_app}-holder holds host port {port}: stop it, or give this app another host port.",
            failure.GetProperty("remedy").GetString());
    }

    [Fact(Timeout = 60_000)]
    public async Task Deploy_PortOfAnotherProgram_SaysSo()
    {
        using var holder = new System.Net.Sockets.TcpListener(IPAddress.Any, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;
        await program.AddAppAsync(_app, DeployerProgram.Image("web:v1"), new { ports = new[] { new { container = 8080, host = port } } });

        var failure = await FailAsync();

        Assert.StartsWith(
            string.Create(CultureInfo.InvariantCulture, $"No container of this engine holds {port}, so another program"), failure.GetProperty("remedy").GetString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Deploy_SecretWithoutValue_NamesIt()
    {
        await program.AddAppAsync(_app, DeployerProgram.Image("web:v1"), new { secrets = new[] { "TOKEN" } });

        var failure = await FailAsync();

        Assert.Equal("secret_missing", failure.GetProperty("code").GetString());
        Assert.Contains("TOKEN", failure.GetProperty("cause").GetString(), StringComparison.Ordinal);
    }

    private static string Named(string text) => text
        .Replace("OPEN", TestEngine.Registry, StringComparison.Ordinal)
        .Replace("AUTH", TestEngine.RegistryWithPassword, StringComparison.Ordinal)
        .Replace("SLOW", TestEngine.ThrottledRegistry, StringComparison.Ordinal);

    /// <summary>Deploys what must fail, and gives the failure; nothing of it may be left in the engine.</summary>
    private async Task<JsonElement> FailAsync()
    {
        var deployment = await program.DeployAsync(_app, null);
        Assert.Equal("failed", deployment.GetProperty("status").GetString());
        Assert.Empty(await program.Engine.ContainersOfAsync(_app));
        return deployment.GetProperty("failure");
    }
}
