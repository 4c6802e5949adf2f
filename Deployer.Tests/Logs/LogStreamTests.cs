using System.Text.Json;
using Deployer.Tests.Security;
using Deployer.Web.Features.Logs;
using Microsoft.Extensions.Time.Testing;

namespace Deployer.Tests.Logs;

/// <summary>What a reader leaves behind who closes the stream of a log on which nothing moves.</summary>
public sealed class LogStreamTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stream_ClosedWhileNothingComes_LeavesNoErrorInTheServersLog()
    {
        await using var server = new GuardedServer(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Logging:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics"] = "Information",
        });
        await server.InitializeAsync();
        var target = await server.AddTargetAsync("staging", Cancel);
        var address = $"/api/deployments/{target.Deployment}/logs/stream";
        using (var request = GuardedServer.ByOwner(HttpMethod.Get, address))
        using (var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel))
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancel));
            Assert.Equal("event: status", await reader.ReadLineAsync(Cancel));
        }

        await server.Log.WaitForAsync($"{address} - 200", Cancel);

        Assert.DoesNotContain(server.Log.Messages, message => message.Contains("Exception", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Events_LeftAtASignOfLife_EndWithoutAnError()
    {
        await using var bed = new LogTestBed();
        var time = new FakeTimeProvider();
        var store = bed.OpenStore(time);
        var deployment = await bed.AddDeploymentAsync();
        var events = LogStreamApi.Events(store, deployment, after: null, time, over: CancellationToken.None, Cancel).GetAsyncEnumerator(Cancel);
        Assert.True(await events.MoveNextAsync());
        var first = JsonSerializer.Serialize(events.Current.Data);
        var sign = events.MoveNextAsync().AsTask();
        time.Advance(TimeSpan.FromSeconds(15));
        Assert.True(await sign);
        Assert.Equal(("status", first), (events.Current.EventType, JsonSerializer.Serialize(events.Current.Data)));

        await events.DisposeAsync();
    }
}
