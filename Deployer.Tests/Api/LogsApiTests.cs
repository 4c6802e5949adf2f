using System.Globalization;
using System.Net;
using System.Text.Json;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Tests.Fakes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Deployer.Tests.Api;

public sealed class LogsApiTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private const int Lines = 25;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Get_FollowedWhileItDeploys_GivesEveryLineOnce()
    {
        var app = await server.AddAppAsync(Cancellation);
        server.Engine.Output = [.. Enumerable.Range(1, 400).Select(chunk => string.Concat(Enumerable.Range(1, 10).Select(line => $"output {chunk}.{line}\n")))];
        using var deployed = await server.Client.PostAsync($"/api/apps/{app}/deployments", content: null, Cancellation);
        var id = (await deployed.ReadAsync(HttpStatusCode.Accepted, Cancellation)).GetProperty("id").GetInt64();

        var followers = await Task.WhenAll(FollowAsync(id, limit: 7), FollowAsync(id, limit: 500), FollowAsync(id, limit: 5000));

        server.Engine.Output = [];
        var (pages, lines) = followers[0];
        Assert.True(pages > 100, $"{pages} pages");
        Assert.True(lines.Count > 4000, $"{lines.Count} lines");
        Assert.Equal(Enumerable.Range(1, lines.Count).Select(number => (long)number), lines.Select(line => line.Number));
        Assert.Equal(
            Enumerable.Range(1, 400).SelectMany(chunk => Enumerable.Range(1, 10).Select(line => $"output {chunk}.{line}")),
            lines.Where(line => line.Stream == "stdout").Select(line => line.Text));
        Assert.All(followers, follower => Assert.Equal(lines, follower.Lines));
        Assert.Equal("succeeded", (await GetAsync($"/api/deployments/{id}/logs?tail=1")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task Get_NoParameter_BeginsWithTheFirstLine()
    {
        var id = await InsertAsync(Lines, DeploymentStatus.Succeeded);

        var page = await GetAsync($"/api/deployments/{id}/logs");

        Assert.Equal(id, page.GetProperty("deployment_id").GetInt64());
        Assert.Equal("succeeded", page.GetProperty("status").GetString());
        Assert.True(page.GetProperty("complete").GetBoolean());
        Assert.Equal(Enumerable.Range(1, Lines).Select(line => (long)line), Numbers(page));
        var last = page.GetProperty("logs")[Lines - 1];
        Assert.Equal(["line", "created_at", "stream", "step", "output"], last.EnumerateObject().Select(member => member.Name));
        Assert.Equal(("system", "prepare", $"line {Lines}"), (
            last.GetProperty("stream").GetString(), last.GetProperty("step").GetString(), last.GetProperty("output").GetString()));
        Assert.Equal(last.GetProperty("created_at").GetString(), page.GetProperty("next_after").GetString());
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z\z", page.GetProperty("next_after").GetString()!);
    }

    [Fact]
    public async Task Get_AfterInEveryNotation_GoesOnExactlyBehindThatLine()
    {
        var id = await InsertAsync(Lines, DeploymentStatus.Succeeded);
        var time = (await GetAsync($"/api/deployments/{id}/logs")).GetProperty("logs")[9].GetProperty("created_at").GetString()!;
        Assert.True(Rfc3339.TryParse(time, out var instant, out _));
        var shifted = Rfc3339.Format(instant + Duration.FromMinutes(330))[..^1];
        string[] notations =
        [
            time,
            time.ToLowerInvariant(),
            Uri.EscapeDataString(time),
            Uri.EscapeDataString(shifted + "+05:30"),
            shifted + "+05:30",
            shifted + "%20" + "05:30",
            Rfc3339.Format(instant - Duration.FromHours(8))[..^1] + "-08:00",
        ];

        foreach (var after in notations)
        {
            Assert.Equal(11, Numbers(await GetAsync($"/api/deployments/{id}/logs?after={after}"))[0]);
        }

        var justBefore = Rfc3339.Format(instant - Duration.FromNanoseconds(1));
        Assert.Equal(10, Numbers(await GetAsync($"/api/deployments/{id}/logs?after={justBefore}"))[0]);
    }

    [Theory]
    [InlineData("0001-01-01T00:00:00Z", 1)]
    [InlineData("1970-01-01T00:00:00Z", 1)]
    [InlineData("9999-12-31T23:59:59.999999999Z", null)]
    public async Task Get_AfterOutsideAnyLog_GivesAllOrNothing(string after, int? first)
    {
        var id = await InsertAsync(Lines, DeploymentStatus.Succeeded);

        var page = await GetAsync($"/api/deployments/{id}/logs?after={after}");

        Assert.Equal(first, Numbers(page).Select(number => (int?)number).FirstOrDefault());
        Assert.True(page.GetProperty("complete").GetBoolean());
    }

    [Fact]
    public async Task Get_EmptyPage_GivesTheCallersCursorBack()
    {
        var id = await InsertAsync(0, DeploymentStatus.Running);

        var beginning = await GetAsync($"/api/deployments/{id}/logs");
        var later = await GetAsync($"/api/deployments/{id}/logs?after=9000-01-01T02:00:00.5%2B02:00");

        Assert.Equal(JsonValueKind.Null, beginning.GetProperty("next_after").ValueKind);
        Assert.False(beginning.GetProperty("complete").GetBoolean());
        Assert.Equal("9000-01-01T00:00:00.500000000Z", later.GetProperty("next_after").GetString());
    }

    [Theory]
    [InlineData("limit=3", new long[] { 1, 2, 3 }, false)]
    [InlineData("tail=2", new long[] { 24, 25 }, true)]
    [InlineData("tail=5000", new long[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25 }, true)]
    [InlineData("from_line=23", new long[] { 23, 24, 25 }, true)]
    [InlineData("from_line=3&limit=2", new long[] { 3, 4 }, false)]
    [InlineData("from_line=26", new long[] { }, true)]
    [InlineData("from_line=9223372036854775807", new long[] { }, true)]
    public async Task Get_Window_GivesTheseLines(string query, long[] expected, bool complete)
    {
        var id = await InsertAsync(Lines, DeploymentStatus.Failed);

        var page = await GetAsync($"/api/deployments/{id}/logs?{query}");

        Assert.Equal(expected, Numbers(page));
        Assert.Equal(complete, page.GetProperty("complete").GetBoolean());
    }

    [Theory]
    [InlineData("after=yesterday", "after", "2026-01-31T08:15:30.123456789Z")]
    [InlineData("after=", "after", "RFC 3339")]
    [InlineData("after=2026-01-31", "after", "RFC 3339")]
    [InlineData("after=2026-01-31T08:15:30", "after", "no offset")]
    [InlineData("after=2026-01-31T08:15:30.1234567891Z", "after", "nine fractional digits")]
    [InlineData("after=2026-02-30T08:15:30Z", "after", "no such date")]
    [InlineData("after=2026-01-31%2008:15:30Z", "after", "RFC 3339")]
    [InlineData("after=1769847330000", "after", "RFC 3339")]
    [InlineData("After=2026-01-31T08:15:30Z", "After", "no parameter")]
    [InlineData("aftr=2026-01-31T08:15:30Z", "aftr", "it takes after, from_line, tail, limit")]
    [InlineData("limit=0", "limit", "1 to 5000")]
    [InlineData("limit=5001", "limit", "1 to 5000")]
    [InlineData("limit=-1", "limit", "1 to 5000")]
    [InlineData("limit=1.5", "limit", "1 to 5000")]
    [InlineData("tail=0", "tail", "1 to 5000")]
    [InlineData("from_line=0", "from_line", "from 1 on")]
    [InlineData("from_line=9223372036854775808", "from_line", "from 1 on")]
    [InlineData("after=2026-01-31T08:15:30Z&tail=5", "tail", "'after'")]
    [InlineData("after=2026-01-31T08:15:30Z&from_line=5", "from_line", "'after'")]
    [InlineData("tail=5&from_line=5", "tail", "'from_line'")]
    [InlineData("tail=5&limit=5", "limit", "'tail'")]
    [InlineData("after=2026-01-31T08:15:30Z&after=2026-01-31T08:15:31Z", "after", "2 times")]
    public async Task Get_WrongParameter_NamesItWithTheRemedy(string query, string parameter, string message)
    {
        var id = await InsertAsync(1, DeploymentStatus.Succeeded);

        using var response = await server.Client.GetAsync($"/api/deployments/{id}/logs?{query}", Cancellation);

        var problem = await response.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation);
        Assert.Contains(message, problem.Errors[parameter], StringComparison.Ordinal);
    }

    private static List<long> Numbers(JsonElement page) => [.. page.GetProperty("logs").EnumerateArray().Select(line => line.GetProperty("line").GetInt64())];

    private async Task<(int Pages, List<Line> Lines)> FollowAsync(long id, int limit)
    {
        var pages = 0;
        var lines = new List<Line>();
        string? after = null;
        using var bell = server.Services.GetRequiredService<DeploymentFeed>().Watch(id);
        while (true)
        {
            var page = await GetAsync($"/api/deployments/{id}/logs?limit={limit}{(after is null ? "" : "&after=" + after)}");
            pages++;
            lines.AddRange(page.GetProperty("logs").EnumerateArray().Select(line => new Line(
                line.GetProperty("line").GetInt64(), line.GetProperty("stream").GetString()!, line.GetProperty("output").GetString()!)));
            if (page.GetProperty("complete").GetBoolean())
            {
                return (pages, lines);
            }

            after = page.GetProperty("next_after").GetString();
            if (page.GetProperty("logs").GetArrayLength() == 0)
            {
                await bell.WaitAsync(TimeSpan.FromSeconds(1), TimeProvider.System, Cancellation);
            }
        }
    }

    /// <summary>A deployment of that status with so many lines, which no runner touches.</summary>
    private async Task<long> InsertAsync(int lines, DeploymentStatus status)
    {
        var app = await server.AddAppAsync(Cancellation);
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
            LeaseUntil = now + Duration.FromHours(1),
            CreatedAt = now,
            StartedAt = now,
        };
        db.Deployments.Add(deployment);
        await db.SaveChangesAsync(Cancellation);
        var logs = server.Services.GetRequiredService<LogStore>();
        for (var line = 1; line <= lines; line++)
        {
            await logs.AppendLog(deployment.Id, LogStream.System, StepKind.Prepare, string.Create(CultureInfo.InvariantCulture, $"line {line}"), Cancellation);
        }

        await db.Deployments.Where(candidate => candidate.Id == deployment.Id)
            .ExecuteUpdateAsync(set => set.SetProperty(candidate => candidate.Status, status), Cancellation);
        return deployment.Id;
    }

    private async Task<JsonElement> GetAsync(string address)
    {
        using var response = await server.Client.GetAsync(address, Cancellation);
        return await response.ReadAsync(HttpStatusCode.OK, Cancellation);
    }

    private sealed record Line(long Number, string Stream, string Text);
}
