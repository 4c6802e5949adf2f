using Bunit;
using Deployer.Core.Comments;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Web.Features.Comments;
using Microsoft.Extensions.DependencyInjection;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web.Comments;

public sealed class CommentsPanelTests : IAsyncLifetime
{
    private readonly DashboardContext _context = new();
    private long _deployment;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _context.AddAppAsync("web");
        _deployment = (await _context.EnqueueAsync("web")).Id;
        await _context.Logs.AppendLog(_deployment, LogStream.Stdout, StepKind.Start, "ready", Cancel);
    }

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public async Task Comment_PressedTwice_IsPinnedOnce()
    {
        var panel = _context.Render<CommentsPanel>(parameters => parameters.Add(comments => comments.DeploymentId, _deployment));
        await panel.InvokeAsync(() => panel.Find(".head button").ClickAsync(new()));
        await panel.InvokeAsync(() => panel.Find("form input").Change("1"));
        await panel.InvokeAsync(() => panel.Find("form textarea").Change("Look here"));

        await _context.SubmitTwiceAsync(panel);

        panel.WaitForAssertion(() => Assert.Equal(["Look here"], panel.FindAll("li p").Select(text => text.TextContent)));
        Assert.Empty(panel.FindAll("form"));
        Assert.Single((await _context.Services.GetRequiredService<CommentBook>().ListAsync(_deployment, Cancel))!);
    }
}
