using System.Net;
using System.Text.Json;
using Deployer.Tests.Engine.Docker;

namespace Deployer.Tests.Deployments.OnEngine;

/// <summary>Where images come from: registries with credentials, earlier deployments, and how far a pull is.</summary>
[Collection(DockerTests.Name)]
public sealed class ReleasesOnEngineTests(DeployerProgram program) : IClassFixture<DeployerProgram>, IAsyncLifetime
{
    private readonly string _app = DeployerProgram.NewName();

    // The same registry under two names: to Deployer these are two registries.
    private static string ByAddress => TestEngine.RegistryWithPassword;

    private static string ByName => ByAddress.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var path in new[] { $"/api/apps/{_app}", $"/api/registries/{ByAddress}", $"/api/registries/{ByName}" })
        {
            using var response = await program.Client.DeleteAsync(path, CancellationToken.None);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Deploy_RegistriesWithPasswords_EachHostGetsItsOwnCredentials()
    {
        var (right, wrong) = (TestEngine.Credentials.Password, "n0t-the-passw0rd");
        await program.AddAppAsync(_app, $"{ByAddress}/web:v1", new { });
        var without = await FailAsync(null, "access_denied");
        Assert.Equal($"No credentials are stored for {ByAddress}: store them with PUT /api/registries/{ByAddress}.", without.GetProperty("remedy").GetString());
        await program.SendAsync(HttpMethod.Post, $"/api/registries/{ByAddress}/test", null, HttpStatusCode.NotFound);

        await StoreAsync(ByAddress, right);
        await StoreAsync(ByName, wrong);
        Assert.Equal((true, JsonValueKind.Null), await TestAsync(ByAddress));
        Assert.Equal((false, JsonValueKind.String), await TestAsync(ByName));
        var succeeded = await program.SucceedAsync(_app, null);
        Assert.Contains($"system|Pulling {ByAddress}/web:v1 as {TestEngine.Credentials.UserName}", await program.LinesAsync(succeeded.GetProperty("id").GetInt64()));
        var denied = await FailAsync($"{ByName}/web:v1", "access_denied");
        Assert.StartsWith($"{ByName} was asked as {TestEngine.Credentials.UserName}: correct the password", denied.GetProperty("remedy").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(wrong, denied.ToString(), StringComparison.Ordinal);

        await StoreAsync(ByName, right);
        await program.SucceedAsync(_app, $"{ByName}/web:v2");
        await StoreAsync(ByAddress, wrong);
        Assert.Equal((false, JsonValueKind.String), await TestAsync(ByAddress));
        await FailAsync(null, "access_denied");
    }

    [Fact(Timeout = 120_000)]
    public async Task Test_RegistryThatIsAway_SaysThatAndNotThatThePasswordIsWrong()
    {
        await StoreAsync("127.0.0.1:1", "s0me-passw0rd");

        var test = await program.SendAsync(HttpMethod.Post, "/api/registries/127.0.0.1:1/test", null, HttpStatusCode.OK);

        Assert.Equal((false, "registry_unreachable"), (test.GetProperty("works").GetBoolean(), test.GetProperty("code").GetString()));
        await program.SendAsync(HttpMethod.Delete, "/api/registries/127.0.0.1:1", null, HttpStatusCode.NoContent);
    }

    [Fact(Timeout = 180_000)]
    public async Task Restore_EarlierDeployment_WithoutTheRegistryThenFromItThenNot()
    {
        var repository = $"{TestEngine.Registry}/{_app}";
        await PushAsync("web:v1", repository, "v1");
        await StoreAsync(ByAddress, TestEngine.Credentials.Password);
        await program.AddAppAsync(_app, $"{ByAddress}/{_app}:v1", new { memory_mb = 64, env = new { COLOUR = "red" } });
        await SecretAsync("old-value");
        var first = await program.SucceedAsync(_app, null);
        await program.SendAsync(HttpMethod.Put, $"/api/apps/{_app}", new { image = DeployerProgram.Image("web:v2"), env = new { COLOUR = "blue" }, secrets = new[] { "TOKEN" } }, HttpStatusCode.OK);
        await SecretAsync("new-value");
        var second = await program.SucceedAsync(_app, null);
        var id = first.GetProperty("id").GetInt64();

        // The registry does not let anybody in any more, and the engine holds the image.
        await program.SendAsync(HttpMethod.Delete, $"/api/registries/{ByAddress}", null, HttpStatusCode.NoContent);
        var check = await program.GetAsync($"/api/deployments/{id}/restore");
        Assert.Equal("here", check.GetProperty("image").GetString());
        Assert.Equal(["env", "image", "memory_mb"], check.GetProperty("differences").EnumerateArray().Select(field => field.GetProperty("field").GetString()).Order(StringComparer.Ordinal));
        Assert.Equal(
            ("TOKEN", second.GetProperty("id").GetInt64()),
            (Assert.Single(check.GetProperty("secrets").EnumerateArray()).GetProperty("name").GetString(), check.GetProperty("current").GetProperty("id").GetInt64()));
        Assert.DoesNotContain("-value", check.ToString(), StringComparison.Ordinal);
        await program.SendAsync(HttpMethod.Post, $"/api/deployments/{id}/restore", new { }, HttpStatusCode.BadRequest);
        Assert.Equal(["COLOUR=red", "TOKEN=old-value"], await RestoreAsync(id, "old", first));
        Assert.Equal(["COLOUR=red", "TOKEN=new-value"], await RestoreAsync(id, "current", first));

        // The engine does not hold it any more: it comes from the registry, by digest.
        await program.SucceedAsync(_app, DeployerProgram.Image("web:v2"));
        await ForgetAsync(first);
        Assert.Equal("unknown", (await program.GetAsync($"/api/deployments/{id}/restore")).GetProperty("image").GetString());
        await StoreAsync(ByAddress, TestEngine.Credentials.Password);
        Assert.Equal("in_registry", (await program.GetAsync($"/api/deployments/{id}/restore")).GetProperty("image").GetString());
        Assert.Equal(["COLOUR=red", "TOKEN=old-value"], await RestoreAsync(id, "old", first));

        // Neither has it.
        await program.SucceedAsync(_app, DeployerProgram.Image("web:v2"));
        await ForgetAsync(first);
        using (var registry = new HttpClient())
        {
            using var deleted = await registry.DeleteAsync(
                new Uri($"http://{TestEngine.Registry}/v2/{_app}/manifests/{first.GetProperty("digest").GetString()}"), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Accepted, deleted.StatusCode);
        }

        Assert.Equal("gone", (await program.GetAsync($"/api/deployments/{id}/restore")).GetProperty("image").GetString());
        await program.SendAsync(HttpMethod.Post, $"/api/deployments/{id}/restore", new { secrets = "old" }, HttpStatusCode.Conflict);
    }

    [Fact(Timeout = 120_000)]
    public async Task Progress_SlowPull_CountsTheBytesOfEachLayerAndStoresNone()
    {
        await program.AddAppAsync(_app, DeployerProgram.Image("web:v1"), new { });
        await program.SucceedAsync(_app, null);
        await ForgetAsync(DeployerProgram.Image("big:latest"), $"{TestEngine.ThrottledRegistry}/big:latest");
        var id = await program.BeginAsync(_app, $"{TestEngine.ThrottledRegistry}/big:latest");
        var seen = new Dictionary<string, SortedSet<long>>(StringComparer.Ordinal);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        JsonElement progress;
        do
        {
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            progress = await program.GetAsync($"/api/deployments/{id}/progress");
            Assert.NotEqual("succeeded", progress.GetProperty("steps")[1].GetProperty("state").GetString());
            foreach (var layer in progress.GetProperty("layers").EnumerateArray())
            {
                if (layer.GetProperty("status").GetString() == "Downloading" && layer.GetProperty("current").ValueKind == JsonValueKind.Number)
                {
                    Assert.InRange(layer.GetProperty("total").GetInt64(), 25_000_000, 26_000_000);
                    (seen.TryGetValue(layer.GetProperty("layer").GetString()!, out var bytes) ? bytes : seen[layer.GetProperty("layer").GetString()!] = [])
                        .Add(layer.GetProperty("current").GetInt64());
                }
            }
        }
        while (seen.Values.Count(bytes => bytes.Count > 2) < 3);

        Assert.True(progress.GetProperty("expected_seconds").GetDouble() > 0);
        var pull = progress.GetProperty("steps").EnumerateArray().Single(step => step.GetProperty("kind").GetString() == "pull");
        Assert.Equal("running", pull.GetProperty("state").GetString());
        Assert.True(pull.GetProperty("seconds").GetDouble() > 0 && pull.GetProperty("expected_seconds").GetDouble() > 0);
        await program.SendAsync(HttpMethod.Post, $"/api/deployments/{id}/cancel", null, HttpStatusCode.Accepted);
        await program.EndAsync(id);
        Assert.Empty((await program.GetAsync($"/api/deployments/{id}/progress")).GetProperty("layers").EnumerateArray());
        Assert.DoesNotContain(await program.LinesAsync(id), line => line.Contains("Downloading", StringComparison.Ordinal));
    }

    private Task<JsonElement> StoreAsync(string host, string password) => program.SendAsync(
        HttpMethod.Put, $"/api/registries/{host}", new { user_name = TestEngine.Credentials.UserName, password }, HttpStatusCode.NoContent);

    private async Task<(bool Works, JsonValueKind Code)> TestAsync(string host)
    {
        var test = await program.SendAsync(HttpMethod.Post, $"/api/registries/{host}/test", null, HttpStatusCode.OK);
        return (test.GetProperty("works").GetBoolean(), test.GetProperty("code").ValueKind);
    }

    private Task<JsonElement> SecretAsync(string value) =>
        program.SendAsync(HttpMethod.Put, $"/api/apps/{_app}/secrets/TOKEN", new { value }, HttpStatusCode.NoContent);

    private async Task<JsonElement> FailAsync(string? image, string code)
    {
        var failure = (await program.DeployAsync(_app, image)).GetProperty("failure");
        Assert.Equal(code, failure.GetProperty("code").GetString());
        return failure;
    }

    /// <summary>Restores, and gives what the container then has of the two variables.</summary>
    private async Task<IReadOnlyList<string>> RestoreAsync(long id, string secrets, JsonElement original)
    {
        var queued = await program.SendAsync(HttpMethod.Post, $"/api/deployments/{id}/restore", new { secrets }, HttpStatusCode.Accepted);
        var restored = await program.EndAsync(queued.GetProperty("id").GetInt64());
        Assert.True(restored.GetProperty("status").GetString() == "succeeded", restored.ToString());
        Assert.Equal(original.GetProperty("digest").GetString(), restored.GetProperty("digest").GetString());
        var container = await program.Engine.InspectAsync(restored.GetProperty("container_id").GetString()!);
        Assert.Equal(64L * 1024 * 1024, container.GetProperty("HostConfig").GetProperty("Memory").GetInt64());
        return [.. container.GetProperty("Config").GetProperty("Env").EnumerateArray().Select(variable => variable.GetString()!)
            .Where(variable => variable.StartsWith("COLOUR=", StringComparison.Ordinal) || variable.StartsWith("TOKEN=", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];
    }

    /// <summary>Pushes an image of the tests under a name of this test alone.</summary>
    private async Task PushAsync(string source, string repository, string tag)
    {
        await program.Engine.SendAsync(HttpMethod.Post, $"/images/create?fromImage={DeployerProgram.Image(source)}", null);
        await program.Engine.SendAsync(HttpMethod.Post, $"/images/{DeployerProgram.Image(source)}/tag?repo={repository}&tag={tag}", null);
        Assert.Contains("digest", await program.Engine.SendAsync(HttpMethod.Post, $"/images/{repository}/push?tag={tag}", null), StringComparison.Ordinal);
        await program.Engine.SendAsync(HttpMethod.Delete, $"/images/{repository}:{tag}", null);
    }

    private Task ForgetAsync(JsonElement deployment) =>
        ForgetAsync($"{ByAddress}/{_app}:v1", $"{ByAddress}/{_app}@{deployment.GetProperty("digest").GetString()}");

    private async Task ForgetAsync(params string[] names)
    {
        foreach (var name in names)
        {
            if (await program.Engine.HasAsync($"/images/{name}/json"))
            {
                await program.Engine.SendAsync(HttpMethod.Delete, $"/images/{name}", null);
            }
        }
    }
}
