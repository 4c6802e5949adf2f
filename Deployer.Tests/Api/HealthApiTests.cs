using System.Net;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Api;

public sealed class HealthApiTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Get_Ready_NamesEveryCheck()
    {
        using var response = await server.Client.GetAsync("/health/ready", Cancellation);

        var health = await response.ReadAsync(HttpStatusCode.OK, Cancellation);
        Assert.Equal(["database", "disk", "engine"], health.GetProperty("checks").EnumerateObject().Select(check => check.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Get_WithoutEngine_IsAliveButNotReady()
    {
        server.Engine.IsGone = true;
        try
        {
            using var live = await server.Client.GetAsync("/health/live", Cancellation);
            using var ready = await server.Client.GetAsync("/health/ready", Cancellation);

            Assert.Equal("healthy", (await live.ReadAsync(HttpStatusCode.OK, Cancellation)).GetProperty("status").GetString());
            var engine = (await ready.ReadAsync(HttpStatusCode.ServiceUnavailable, Cancellation)).GetProperty("checks").GetProperty("engine");
            Assert.Equal("unhealthy", engine.GetProperty("status").GetString());
            Assert.Contains("Engine:Endpoint", engine.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
        finally
        {
            server.Engine.IsGone = false;
        }
    }

    [Fact]
    public async Task Delete_AppWithoutEngine_KeepsTheAppAndSaysWhy()
    {
        var app = await server.AddAppAsync(Cancellation);
        server.Engine.IsGone = true;
        try
        {
            using var response = await server.Client.DeleteAsync($"/api/apps/{app}", Cancellation);

            var problem = await response.ReadProblemAsync(HttpStatusCode.ServiceUnavailable, Cancellation);
            Assert.Equal("engine_unavailable", problem.Code);
            Assert.Contains("quiet://engine", problem.Detail, StringComparison.Ordinal);
        }
        finally
        {
            server.Engine.IsGone = false;
        }

        using var still = await server.Client.GetAsync($"/api/apps/{app}", Cancellation);
        Assert.Equal(HttpStatusCode.OK, still.StatusCode);
    }
}
