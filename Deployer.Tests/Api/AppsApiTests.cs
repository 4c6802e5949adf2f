using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Deployer.Core.Deployments;
using Deployer.Tests.Fakes;
using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Tests.Api;

public sealed class AppsApiTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Post_NameAndImage_AddsAnAppWithDefaults()
    {
        var name = ServerFixture.NewName();

        using var response = await server.Client.PostAsJsonAsync("/api/apps", new { name, image = "web:v1" }, Cancellation);

        var app = await response.ReadAsync(HttpStatusCode.Created, Cancellation);
        Assert.Equal($"/api/apps/{name}", response.Headers.Location?.ToString());
        Assert.Equal("production", app.GetProperty("environment").GetString());
        Assert.Equal("unless_stopped", app.GetProperty("restart").GetString());
        Assert.Equal(10, app.GetProperty("stop_grace_seconds").GetInt32());
        Assert.Equal(JsonValueKind.Null, app.GetProperty("last_deployment").ValueKind);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z\z", app.GetProperty("created_at").GetString()!);
        Assert.Equal(app.GetRawText(), (await GetAsync($"/api/apps/{name}")).GetRawText());
    }

    [Fact]
    public async Task Post_EveryField_KeepsThem()
    {
        var name = ServerFixture.NewName();
        var body = $$"""
            {"name":"{{name}}","image":"localhost:5000/team/web:v1","environment":"staging","command":["serve","--port=80"],
             "env":{"MODE":"fast","a.b":"ü"},"secrets":["TOKEN"],"ports":[{"container":8080,"host":null},{"container":9090,"host":0}],
             "volumes":[{"name":"web-data","path":"/var/lib/web"}],"networks":["back"],
             "health":{"path":"/ok?full=1","port":8080,"interval_seconds":7,"timeout_seconds":2,"retries":5},
             "hosts":["App.Example.test"],"memory_mb":64,"cpus":0.5,"restart":"on_failure","stop_grace_seconds":3,
             "labels":{"team":"shop"},"user":"1000:1000","read_only_root":true}
            """;

        using var response = await PostAsync("/api/apps", body);

        var app = await response.ReadAsync(HttpStatusCode.Created, Cancellation);
        foreach (var sent in JsonSerializer.Deserialize<JsonElement>(body).EnumerateObject())
        {
            var expected = sent.Name == "hosts" ? """["app.example.test"]""" : sent.Value.GetRawText();
            Assert.True(
                JsonElement.DeepEquals(JsonSerializer.Deserialize<JsonElement>(expected), app.GetProperty(sent.Name)),
                $"{sent.Name}: {app.GetProperty(sent.Name)}");
        }
    }

    [Fact]
    public async Task Post_NameTwice_IsAConflict()
    {
        var name = await server.AddAppAsync(Cancellation);

        using var response = await server.Client.PostAsJsonAsync("/api/apps", new { name, image = "web:v2" }, Cancellation);

        var problem = await response.ReadProblemAsync(HttpStatusCode.Conflict, Cancellation);
        Assert.Equal("app_name_taken", problem.Code);
        Assert.Contains($"'{name}'", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_NameTwentyTimesAtOnce_AddsItOnce()
    {
        var name = ServerFixture.NewName();

        var statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            using var response = await server.Client.PostAsJsonAsync("/api/apps", new { name, image = "web:v1" }, Cancellation);
            return response.StatusCode;
        }));

        Assert.Single(statuses, HttpStatusCode.Created);
        Assert.Equal(19, statuses.Count(status => status == HttpStatusCode.Conflict));
    }

    public static TheoryData<string, string, string> WrongBodies => new()
    {
        { "{}", "name", "missing" },
        { "{\"name\":\"web\"}", "image", "missing" },
        { "{\"name\":\"Web\",\"image\":\"web\"}", "name", "lower-case" },
        { "{\"name\":\"web\\n\",\"image\":\"web..b\"}", "image", "'..' at character 4" },
        { "{\"name\":\"web\",\"image\":\"web\",\"environment\":\"-\"}", "environment", "1 to 63" },
        { "{\"name\":\"web\",\"image\":\"web\",\"command\":[\"a\",null]}", "command[1]", "text" },
        { "{\"name\":\"web\",\"image\":\"web\",\"command\":[\"a\\u0000b\"]}", "command[0]", "NUL" },
        { "{\"name\":\"web\",\"image\":\"web\",\"env\":{\"A=B\":\"c\"}}", "env.A=B", "environment variable" },
        { "{\"name\":\"web\",\"image\":\"web\",\"env\":{\"A\":null}}", "env.A", "text" },
        { "{\"name\":\"web\",\"image\":\"web\",\"env\":{\"A\":\"b\"},\"secrets\":[\"A\"]}", "secrets[0]", "in the clear" },
        { "{\"name\":\"web\",\"image\":\"web\",\"ports\":[{\"host\":80}]}", "ports[0].container", "missing" },
        { "{\"name\":\"web\",\"image\":\"web\",\"ports\":[null]}", "ports[0].container", "missing" },
        { "{\"name\":\"web\",\"image\":\"web\",\"ports\":[{\"container\":80},{\"container\":65536}]}", "ports[1].container", "1 to 65535" },
        { "{\"name\":\"web\",\"image\":\"web\",\"ports\":[{\"container\":80,\"host\":-1}]}", "ports[0].host", "0 to 65535" },
        { "{\"name\":\"web\",\"image\":\"web\",\"ports\":[{\"container\":80},{\"container\":80}]}", "ports[1].container", "twice" },
        { "{\"name\":\"web\",\"image\":\"web\",\"ports\":[{\"container\":80,\"host\":1},{\"container\":81,\"host\":1}]}", "ports[1].host", "twice" },
        { "{\"name\":\"web\",\"image\":\"web\",\"volumes\":[{\"name\":\"/etc\",\"path\":\"/x\"}]}", "volumes[0].name", "volume" },
        { "{\"name\":\"web\",\"image\":\"web\",\"volumes\":[{\"name\":\"data\",\"path\":\"/a/../etc\"}]}", "volumes[0].path", "absolute" },
        { "{\"name\":\"web\",\"image\":\"web\",\"volumes\":[{\"name\":\"data\",\"path\":\"/\"}]}", "volumes[0].path", "absolute" },
        { "{\"name\":\"web\",\"image\":\"web\",\"networks\":[\"host\"]}", "networks[0]", "joined" },
        { "{\"name\":\"web\",\"image\":\"web\",\"health\":{\"path\":\"ok\",\"port\":80}}", "health.path", "absolute" },
        { "{\"name\":\"web\",\"image\":\"web\",\"health\":{\"path\":\"/ok\"}}", "health.port", "missing" },
        { "{\"name\":\"web\",\"image\":\"web\",\"health\":{\"port\":80,\"retries\":0}}", "health.retries", "1 to 100" },
        { "{\"name\":\"web\",\"image\":\"web\",\"hosts\":[\"https://a.test\"]}", "hosts[0]", "host name" },
        { "{\"name\":\"web\",\"image\":\"web\",\"memory_mb\":5}", "memory_mb", "from 6" },
        { "{\"name\":\"web\",\"image\":\"web\",\"cpus\":0}", "cpus", "0.01" },
        { "{\"name\":\"web\",\"image\":\"web\",\"stop_grace_seconds\":-1}", "stop_grace_seconds", "from 0" },
        { "{\"name\":\"web\",\"image\":\"web\",\"labels\":{\"deployer.app\":\"x\"}}", "labels.deployer.app", "Deployer's own" },
        { "{\"name\":\"web\",\"image\":\"web\",\"user\":\"a b\"}", "user", "1000:1000" },

        // Not of the right kind, or not JSON at all
        { "{\"name\":5,\"image\":\"web\"}", "name", "a text" },
        { "{\"name\":\"web\",\"image\":\"web\",\"ports\":[{\"container\":\"80\"}]}", "ports[0].container", "a whole number" },
        { "{\"name\":\"web\",\"image\":\"web\",\"ports\":[{\"container\":1e400}]}", "ports[0].container", "a whole number" },
        { "{\"name\":\"web\",\"image\":\"web\",\"ports\":{}}", "ports", "a list" },
        { "{\"name\":\"web\",\"image\":\"web\",\"env\":[]}", "env", "an object of texts" },
        { "{\"name\":\"web\",\"image\":\"web\",\"cpus\":\"1\"}", "cpus", "a number" },
        { "{\"name\":\"web\",\"image\":\"web\",\"read_only_root\":1}", "read_only_root", "true or false" },
        { "{\"name\":\"web\",\"image\":\"web\",\"restart\":\"sometimes\"}", "restart", "unless_stopped" },
        { "{\"name\":\"web\",\"image\":\"web\",\"restart\":1}", "restart", "unless_stopped" },
        { "{\"name\":\"web\",\"image\":\"web\",\"imagee\":\"x\"}", "imagee", "no field" },
        { "{\"name\":\"web\",\"image\":\"web\",\"Image\":\"x\"}", "Image", "no field" },
        { "{\"name\":\"web\",\"image\":\"web\",\"ports\":[{\"container\":80,\"hosts\":1}]}", "ports[0].hosts", "no field" },
        { "{\"name\":\"web\",\"name\":\"web\",\"image\":\"web\"}", "name", "twice" },
        { "{\"name\":\"web\",", "body", "not JSON" },
        { "[]", "body", "an object" },
        { "null", "body", "missing" },
        { "", "body", "missing" },
        { "{\"name\":\"\\ud800\",\"image\":\"web\"}", "name", "Unicode" },
    };

    [Theory]
    [MemberData(nameof(WrongBodies))]
    public async Task Post_WrongBody_NamesTheFieldAndTheRemedy(string body, string field, string message)
    {
        using var response = await PostAsync("/api/apps", body);

        var problem = await response.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation);
        Assert.True(problem.Errors.ContainsKey(field), JsonSerializer.Serialize(problem));
        Assert.Contains(message, problem.Errors[field], StringComparison.Ordinal);
        Assert.DoesNotContain("System.", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_SeveralFieldsWrong_NamesThemAll()
    {
        using var response = await PostAsync("/api/apps", """{"name":"-","image":"","memory_mb":1}""");

        var problem = await response.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation);
        Assert.Equal(["image", "memory_mb", "name"], problem.Errors.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Post_OtherMediaType_IsUnsupported()
    {
        using var content = new StringContent("name=web", Encoding.UTF8, "application/x-www-form-urlencoded");
        using var response = await server.Client.PostAsync("/api/apps", content, Cancellation);

        Assert.Equal("unsupported_media_type", (await response.ReadProblemAsync(HttpStatusCode.UnsupportedMediaType, Cancellation)).Code);
    }

    [Fact]
    public async Task Post_BodyOverTheLimit_IsTooLarge()
    {
        // Told before the body is sent: a connection cut in the midst of it takes the answer along.
        using var client = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = Timeout.InfiniteTimeSpan }) { BaseAddress = server.Client.BaseAddress };
        client.DefaultRequestHeaders.ExpectContinue = true;
        using var content = new StringContent($$"""{"name":"web","image":"{{new string('a', 2 * 1024 * 1024)}}"}""", Encoding.UTF8, "application/json");
        using var response = await client.PostAsync("/api/apps", content, Cancellation);

        Assert.Equal("too_large", (await response.ReadProblemAsync(HttpStatusCode.RequestEntityTooLarge, Cancellation)).Code);
    }

    [Fact]
    public async Task Put_OtherSettings_ReplacesThemAll()
    {
        var name = await server.AddAppAsync(Cancellation);
        using var first = await PutAsync($"/api/apps/{name}", """{"image":"web:v1","memory_mb":64}""");
        await first.ReadAsync(HttpStatusCode.OK, Cancellation);

        using var second = await PutAsync($"/api/apps/{name}", $$"""{"name":"{{name}}","image":"web:v2","environment":"staging"}""");

        var app = await second.ReadAsync(HttpStatusCode.OK, Cancellation);
        Assert.Equal("web:v2", app.GetProperty("image").GetString());
        Assert.Equal("staging", app.GetProperty("environment").GetString());
        Assert.Equal(JsonValueKind.Null, app.GetProperty("memory_mb").ValueKind);
        Assert.Equal(app.GetRawText(), (await GetAsync($"/api/apps/{name}")).GetRawText());
    }

    [Fact]
    public async Task Put_OtherName_IsRefused()
    {
        var name = await server.AddAppAsync(Cancellation);

        using var response = await PutAsync($"/api/apps/{name}", """{"name":"other","image":"web:v2"}""");

        Assert.Contains("does not change", (await response.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation)).Errors["name"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/api/apps/nobody")]
    [InlineData("PUT", "/api/apps/nobody")]
    [InlineData("DELETE", "/api/apps/nobody")]
    [InlineData("POST", "/api/apps/nobody/deployments")]
    [InlineData("GET", "/api/deployments?app=nobody")]
    public async Task Any_UnknownApp_IsNotFound(string method, string address)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), address);
        if (method is "PUT")
        {
            request.Content = JsonContent.Create(new { image = "web" });
        }

        using var response = await server.Client.SendAsync(request, Cancellation);

        var problem = await response.ReadProblemAsync(HttpStatusCode.NotFound, Cancellation);
        Assert.Equal("app_unknown", problem.Code);
        Assert.Contains("'nobody'", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_List_GivesEveryAppByName()
    {
        var names = new[] { await server.AddAppAsync(Cancellation), await server.AddAppAsync(Cancellation) };

        var listed = (await GetAsync("/api/apps")).GetProperty("apps").EnumerateArray().Select(app => app.GetProperty("name").GetString()!).ToList();

        Assert.Equal(listed.Order(StringComparer.Ordinal), listed);
        Assert.Subset(listed.ToHashSet(StringComparer.Ordinal), names.ToHashSet(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Delete_App_RemovesItsContainersAndNoOthers()
    {
        var name = await server.AddAppAsync(Cancellation);
        var instance = server.Services.GetRequiredService<InstanceIdentity>().Id;
        var own = server.Engine.AddContainer("own", ContainerNames.OfApp(instance, name));
        var others = server.Engine.AddContainer("others", ContainerNames.OfApp("another-installation", name));

        using var response = await server.Client.DeleteAsync($"/api/apps/{name}", Cancellation);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.DoesNotContain(server.Engine.Containers, container => container.Id == own);
        Assert.Contains(server.Engine.Containers, container => container.Id == others);
        using var gone = await server.Client.GetAsync($"/api/apps/{name}", Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task Get_UnknownParameter_IsRefused()
    {
        using var response = await server.Client.GetAsync("/api/apps?page=2", Cancellation);

        Assert.Contains("page", (await response.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation)).Errors.Keys);
    }

    [Fact]
    public async Task Get_UnknownAddress_IsAProblem()
    {
        using var response = await server.Client.GetAsync("/api/nothing", Cancellation);

        Assert.Equal("not_found", (await response.ReadProblemAsync(HttpStatusCode.NotFound, Cancellation)).Code);
    }

    [Fact]
    public async Task Patch_App_NamesTheMethodsThereAre()
    {
        using var response = await server.Client.PatchAsync("/api/apps/web", content: null, Cancellation);

        Assert.Contains("GET", (await response.ReadProblemAsync(HttpStatusCode.MethodNotAllowed, Cancellation)).Detail, StringComparison.Ordinal);
    }

    private async Task<JsonElement> GetAsync(string address)
    {
        using var response = await server.Client.GetAsync(address, Cancellation);
        return await response.ReadAsync(HttpStatusCode.OK, Cancellation);
    }

    private async Task<HttpResponseMessage> PostAsync(string address, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await server.Client.PostAsync(address, content, Cancellation);
    }

    private async Task<HttpResponseMessage> PutAsync(string address, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await server.Client.PutAsync(address, content, Cancellation);
    }
}
