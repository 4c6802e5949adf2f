using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Tests.Fakes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Tests.Api;

public sealed class DeploymentsApiTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Post_Deploy_IsAcceptedAndLedToSuccess()
    {
        var app = await server.AddAppAsync(Cancellation);

        using var response = await server.Client.PostAsJsonAsync($"/api/apps/{app}/deployments", new { reason = "first try" }, Cancellation);

        var queued = await response.ReadAsync(HttpStatusCode.Accepted, Cancellation);
        var id = queued.GetProperty("id").GetInt64();
        Assert.Equal($"/api/deployments/{id}", response.Headers.Location?.ToString());
        Assert.Equal((app, 1, "web:v1", "first try"), (
            queued.GetProperty("app").GetString(), queued.GetProperty("number").GetInt32(),
            queued.GetProperty("image").GetString(), queued.GetProperty("reason").GetString()));
        var ended = await EndAsync(id);
        Assert.Equal("succeeded", ended.GetProperty("status").GetString());
        Assert.Equal(
            ["prepare", "pull", "start", "health_check", "switch_over", "clean_up"],
            ended.GetProperty("steps").EnumerateArray().Select(step => step.GetProperty("kind").GetString()!));
        Assert.All(ended.GetProperty("steps").EnumerateArray(), step => Assert.Equal("succeeded", step.GetProperty("state").GetString()));
        Assert.StartsWith("sha256:", ended.GetProperty("digest").GetString(), StringComparison.Ordinal);
        Assert.Equal(id, (await GetAsync($"/api/apps/{app}")).GetProperty("current_deployment").GetProperty("id").GetInt64());
    }

    [Fact]
    public async Task Post_DeployWithoutBody_TakesTheAppsImage()
    {
        var app = await server.AddAppAsync(Cancellation);

        using var response = await server.Client.PostAsync($"/api/apps/{app}/deployments", content: null, Cancellation);

        var queued = await response.ReadAsync(HttpStatusCode.Accepted, Cancellation);
        Assert.Equal("web:v1", queued.GetProperty("image").GetString());
        await EndAsync(queued.GetProperty("id").GetInt64());
    }

    [Fact]
    public async Task Post_SameIdempotencyKeyAtOnce_MakesOneDeployment()
    {
        var app = await server.AddAppAsync(Cancellation);
        var key = Guid.NewGuid().ToString();

        var ids = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            using var response = await DeployAsync(app, key, new { image = "web:v2" });
            return (await response.ReadAsync(HttpStatusCode.Accepted, Cancellation)).GetProperty("id").GetInt64();
        }));

        Assert.Single(ids.Distinct());
        Assert.Single((await GetAsync($"/api/deployments?app={app}")).GetProperty("deployments").EnumerateArray());
        await EndAsync(ids[0]);
    }

    [Fact]
    public async Task Post_KeyOfAnotherRequest_IsRefused()
    {
        var app = await server.AddAppAsync(Cancellation);
        var key = Guid.NewGuid().ToString();
        using var first = await DeployAsync(app, key, new { image = "web:v2" });
        var id = (await first.ReadAsync(HttpStatusCode.Accepted, Cancellation)).GetProperty("id").GetInt64();

        using var second = await DeployAsync(app, key, new { image = "web:v3" });

        Assert.Equal("idempotency_key_reused", (await second.ReadProblemAsync(HttpStatusCode.UnprocessableEntity, Cancellation)).Code);
        await EndAsync(id);
    }

    [Theory]
    [InlineData("{\"image\":\"Web\"}", "image", "upper-case")]
    [InlineData("{\"image\":\"\"}", "image", "missing")]
    [InlineData("{\"image\":7}", "image", "a text")]
    [InlineData("{\"images\":\"web\"}", "images", "no field")]
    public async Task Post_WrongBody_NamesTheField(string body, string field, string message)
    {
        var app = await server.AddAppAsync(Cancellation);
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");

        using var response = await server.Client.PostAsync($"/api/apps/{app}/deployments", content, Cancellation);

        Assert.Contains(message, (await response.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation)).Errors[field], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_ReasonAndKeyTooLong_NamesBoth()
    {
        var app = await server.AddAppAsync(Cancellation);

        using var response = await DeployAsync(app, new string('k', 256), new { reason = new string('r', 1001) });

        var problem = await response.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation);
        Assert.Equal(["Idempotency-Key", "reason"], problem.Errors.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("GET", "/logs")]
    [InlineData("POST", "/cancel")]
    public async Task Any_UnknownDeployment_IsNotFound(string method, string rest)
    {
        foreach (var id in new[] { "999999999", "0", "-1", "abc", "99999999999999999999", "1e3" })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), $"/api/deployments/{id}{rest}");
            using var response = await server.Client.SendAsync(request, Cancellation);

            var problem = await response.ReadProblemAsync(HttpStatusCode.NotFound, Cancellation);
            Assert.Equal("deployment_unknown", problem.Code);
            Assert.Contains($"'{id}'", problem.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Get_List_PagesThroughEachDeploymentOnce()
    {
        var app = await server.AddAppAsync(Cancellation);
        var made = new List<long>();
        for (var i = 0; i < 5; i++)
        {
            using var response = await DeployAsync(app, key: null, new { });
            made.Add((await response.ReadAsync(HttpStatusCode.Accepted, Cancellation)).GetProperty("id").GetInt64());
        }

        var seen = new List<long>();
        var next = $"/api/deployments?app={app}&limit=2";
        while (next is not null)
        {
            var page = await GetAsync(next);
            seen.AddRange(page.GetProperty("deployments").EnumerateArray().Select(deployment => deployment.GetProperty("id").GetInt64()));
            next = page.GetProperty("next_before") is { ValueKind: JsonValueKind.Number } before ? $"/api/deployments?app={app}&limit=2&before={before}" : null;
        }

        made.Reverse();
        Assert.Equal(made, seen);
        foreach (var id in made)
        {
            await EndAsync(id);
        }
    }

    [Theory]
    [InlineData("status=done", "status", "queued, running, succeeded, failed, canceled, superseded")]
    [InlineData("status=1", "status", "queued")]
    [InlineData("limit=0", "limit", "1 to 500")]
    [InlineData("limit=501", "limit", "1 to 500")]
    [InlineData("limit=ten", "limit", "whole number")]
    [InlineData("limit=", "limit", "whole number")]
    [InlineData("before=-1", "before", "whole number")]
    [InlineData("limit=1&limit=2", "limit", "2 times")]
    [InlineData("page=2", "page", "no parameter")]
    public async Task Get_ListWithWrongParameter_NamesIt(string query, string parameter, string message)
    {
        using var response = await server.Client.GetAsync($"/api/deployments?{query}", Cancellation);

        Assert.Contains(message, (await response.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation)).Errors[parameter], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_CancelOfAnEndedOne_IsAConflict()
    {
        var app = await server.AddAppAsync(Cancellation);
        using var deployed = await DeployAsync(app, key: null, new { });
        var id = (await deployed.ReadAsync(HttpStatusCode.Accepted, Cancellation)).GetProperty("id").GetInt64();
        await EndAsync(id);

        using var response = await server.Client.PostAsync($"/api/deployments/{id}/cancel", content: null, Cancellation);

        Assert.Equal("deployment_ended", (await response.ReadProblemAsync(HttpStatusCode.Conflict, Cancellation)).Code);
    }

    [Fact]
    public async Task Delete_AppThatDeploys_IsAConflict()
    {
        var app = await server.AddAppAsync(Cancellation);
        var id = await InsertRunningAsync(app);

        using var response = await server.Client.DeleteAsync($"/api/apps/{app}", Cancellation);

        var problem = await response.ReadProblemAsync(HttpStatusCode.Conflict, Cancellation);
        Assert.Equal("app_busy", problem.Code);
        Assert.Contains($"/api/deployments/{id}/cancel", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_CancelOfARunningOne_IsAccepted()
    {
        var app = await server.AddAppAsync(Cancellation);
        var id = await InsertRunningAsync(app);

        using var response = await server.Client.PostAsync($"/api/deployments/{id}/cancel", content: null, Cancellation);

        var asked = await response.ReadAsync(HttpStatusCode.Accepted, Cancellation);
        Assert.NotEqual(JsonValueKind.Null, asked.GetProperty("cancel_requested_at").ValueKind);
    }

    /// <summary>A running deployment that some other worker holds, so that this server's runner leaves it alone.</summary>
    private async Task<long> InsertRunningAsync(string app)
    {
        await using var db = await server.Services.GetRequiredService<IDbContextFactory<DeployerDb>>().CreateDbContextAsync(Cancellation);
        var row = await db.Apps.SingleAsync(candidate => candidate.Name == app, Cancellation);
        var now = TimeProvider.System.Now();
        var deployment = new Deployment
        {
            AppId = row.Id,
            Number = 1,
            Status = DeploymentStatus.Running,
            Spec = row.Spec,
            Worker = "another",
            LeaseUntil = now + NodaTime.Duration.FromHours(1),
            CreatedAt = now,
            StartedAt = now,
        };
        db.Deployments.Add(deployment);
        await db.SaveChangesAsync(Cancellation);
        return deployment.Id;
    }

    private async Task<HttpResponseMessage> DeployAsync(string app, string? key, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/apps/{app}/deployments") { Content = JsonContent.Create(body) };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await server.Client.SendAsync(request, Cancellation);
    }

    private async Task<JsonElement> GetAsync(string address)
    {
        using var response = await server.Client.GetAsync(address, Cancellation);
        return await response.ReadAsync(HttpStatusCode.OK, Cancellation);
    }

    private async Task<JsonElement> EndAsync(long id)
    {
        await server.EndAsync(id, Cancellation);
        return await GetAsync($"/api/deployments/{id}");
    }
}
