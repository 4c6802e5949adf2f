using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Api;

/// <summary>Secrets, registries, restores and operations over HTTP.</summary>
public sealed class OperationsApiTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Secrets_SetListedAndRemoved_NeverShowTheValue()
    {
        var app = await server.AddAppAsync(Cancellation);
        using (var set = await server.Client.PutAsJsonAsync($"/api/apps/{app}/secrets/TOKEN", new { value = "s3ntinel" }, Cancellation))
        {
            await set.ReadAsync(HttpStatusCode.NoContent, Cancellation);
        }

        var text = await server.Client.GetStringAsync($"/api/apps/{app}/secrets", Cancellation)
            + await server.Client.GetStringAsync($"/api/apps/{app}", Cancellation);
        Assert.Contains("\"name\":\"TOKEN\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("s3ntinel", text, StringComparison.Ordinal);

        using var removed = await server.Client.DeleteAsync($"/api/apps/{app}/secrets/TOKEN", Cancellation);
        await removed.ReadAsync(HttpStatusCode.NoContent, Cancellation);
        using var again = await server.Client.DeleteAsync($"/api/apps/{app}/secrets/TOKEN", Cancellation);
        Assert.Equal("secret_unknown", (await again.ReadProblemAsync(HttpStatusCode.NotFound, Cancellation)).Code);
    }

    [Theory]
    [InlineData("1BAD", "x", "name")]
    [InlineData("GOOD", null, "value")]
    public async Task Secrets_Wrong_NamesTheField(string name, string? value, string field)
    {
        var app = await server.AddAppAsync(Cancellation);
        using var response = await server.Client.PutAsJsonAsync($"/api/apps/{app}/secrets/{name}", new { value }, Cancellation);

        Assert.Contains(field, (await response.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation)).Errors.Keys);
    }

    [Fact]
    public async Task Registries_SavedTestedListedAndRemoved_NeverShowThePassword()
    {
        const string Host = "registry.test:5000";
        using (var saved = await server.Client.PutAsJsonAsync($"/api/registries/{Host}", new { user_name = "ann", password = "s3ntinel" }, Cancellation))
        {
            await saved.ReadAsync(HttpStatusCode.NoContent, Cancellation);
        }

        var list = await server.Client.GetStringAsync("/api/registries", Cancellation);
        Assert.Contains("\"host\":\"registry.test:5000\",\"user_name\":\"ann\"", list, StringComparison.Ordinal);
        Assert.DoesNotContain("s3ntinel", list, StringComparison.Ordinal);
        using (var test = await server.Client.PostAsync($"/api/registries/{Host}/test", content: null, Cancellation))
        {
            Assert.True((await test.ReadAsync(HttpStatusCode.OK, Cancellation)).GetProperty("works").GetBoolean());
        }

        using var removed = await server.Client.DeleteAsync($"/api/registries/{Host}", Cancellation);
        await removed.ReadAsync(HttpStatusCode.NoContent, Cancellation);
        using var unknown = await server.Client.PostAsync($"/api/registries/{Host}/test", content: null, Cancellation);
        Assert.Equal("registry_unknown", (await unknown.ReadProblemAsync(HttpStatusCode.NotFound, Cancellation)).Code);
    }

    [Fact]
    public async Task Restore_EarlierDeployment_IsCheckedThenQueuedByDigest()
    {
        var app = await server.AddAppAsync(Cancellation);
        var first = await DeployAsync(app, "web:v1");
        await DeployAsync(app, "web:v2");

        var check = await server.Client.GetFromJsonAsync<JsonElement>($"/api/deployments/{first}/restore", Cancellation);
        Assert.Equal("here", check.GetProperty("image").GetString());
        Assert.Equal("image", check.GetProperty("differences")[0].GetProperty("field").GetString());

        using var response = await server.Client.PostAsJsonAsync($"/api/deployments/{first}/restore", new { reason = "back" }, Cancellation);
        var restored = await response.ReadAsync(HttpStatusCode.Accepted, Cancellation);
        Assert.Equal(first, restored.GetProperty("restored_from").GetInt64());
        Assert.Contains("web:v1@sha256:", restored.GetProperty("image").GetString(), StringComparison.Ordinal);
        await server.EndAsync(restored.GetProperty("id").GetInt64(), Cancellation);
    }

    [Fact]
    public async Task Restore_SecretsChangedSince_WantsAnExplicitChoice()
    {
        var app = await server.AddAppAsync(Cancellation);
        await SetSecretAsync(app, "one");
        var first = await DeployAsync(app, "web:v1");
        await SetSecretAsync(app, "two");

        using var refused = await server.Client.PostAsJsonAsync($"/api/deployments/{first}/restore", new { }, Cancellation);
        Assert.Contains("TOKEN", (await refused.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation)).Errors["secrets"], StringComparison.Ordinal);

        using var accepted = await server.Client.PostAsJsonAsync($"/api/deployments/{first}/restore", new { secrets = "old" }, Cancellation);
        await server.EndAsync((await accepted.ReadAsync(HttpStatusCode.Accepted, Cancellation)).GetProperty("id").GetInt64(), Cancellation);
    }

    [Fact]
    public async Task Operations_OnARunningApp_StopAndStartItsContainer()
    {
        var app = await server.AddAppAsync(Cancellation);
        using (var early = await server.Client.PostAsync($"/api/apps/{app}/stop", content: null, Cancellation))
        {
            Assert.Equal("app_not_deployed", (await early.ReadProblemAsync(HttpStatusCode.Conflict, Cancellation)).Code);
        }

        var id = await DeployAsync(app, "web:v1");
        foreach (var (verb, status) in new[] { ("stop", "exited"), ("start", "running"), ("restart", "running") })
        {
            using var done = await server.Client.PostAsync($"/api/apps/{app}/{verb}", content: null, Cancellation);
            await done.ReadAsync(HttpStatusCode.NoContent, Cancellation);
            var runtime = await server.Client.GetFromJsonAsync<JsonElement>($"/api/apps/{app}/runtime", Cancellation);
            Assert.Equal(status, runtime.GetProperty("status").GetString());
        }

        var progress = await server.Client.GetFromJsonAsync<JsonElement>($"/api/deployments/{id}/progress", Cancellation);
        Assert.Equal(6, progress.GetProperty("steps").GetArrayLength());
    }

    [Theory]
    [InlineData("GET", "/api/apps/nope/runtime")]
    [InlineData("GET", "/api/apps/nope/secrets")]
    [InlineData("POST", "/api/apps/nope/start")]
    [InlineData("GET", "/api/deployments/999999/restore")]
    [InlineData("POST", "/api/deployments/nope/restore")]
    [InlineData("GET", "/api/deployments/999999/progress")]
    public async Task Any_UnknownThing_IsNotFound(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await server.Client.SendAsync(request, Cancellation);

        await response.ReadProblemAsync(HttpStatusCode.NotFound, Cancellation);
    }

    private async Task SetSecretAsync(string app, string value)
    {
        using var set = await server.Client.PutAsJsonAsync($"/api/apps/{app}/secrets/TOKEN", new { value }, Cancellation);
        set.EnsureSuccessStatusCode();
    }

    private async Task<long> DeployAsync(string app, string image)
    {
        using var response = await server.Client.PostAsJsonAsync($"/api/apps/{app}/deployments", new { image }, Cancellation);
        var id = (await response.ReadAsync(HttpStatusCode.Accepted, Cancellation)).GetProperty("id").GetInt64();
        await server.EndAsync(id, Cancellation);
        return id;
    }
}
