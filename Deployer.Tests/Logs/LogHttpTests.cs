using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Tests.Fakes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Deployer.Tests.Logs;

/// <summary>The log over HTTP: stream, text, search, long poll and usage, on the real server.</summary>
public sealed class LogHttpTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private LogStore Store => server.Services.GetRequiredService<LogStore>();

    [Fact]
    public async Task Stream_WhileWritten_SendsEachLineOnceAndEndsComplete()
    {
        var (_, deployment) = await AddAsync();
        await AppendAsync(deployment, 1, 50);
        var stream = Task.Run(() => ReadStreamAsync(deployment, lastEventId: null, after: null), Cancel);

        await AppendAsync(deployment, 51, 200);
        await EndAsync(deployment);

        var events = await stream;
        var lines = events.Where(item => item.EventType == "line").ToList();
        Assert.Equal(Enumerable.Range(1, 250), lines.Select(item => Json(item).GetProperty("line").GetInt32()));
        Assert.All(lines, item => Assert.Equal(Json(item).GetProperty("created_at").GetString(), item.EventId));
        var last = Json(events[^1]);
        Assert.Equal(("status", "succeeded", true), (events[^1].EventType, last.GetProperty("status").GetString(), last.GetProperty("complete").GetBoolean()));
    }

    [Fact]
    public async Task Stream_LastEventId_GoesOnAfterItAndEndsWithNoContent()
    {
        var (_, deployment) = await AddAsync();
        await AppendAsync(deployment, 1, 20);
        await EndAsync(deployment);
        var all = (await ReadStreamAsync(deployment, lastEventId: null, after: null)).Where(item => item.EventType == "line").ToList();

        var rest = await ReadStreamAsync(deployment, all[14].EventId, after: null);

        Assert.Equal(Enumerable.Range(16, 5), rest.Where(item => item.EventType == "line").Select(item => Json(item).GetProperty("line").GetInt32()));
        Assert.Equal(HttpStatusCode.NoContent, await ResumeAsync(deployment, all[^1].EventId!));
    }

    [Fact]
    public async Task Stream_EndedWithoutALine_HasAnIdWithWhichAReconnectIsNoContent()
    {
        var (_, deployment) = await AddAsync();
        await EndAsync(deployment);

        var item = Assert.Single(await ReadStreamAsync(deployment, lastEventId: null, after: null));

        Assert.Equal(("status", "1970-01-01T00:00:00.000000000Z"), (item.EventType, item.EventId));
        Assert.Equal(HttpStatusCode.NoContent, await ResumeAsync(deployment, item.EventId!));
    }

    [Fact]
    public async Task Stream_AfterTheLastLine_HasAnIdWithWhichAReconnectIsNoContent()
    {
        var (_, deployment) = await AddAsync();
        await AppendAsync(deployment, 1, 20);
        await EndAsync(deployment);
        var end = Rfc3339.Format((await Store.GetExtent(deployment, Cancel))!.LastTime!.Value);

        var item = Assert.Single(await ReadStreamAsync(deployment, lastEventId: null, after: end));

        Assert.Equal(("status", end), (item.EventType, item.EventId));
        Assert.Equal(HttpStatusCode.NoContent, await ResumeAsync(deployment, end));
    }

    [Fact]
    public async Task Stream_LogRemoved_HasAnIdWithWhichAReconnectIsNoContent()
    {
        var (_, deployment) = await AddAsync();
        await AppendAsync(deployment, 1, 20);
        await EndAsync(deployment);
        await RemoveLogAsync(deployment);

        var item = Assert.Single(await ReadStreamAsync(deployment, lastEventId: null, after: null));

        Assert.Equal(HttpStatusCode.NoContent, await ResumeAsync(deployment, item.EventId!));
    }

    [Fact]
    public async Task Stream_LastEventIdIsNoInstant_Is400AndNamesIt()
    {
        var (_, deployment) = await AddAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/deployments/{deployment}/logs/stream");
        request.Headers.Add("Last-Event-ID", "17");

        using var response = await server.Client.SendAsync(request, Cancel);

        var refusal = await response.ReadProblemAsync(HttpStatusCode.BadRequest, Cancel);
        Assert.Equal(["Last-Event-ID"], refusal.Errors.Keys);
    }

    [Fact]
    public async Task Text_LargeLog_IsTheWholeLog()
    {
        var (_, deployment) = await AddAsync();
        await AppendAsync(deployment, 1, 2_345);

        var text = await server.Client.GetStringAsync($"/api/deployments/{deployment}/logs.txt", Cancel);
        var timed = await server.Client.GetStringAsync($"/api/deployments/{deployment}/logs.txt?timestamps=true", Cancel);

        Assert.Equal(string.Concat(Enumerable.Range(1, 2_345).Select(line => $"line {line}\n")), text);
        Assert.All(timed.TrimEnd('\n').Split('\n'), line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line \d+$", line));
    }

    [Fact]
    public async Task Wait_LineComes_AnswersWithIt()
    {
        var (_, deployment) = await AddAsync();
        var poll = server.Client.GetAsync($"/api/deployments/{deployment}/logs?wait=30", Cancel);

        await AppendAsync(deployment, 1, 1);

        using var response = await poll;
        var page = await response.ReadAsync(HttpStatusCode.OK, Cancel);
        Assert.Equal("line 1", page.GetProperty("logs")[0].GetProperty("output").GetString());
    }

    [Fact]
    public async Task Search_OneAndAll_GiveLinksAndContext()
    {
        var (app, deployment) = await AddAsync();
        await AppendAsync(deployment, 1, 200);
        var word = Uri.EscapeDataString("line 10");

        using var one = await server.Client.GetAsync($"/api/deployments/{deployment}/logs/search?q={word}&limit=2&context=1&from_line=50", Cancel);
        var found = await one.ReadAsync(HttpStatusCode.OK, Cancel);
        using var all = await server.Client.GetAsync($"/api/logs/search?q={word}&app={app}&limit=5", Cancel);
        var page = await all.ReadAsync(HttpStatusCode.OK, Cancel);

        Assert.Equal((11, 1), (found.GetProperty("total").GetInt32(), found.GetProperty("skipped").GetInt32()));
        var match = found.GetProperty("matches")[0];
        Assert.Equal($"/deployments/{deployment}#L100", match.GetProperty("link").GetString());
        Assert.Equal(99, match.GetProperty("before")[0].GetProperty("line").GetInt32());
        Assert.Equal(101, match.GetProperty("after")[0].GetProperty("line").GetInt32());
        Assert.Equal([10, 100, 101, 102, 103], page.GetProperty("matches").EnumerateArray().Select(item => item.GetProperty("line").GetProperty("line").GetInt32()));
        Assert.Equal($"{deployment}:103", page.GetProperty("next").GetString());
    }

    [Theory]
    [InlineData("/api/logs/search", "q")]
    [InlineData("/api/logs/search?q=(&regex=true", "q")]
    [InlineData("/api/logs/search?q=x&limit=0", "limit")]
    [InlineData("/api/logs/search?q=x&after=17", "after")]
    [InlineData("/api/logs/search?q=x&case=maybe", "case")]
    [InlineData("/api/logs/search?q=x&step=lunch", "step")]
    public async Task Search_BadParameter_Is400AndNamesIt(string address, string parameter)
    {
        using var response = await server.Client.GetAsync(address, Cancel);

        Assert.Equal([parameter], (await response.ReadProblemAsync(HttpStatusCode.BadRequest, Cancel)).Errors.Keys);
    }

    [Theory]
    [InlineData("logs/stream")]
    [InlineData("logs.txt")]
    [InlineData("logs/search?q=x")]
    public async Task Read_UnknownDeployment_Is404(string address)
    {
        using var response = await server.Client.GetAsync($"/api/deployments/4711/{address}", Cancel);

        Assert.Equal("deployment_unknown", (await response.ReadProblemAsync(HttpStatusCode.NotFound, Cancel)).Code);
    }

    [Fact]
    public async Task Usage_AppWithLines_CountsThem()
    {
        var (app, deployment) = await AddAsync();
        await AppendAsync(deployment, 1, 30);

        using var response = await server.Client.GetAsync("/api/logs/usage", Cancel);

        var usage = (await response.ReadAsync(HttpStatusCode.OK, Cancel)).EnumerateArray().Single(item => item.GetProperty("app").GetString() == app);
        Assert.Equal((1, 30), (usage.GetProperty("deployments").GetInt32(), usage.GetProperty("lines").GetInt32()));
        Assert.True(usage.GetProperty("stored_bytes").GetInt64() > 0);
    }

    [Fact]
    public async Task Pin_PutAndDelete_ChangeItOnceAndAreWrittenDown()
    {
        var (_, deployment) = await AddAsync();
        var address = $"/api/deployments/{deployment}/pin";

        for (var twice = 0; twice < 2; twice++)
        {
            using var put = await server.Client.PutAsync(address, content: null, Cancel);
            Assert.True((await put.ReadAsync(HttpStatusCode.OK, Cancel)).GetProperty("pinned").GetBoolean());
        }

        using var view = await server.Client.GetAsync($"/api/deployments/{deployment}", Cancel);
        Assert.True((await view.ReadAsync(HttpStatusCode.OK, Cancel)).GetProperty("log_pinned").GetBoolean());
        using var delete = await server.Client.DeleteAsync(address, Cancel);
        Assert.False((await delete.ReadAsync(HttpStatusCode.OK, Cancel)).GetProperty("pinned").GetBoolean());

        await using var db = await server.Services.GetRequiredService<IDbContextFactory<DeployerDb>>().CreateDbContextAsync(Cancel);
        var written = await db.Set<AuditEntry>().Where(row => row.Subject == AuditSubject.Deployment(deployment)).OrderBy(row => row.Id)
            .Select(row => row.Action).ToListAsync(Cancel);
        Assert.Equal([AuditAction.LogPinned, AuditAction.LogUnpinned], written);
    }

    [Fact]
    public async Task Pin_LogRemovedAlready_Is409()
    {
        var (_, deployment) = await AddAsync();
        await RemoveLogAsync(deployment);

        using var response = await server.Client.PutAsync($"/api/deployments/{deployment}/pin", content: null, Cancel);

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
    }

    /// <summary>Adds a running deployment that no runner touches: it is leased for long.</summary>
    private async Task<(string App, long Deployment)> AddAsync()
    {
        var name = await server.AddAppAsync(Cancel);
        await using var db = await server.Services.GetRequiredService<IDbContextFactory<DeployerDb>>().CreateDbContextAsync(Cancel);
        var app = await db.Apps.SingleAsync(row => row.Name == name, Cancel);
        var now = TimeProvider.System.Now();
        var deployment = new Deployment
        {
            AppId = app.Id,
            Number = 1,
            Status = DeploymentStatus.Running,
            Spec = app.Spec,
            CreatedAt = now,
            Worker = "elsewhere",
            LeaseUntil = now + Duration.FromDays(1),
        };
        db.Deployments.Add(deployment);
        await db.SaveChangesAsync(Cancel);
        return (name, deployment.Id);
    }

    private async Task AppendAsync(long deployment, int first, int count)
    {
        await using var appender = Store.Open(deployment, []);
        for (var line = first; line < first + count; line++)
        {
            await appender.AppendAsync(LogStream.Stdout, StepKind.Start, $"line {line}", Cancel);
        }
    }

    private async Task EndAsync(long deployment)
    {
        await using var db = await server.Services.GetRequiredService<IDbContextFactory<DeployerDb>>().CreateDbContextAsync(Cancel);
        await db.Deployments.Where(row => row.Id == deployment).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.Status, DeploymentStatus.Succeeded), Cancel);
        server.Services.GetRequiredService<DeploymentFeed>().Publish(deployment);
    }

    /// <summary>Removes a log, as retention begins to: from then on it reads as empty.</summary>
    private async Task RemoveLogAsync(long deployment)
    {
        await using var db = await server.Services.GetRequiredService<IDbContextFactory<DeployerDb>>().CreateDbContextAsync(Cancel);
        await db.Deployments.Where(row => row.Id == deployment).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.LogRemovedAt, (Instant?)Instant.FromUtc(2026, 1, 1, 0, 0)), Cancel);
    }

    /// <summary>Asks for the stream as an EventSource does when it reconnects.</summary>
    private async Task<HttpStatusCode> ResumeAsync(long deployment, string lastEventId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/deployments/{deployment}/logs/stream");
        request.Headers.Add("Last-Event-ID", lastEventId);
        using var response = await server.Client.SendAsync(request, Cancel);
        return response.StatusCode;
    }

    private async Task<List<SseItem<string>>> ReadStreamAsync(long deployment, string? lastEventId, string? after)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get, $"/api/deployments/{deployment}/logs/stream{(after is null ? "" : $"?after={after}")}");
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        using var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        response.EnsureSuccessStatusCode();
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        await using var body = await response.Content.ReadAsStreamAsync(Cancel);
        var events = new List<SseItem<string>>();
        await foreach (var item in SseParser.Create(body).EnumerateAsync(Cancel))
        {
            events.Add(item);
        }

        return events;
    }

    private static JsonElement Json(SseItem<string> item) => JsonSerializer.Deserialize<JsonElement>(item.Data);
}
