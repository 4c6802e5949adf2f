using System.Net;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Api;

/// <summary>Figures and filtered deployments over HTTP.</summary>
public sealed class StatisticsApiTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Statistics_AfterADeployment_CountIt()
    {
        var app = await server.AddAppAsync(Cancellation);
        using (var queued = await server.Client.PostAsync($"/api/apps/{app}/deployments", content: null, Cancellation))
        {
            await server.EndAsync((await queued.ReadAsync(HttpStatusCode.Accepted, Cancellation)).GetProperty("id").GetInt64(), Cancellation);
        }

        using var response = await server.Client.GetAsync($"/api/statistics?app={app}&slice_days=30", Cancellation);
        var json = await response.ReadAsync(HttpStatusCode.OK, Cancellation);
        Assert.Equal(1, json.GetProperty("total").GetProperty("succeeded").GetInt32());
        Assert.Equal(0, json.GetProperty("total").GetProperty("failure_rate").GetDouble());
        Assert.Equal(app, Assert.Single(json.GetProperty("apps").EnumerateArray()).GetProperty("app").GetString());
        Assert.Equal(1, json.GetProperty("slices").GetArrayLength());

        using var elsewhere = await server.Client.GetAsync($"/api/statistics?app={app}&environment=elsewhere", Cancellation);
        Assert.Equal(0, (await elsewhere.ReadAsync(HttpStatusCode.OK, Cancellation)).GetProperty("total").GetProperty("succeeded").GetInt32());
    }

    [Theory]
    [InlineData("since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "since")]
    [InlineData("since=2020-01-01T00:00:00Z&until=2026-01-01T00:00:00Z", "slice_days")]
    [InlineData("slice_days=0", "slice_days")]
    [InlineData("since=0001-01-01T00:00:00Z", "slice_days")]
    [InlineData("from=1", "from")]
    public async Task Statistics_WrongRange_NamesTheParameter(string query, string field)
    {
        using var response = await server.Client.GetAsync($"/api/statistics?{query}", Cancellation);

        Assert.Contains(field, (await response.ReadProblemAsync(HttpStatusCode.BadRequest, Cancellation)).Errors.Keys);
    }

    [Fact]
    public async Task Statistics_UnknownApp_IsNotThere()
    {
        using var response = await server.Client.GetAsync("/api/statistics?app=nowhere", Cancellation);

        Assert.Equal("app_unknown", (await response.ReadProblemAsync(HttpStatusCode.NotFound, Cancellation)).Code);
    }

    [Fact]
    public async Task Deployments_Filtered_AreThoseThatFitAlone()
    {
        var app = await server.AddAppAsync(Cancellation);
        using (var queued = await server.Client.PostAsync($"/api/apps/{app}/deployments", content: null, Cancellation))
        {
            await queued.ReadAsync(HttpStatusCode.Accepted, Cancellation);
        }

        Assert.Equal(1, await CountAsync($"app={app}&environment=production&since=2020-01-01T00:00:00Z&until=9999-01-01T00:00:00Z"));
        Assert.Equal(0, await CountAsync($"app={app}&environment=staging"));
        Assert.Equal(0, await CountAsync($"app={app}&until=2020-01-01T00:00:00Z"));
        Assert.Equal(0, await CountAsync($"app={app}&by=nobody-at-all"));
    }

    private async Task<int> CountAsync(string query)
    {
        using var response = await server.Client.GetAsync($"/api/deployments?{query}", Cancellation);
        return (await response.ReadAsync(HttpStatusCode.OK, Cancellation)).GetProperty("deployments").GetArrayLength();
    }
}
