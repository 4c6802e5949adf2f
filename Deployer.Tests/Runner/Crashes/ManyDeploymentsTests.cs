using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Deployer.Core.Engine;
using Deployer.Tests.Engine.Docker;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Runner.Crashes;

/// <summary>Many deployments asked for at once, of the real program over a real engine.</summary>
[Collection(DockerTests.Name)]
public sealed class ManyDeploymentsTests(TestEngine docker)
{
    private const int Apps = 10;
    private const int PerApp = 10;
    private const int Clients = 8;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task Deploy_HundredFromEightClientsAtOnce_RunOneAtATimePerAppAndAllEnd()
    {
        var directory = Directory.CreateTempSubdirectory("deployer-many-").FullName;
        var names = Enumerable.Range(0, Apps).Select(index => $"many-{Guid.NewGuid():N}"[..14] + index.ToString(CultureInfo.InvariantCulture)).ToList();
        try
        {
            await using var deployer = new DeployerProcess(directory, docker.Engine.Endpoint, new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Runner:MaxConcurrent"] = "6",
                ["Runner:StaysRunning"] = "00:00:00",
            });
            await deployer.StartAsync(Stop);
            foreach (var name in names)
            {
                var settings = new { name, image = $"{TestEngine.Registry}/nohealth:v1", env = new { DRAIN = "0" }, stop_grace_seconds = 1 };
                await deployer.SendAsync(HttpMethod.Post, "/api/apps", settings, HttpStatusCode.Created, Stop);
            }

            // Each client asks for its share, and for every request twice at once, as one that got no answer would.
            var asked = Enumerable.Range(0, Apps * PerApp).Select(number => (App: names[number % Apps], Key: $"key-{number}")).ToList();
            var ids = await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(
                async () =>
                {
                    var mine = new List<long>();
                    for (var number = client; number < asked.Count; number += Clients)
                    {
                        var twice = await Task.WhenAll(DeployAsync(deployer, asked[number]), DeployAsync(deployer, asked[number]));
                        Assert.Equal(twice[0], twice[1]);
                        mine.Add(twice[0]);
                    }

                    return mine;
                },
                Stop)));
            Assert.Equal(Apps * PerApp, ids.SelectMany(mine => mine).Distinct().Count());

            foreach (var id in ids.SelectMany(mine => mine))
            {
                await EndAsync(deployer, id);
            }

            foreach (var name in names)
            {
                var page = await deployer.GetAsync($"/api/deployments?app={name}&limit=50", Stop);
                var deployments = page.GetProperty("deployments").EnumerateArray().Reverse().ToList();
                Assert.Equal(Enumerable.Range(1, PerApp), deployments.Select(deployment => deployment.GetProperty("number").GetInt32()));
                Assert.All(deployments, deployment => Assert.Equal("succeeded", deployment.GetProperty("status").GetString()));
                Assert.All(deployments.Zip(deployments.Skip(1)), pair => Assert.True(
                    string.CompareOrdinal(Text(pair.First, "ended_at"), Text(pair.Second, "started_at")) <= 0, $"{name}: two ran at the same time."));
            }

            var containers = await docker.Engine.ListContainersAsync(
                new Dictionary<string, string>(StringComparer.Ordinal) { ["deployer.instance"] = await File.ReadAllTextAsync(Path.Combine(directory, "data", "instance-id"), Stop) }, Stop);
            Assert.Equal(names.Select(name => $"deployer-{name}-{PerApp}").Order(StringComparer.Ordinal), containers.Select(container => container.Name).Order(StringComparer.Ordinal));
            Assert.All(containers, container => Assert.Equal(ContainerStatus.Running, container.Status));
        }
        finally
        {
            foreach (var name in names)
            {
                foreach (var container in await docker.Engine.ListContainersAsync(
                    new Dictionary<string, string>(StringComparer.Ordinal) { ["deployer.app"] = name }, CancellationToken.None))
                {
                    await docker.Engine.RemoveContainerAsync(container.Id, CancellationToken.None);
                }
            }

            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<long> DeployAsync(DeployerProcess deployer, (string App, string Key) asked)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/api/apps/{asked.App}/deployments", UriKind.Relative));
        request.Content = JsonContent.Create(new { reason = asked.Key });
        request.Headers.Add("Idempotency-Key", asked.Key);
        using var response = await deployer.Client.SendAsync(request, Stop);
        return (await response.ReadAsync(HttpStatusCode.Accepted, Stop)).GetProperty("id").GetInt64();
    }

    /// <summary>Waits for the end by following the log, as a client does.</summary>
    private static async Task EndAsync(DeployerProcess deployer, long id)
    {
        var after = "";
        JsonElement page;
        do
        {
            page = await deployer.GetAsync($"/api/deployments/{id}/logs?limit=5000&wait=20{after}", Stop);
            after = page.TryGetProperty("next_after", out var cursor) && cursor.GetString() is { } text ? $"&after={Uri.EscapeDataString(text)}" : "";
        }
        while (!page.GetProperty("complete").GetBoolean());
    }

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();
}
