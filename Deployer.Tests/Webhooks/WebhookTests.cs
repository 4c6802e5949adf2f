using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Deployer.Core.Access;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Deployer.Core.Webhooks;
using Deployer.Tests.Fakes;
using Deployer.Tests.Security;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Deployer.Tests.Webhooks;

/// <summary>Deliveries of registries and repositories, over HTTP, as they send them.</summary>
public sealed class WebhookTests(GuardedServer server) : IClassFixture<GuardedServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static string Now => Rfc3339.Format(TimeProvider.System.Now());

    public static TheoryData<string, string> Forms => new()
    {
        // As each documents it, shortened to what matters and a little around it.
        { "Docker Hub", """{"push_data":{"pushed_at":UNIX,"pusher":"ann","tag":"v2"},"callback_url":"http://192.0.2.1/","repository":{"name":"web","namespace":"team","repo_name":"team/web"}}""" },
        { "GitHub packages", """{"action":"published","registry_package":{"id":1,"name":"web","namespace":"team","package_type":"CONTAINER","package_version":{"created_at":"TIME","container_metadata":{"tag":{"name":"v2","digest":"sha256:0"}},"package_url":"ghcr.io/team/web:v2"}},"sender":{"login":"ann"}}""" },
        { "GitHub packages", """{"action":"updated","package":{"name":"Web","owner":{"login":"Team"},"package_version":{"updated_at":"TIME","container_metadata":{"tag":{"name":"v2"}}}}}""" },
        { "registry", """{"events":[{"id":"1","timestamp":"TIME","action":"pull","target":{"repository":"team/web","tag":"v9"}},{"id":"2","timestamp":"TIME","action":"push","target":{"repository":"team/web","tag":"v2","digest":"sha256:0"},"request":{"host":"registry.internal:5000"}}]}""" },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Delivery_OfEachSender_DeploysThePushedTagFromTheAppsOwnRepository(string source, string form)
    {
        var domain = source switch { "Docker Hub" => "", "GitHub packages" => "ghcr.io/", _ => "registry.example.com/" };
        var app = await AddAppAsync($"{domain}team/web:v1", "production");
        var hook = await RenewAsync(app, new { tags = "v*" });

        using var response = await SendAsync(app, Fill(form), hook.GetProperty("secret").GetString());
        var answer = await response.ReadAsync(HttpStatusCode.Accepted, Cancellation);

        Assert.Equal("deployed", answer.GetProperty("result").GetString());
        var deployment = await OwnerGetAsync($"/api/deployments/{answer.GetProperty("deployment_id").GetInt64()}");
        Assert.Equal($"{domain}team/web:v2", deployment.GetProperty("image").GetString());
        Assert.Equal($"webhook ({source})", deployment.GetProperty("requested_by").GetString());
        var deliveries = (await OwnerGetAsync($"/api/apps/{app}/webhook/deliveries")).GetProperty("deliveries");
        Assert.Equal(source, Assert.Single(deliveries.EnumerateArray()).GetProperty("source").GetString());
        var audited = Assert.Single(
            await server.Services.GetRequiredService<AuditLog>().SearchAsync(
                AuditQuery.Everything with { Subject = AuditSubject.Deployment(answer.GetProperty("deployment_id").GetInt64()) }, 10, Cancellation));
        Assert.Equal(ActorKind.Webhook, audited.ActorKind);
        Assert.Equal("127.0.0.1", audited.Address);
    }

    [Fact]
    public async Task Delivery_SentAgainWithOtherHeaders_CountsOnce()
    {
        var app = await AddAppAsync("ghcr.io/team/web:v2", "staging");
        var secret = (await RenewAsync(app, new { })).GetProperty("secret").GetString();
        var body = Fill(Forms.ElementAt(1).Data.Item2);

        var ids = new List<long>();
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(async i =>
        {
            using var request = Request(app, body, Sign(body, secret!));
            request.Headers.Add("X-GitHub-Delivery", Guid.NewGuid().ToString());
            using var response = await server.Client.SendAsync(request, Cancellation);
            return await response.ReadAsync(HttpStatusCode.Accepted, Cancellation);
        }));

        Assert.Single(answers.Select(answer => answer.GetProperty("deployment_id").GetInt64()).Distinct());
        using var later = await SendAsync(app, body, secret);
        Assert.True((await later.ReadAsync(HttpStatusCode.Accepted, Cancellation)).GetProperty("repeat").GetBoolean());
        Assert.Single((await OwnerGetAsync($"/api/deployments?app={app}")).GetProperty("deployments").EnumerateArray());
    }

    [Fact]
    public async Task Delivery_WhoseOutcomeACrashKeptBack_GivesTheSameDeployment()
    {
        var app = await AddAppAsync("ghcr.io/team/web:v2", "staging");
        var secret = (await RenewAsync(app, new { })).GetProperty("secret").GetString();
        var body = Fill(Forms.ElementAt(1).Data.Item2);
        using var first = await SendAsync(app, body, secret);
        var id = (await first.ReadAsync(HttpStatusCode.Accepted, Cancellation)).GetProperty("deployment_id").GetInt64();
        await using (var db = await server.DbAsync(Cancellation))
        {
            // As a kill between queueing and noting it down leaves the row.
            await db.Set<WebhookDelivery>().Where(row => row.DeploymentId == id)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.Outcome, (string?)null).SetProperty(row => row.DeploymentId, (long?)null), Cancellation);
        }

        using var again = await SendAsync(app, body, secret);
        Assert.Equal(id, (await again.ReadAsync(HttpStatusCode.Accepted, Cancellation)).GetProperty("deployment_id").GetInt64());
    }

    [Fact]
    public async Task Delivery_NotGenuine_IsTurnedAwayAndSaysNothingOfTheApp()
    {
        var app = await AddAppAsync("ghcr.io/team/web:v2", "staging");
        var bare = await AddAppAsync("ghcr.io/team/web:v2", "staging");
        var made = await RenewAsync(app, new { address_key = true });
        var secret = made.GetProperty("secret").GetString()!;
        var key = made.GetProperty("address_key").GetString()!;
        var body = Fill(Forms.ElementAt(1).Data.Item2);
        var right = Sign(body, secret);

        var told = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, proof) in new (string, string?)[]
        {
            (app, null), (app, "sha256="), (app, right[..^1]), (app, right[..^1] + (right[^1] == '0' ? '1' : '0')),
            (app, right.Replace("sha256=", "sha1=", StringComparison.Ordinal)),
            (app, Sign(body + " ", secret)), (app, Sign(body, "another")), (app, Sign(body, "")), (bare, right), ("no-such-app", right), ("..%2f", right),
        })
        {
            using var request = Request(name, body, proof);
            using var response = await server.Client.SendAsync(request, Cancellation);
            told.Add((await response.ReadProblemAsync(HttpStatusCode.Unauthorized, Cancellation)).Detail);
        }

        // A key in place of a signature, but wrong; the right one beside a wrong signature; none beside an app without keys.
        foreach (var (name, wrongKey, proof) in new[] { (app, key + "x", (string?)null), (app, key, "sha256=00"), (bare, key, null), (bare, "", null) })
        {
            using var request = Request(name, body, proof);
            request.Headers.Add("X-Deployer-Key", wrongKey);
            using var response = await server.Client.SendAsync(request, Cancellation);
            told.Add((await response.ReadProblemAsync(HttpStatusCode.Unauthorized, Cancellation)).Detail);
        }

        Assert.Single(told);
        Assert.Empty((await OwnerGetAsync($"/api/deployments?app={app}")).GetProperty("deployments").EnumerateArray());

        using var withKey = Request(app, body, signature: null);
        withKey.RequestUri = new Uri($"/hooks/{app}?key={key}", UriKind.Relative);
        using var taken = await server.Client.SendAsync(withKey, Cancellation);
        await taken.ReadAsync(HttpStatusCode.Accepted, Cancellation);
    }

    [Fact]
    public async Task Secret_IsShownOnceStoredEncryptedAndEndsWithTheNext()
    {
        var app = await AddAppAsync("ghcr.io/team/web:v2", "staging");
        var first = (await RenewAsync(app, new { })).GetProperty("secret").GetString()!;
        var second = (await RenewAsync(app, new { })).GetProperty("secret").GetString()!;
        var body = Fill(Forms.ElementAt(1).Data.Item2);

        using (var old = await SendAsync(app, body, first))
        {
            await old.ReadProblemAsync(HttpStatusCode.Unauthorized, Cancellation);
        }

        Assert.DoesNotContain(second, (await OwnerGetAsync($"/api/apps/{app}/webhook")).GetRawText(), StringComparison.Ordinal);
        await using (var db = await server.DbAsync(Cancellation))
        {
            await db.Database.ExecuteSqlRawAsync("PRAGMA wal_checkpoint(TRUNCATE)", Cancellation);
        }

        Assert.False(Holds(server.DataDirectory, first) || Holds(server.DataDirectory, second), "The secret is stored in the clear.");

        using var removal = GuardedServer.ByOwner(HttpMethod.Delete, $"/api/apps/{app}/webhook");
        using var removed = await server.Client.SendAsync(removal, Cancellation);
        await removed.ReadAsync(HttpStatusCode.NoContent, Cancellation);
        using var after = await SendAsync(app, body, second);
        await after.ReadProblemAsync(HttpStatusCode.Unauthorized, Cancellation);
    }

    [Theory]
    [InlineData("""{"zen":"Keep it logically awesome.","hook_id":1}""", "trial")]
    [InlineData("""{"events":[]}""", "trial")]
    [InlineData("""{"events":[{"action":"push","timestamp":"TIME","target":{"repository":"other/web","tag":"v2"}}]}""", "other/web")]
    [InlineData("""{"events":[{"action":"push","timestamp":"TIME","target":{"repository":"team/web","tag":"nightly"}}]}""", "nightly")]
    [InlineData("""{"events":[{"action":"push","timestamp":"TIME","target":{"repository":"team/web","tag":"v2 --privileged"}}]}""", "none of")]
    public async Task Delivery_OfNothingToDeploy_IsIgnoredWithTheReason(string form, string reason)
    {
        var app = await AddAppAsync("ghcr.io/team/web:v2", "staging");
        var secret = (await RenewAsync(app, new { tags = "v2, release-*" })).GetProperty("secret").GetString();

        using var response = await SendAsync(app, Fill(form), secret);
        var answer = await response.ReadAsync(HttpStatusCode.OK, Cancellation);

        Assert.Equal("ignored", answer.GetProperty("result").GetString());
        Assert.Contains(reason, answer.GetProperty("outcome").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", HttpStatusCode.BadRequest)]
    [InlineData("[]", HttpStatusCode.BadRequest)]
    [InlineData("""{"events":1}""", HttpStatusCode.BadRequest)]
    [InlineData("payload=%7B%7D", HttpStatusCode.BadRequest)]
    [InlineData("""{"events":[{"action":"push","timestamp":"2020-01-31T08:15:30Z","target":{"repository":"team/web","tag":"v2"}}]}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"events":[{"action":"push","timestamp":"2199-01-31T08:15:30Z","target":{"repository":"team/web","tag":"v2"}}]}""", HttpStatusCode.UnprocessableEntity)]
    public async Task Delivery_GenuineButUnreadableOrStale_IsRefused(string form, HttpStatusCode status)
    {
        var app = await AddAppAsync("ghcr.io/team/web:v2", "staging");
        var secret = (await RenewAsync(app, new { })).GetProperty("secret").GetString();

        using var response = await SendAsync(app, form, secret);

        await response.ReadProblemAsync(status, Cancellation);
        Assert.Empty((await OwnerGetAsync($"/api/deployments?app={app}")).GetProperty("deployments").EnumerateArray());
    }

    [Fact]
    public async Task Deliveries_TooLargeOrTooMany_AreTurnedAway()
    {
        var app = await AddAppAsync("ghcr.io/team/web:v2", "staging");
        using (var large = await SendAsync(app, new string(' ', 1_100_000), "x"))
        {
            await large.ReadProblemAsync(HttpStatusCode.RequestEntityTooLarge, Cancellation);
        }

        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 70; i++)
        {
            using var response = await SendAsync(app, "{}", "x");
            statuses.Add(response.StatusCode);
        }

        Assert.Equal(HttpStatusCode.Unauthorized, statuses[0]);
        Assert.Equal(HttpStatusCode.TooManyRequests, statuses[^1]);
        using var other = await SendAsync("another-app", "{}", "x");
        Assert.Equal(HttpStatusCode.Unauthorized, other.StatusCode);
    }

    [Theory]
    [InlineData("v1;rm")]
    [InlineData(",")]
    public async Task Renew_WithTagsThatAreNoPatterns_NamesTheField(string tags)
    {
        var app = await AddAppAsync("web:v1", "staging");
        using var request = GuardedServer.ByOwner(HttpMethod.Post, $"/api/apps/{app}/webhook");
        request.Content = JsonContent.Create(new { tags });
        using var response = await server.Client.SendAsync(request, Cancellation);

        Assert.Contains("tags", (await response.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation)).Errors.Keys);
    }

    private static string Fill(string form) => form
        .Replace("TIME", Now, StringComparison.Ordinal)
        .Replace("UNIX", $"{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}", StringComparison.Ordinal);

    private static string Sign(string body, string secret) =>
        "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(body)));

    private static HttpRequestMessage Request(string app, string body, string? signature)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"/hooks/{app}") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (signature is not null)
        {
            request.Headers.TryAddWithoutValidation("X-Hub-Signature-256", signature);
        }

        return request;
    }

    private static bool Holds(string directory, string secret) => Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
        .Any(path =>
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) >= 0;
        });

    private async Task<string> AddAppAsync(string image, string environment)
    {
        var name = ServerFixture.NewName();
        using var request = GuardedServer.ByOwner(HttpMethod.Post, "/api/apps");
        request.Content = JsonContent.Create(new { name, image, environment });
        using var response = await server.Client.SendAsync(request, Cancellation);
        await response.ReadAsync(HttpStatusCode.Created, Cancellation);
        return name;
    }

    private async Task<JsonElement> RenewAsync(string app, object settings)
    {
        using var request = GuardedServer.ByOwner(HttpMethod.Post, $"/api/apps/{app}/webhook");
        request.Content = JsonContent.Create(settings);
        using var response = await server.Client.SendAsync(request, Cancellation);
        return await response.ReadAsync(HttpStatusCode.OK, Cancellation);
    }

    private async Task<JsonElement> OwnerGetAsync(string address)
    {
        using var request = GuardedServer.ByOwner(HttpMethod.Get, address);
        using var response = await server.Client.SendAsync(request, Cancellation);
        return await response.ReadAsync(HttpStatusCode.OK, Cancellation);
    }

    private async Task<HttpResponseMessage> SendAsync(string app, string body, string? secret)
    {
        using var request = Request(app, body, Sign(body, secret!));

        // Who is turned away by the size alone is told before the body is sent, and not cut off in the middle of it.
        request.Headers.ExpectContinue = body.Length > 1_000_000;
        return await server.Client.SendAsync(request, Cancellation);
    }
}
