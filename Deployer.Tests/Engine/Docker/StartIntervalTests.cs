using System.Text.Json;
using Deployer.Core.Apps;
using Deployer.Core.Engine;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Deployer.Tests.Engine.Docker;

/// <summary>What engines from version 25 on are asked, of which a test machine may have none.</summary>
public sealed class StartIntervalTests
{
    [Fact]
    public async Task CreateContainerAsync_StartInterval_IsInNanosecondsAndTheRestIsTheImages()
    {
        JsonElement asked = default;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        await using var listener = builder.Build();
        listener.Run(async context =>
        {
            asked = await JsonSerializer.DeserializeAsync<JsonElement>(context.Request.Body, cancellationToken: context.RequestAborted);
            context.Response.StatusCode = StatusCodes.Status201Created;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("""{"Id":"0123456789abcdef","Warnings":[]}""", context.RequestAborted);
        });
        await listener.StartAsync(TestContext.Current.CancellationToken);
        var engine = TestEngine.Connect(listener.Urls.Single().Replace("http://", "tcp://", StringComparison.Ordinal));
        using var _ = (IDisposable)engine;
        var none = new Dictionary<string, string>(StringComparer.Ordinal);

        await engine.CreateContainerAsync(
            new ContainerPlan("web", "sha256:1", new AppSpec { Image = "web:v1" }, none, none, Network: null) { StartInterval = TimeSpan.FromSeconds(1) },
            TestContext.Current.CancellationToken);

        var check = asked.GetProperty("Healthcheck");
        Assert.Equal(1_000_000_000, check.GetProperty("StartInterval").GetInt64());
        Assert.All(
            check.EnumerateObject().Where(field => field.Name != "StartInterval"),
            field => Assert.True(field.Value.ValueKind == JsonValueKind.Null || field.Value.ToString() is "0" or "[]", field.ToString()));
    }
}
