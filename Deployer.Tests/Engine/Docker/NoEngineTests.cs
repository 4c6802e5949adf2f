using Deployer.Core.Engine;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Deployer.Tests.Engine.Docker;

/// <summary>Something else listens where an engine is sought.</summary>
public sealed class NoEngineTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("<html><h1>It works!</h1></html>")]
    [InlineData("{\"Version\":\"20.10")]
    public async Task Ask_AnswerIsNotJson_IsUnreachableWithRemedy(string answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        await using var listener = builder.Build();
        listener.Run(context => context.Response.WriteAsync(answer, context.RequestAborted));
        await listener.StartAsync(Cancel);
        var engine = TestEngine.Connect(listener.Urls.Single().Replace("http://", "tcp://", StringComparison.Ordinal));
        using var _ = (IDisposable)engine;
        var none = new Dictionary<string, string>(StringComparer.Ordinal);

        var described = await Assert.ThrowsAsync<EngineUnreachableException>(() => engine.DescribeAsync(Cancel));
        Assert.Equal(
            $"The container engine at {engine.Endpoint} does not answer (what came is not JSON: the answer broke off, or something else listens there). Start it, or set Engine:Endpoint to one that runs.",
            described.Message);
        await Assert.ThrowsAsync<EngineUnreachableException>(() => engine.GlanceAsync(none, Cancel));
        await Assert.ThrowsAsync<EngineUnreachableException>(() => engine.FindContainerAsync("web", Cancel));
    }
}
