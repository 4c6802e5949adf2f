using Bunit;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Web.Features.Engines;
using Microsoft.EntityFrameworkCore;
using MudBlazor;
using NodaTime;

namespace Deployer.Tests.Web.Engines;

public sealed class EnginePanelTests : IAsyncLifetime
{
    private static readonly Instant Built = Instant.FromUnixTimeSeconds(1);

    private readonly DashboardContext _context = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public void Panel_EngineAnswers_ShowsVersionAndDiskUse()
    {
        _context.Engine.Disk = new DiskUse(1_200_000_000, 5_000, 999, 0, []);

        var panel = _context.Render<EnginePanel>(parameters => parameters.Add(engine => engine.MayPrune, false));

        panel.WaitForAssertion(() => Assert.Contains("containers 5 kB, volumes 999 B, build cache 0 B", panel.Find(".facts").TextContent, StringComparison.Ordinal));
        Assert.Contains("1.2 GB", panel.Find(".facts").TextContent, StringComparison.Ordinal);
        Assert.Empty(panel.FindAll("button"));
    }

    [Fact]
    public void Panel_EngineAway_SaysWhatToDo()
    {
        _context.Engine.IsGone = true;

        var panel = _context.Render<EnginePanel>(parameters => parameters.Add(engine => engine.MayPrune, true));

        panel.WaitForAssertion(() => Assert.Contains("does not answer", panel.Find("[role=alert]").TextContent, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Panel_CleanUp_PreviewsAndChoosesDeployersOwnAlone()
    {
        await _context.AddAppAsync("web");
        await DeployedAsync("sha256:old", DeploymentStatus.Failed);
        _context.Engine.Disk = new DiskUse(900, 0, 0, 0,
        [
            new HeldImage("sha256:old", ["web:v1"], Built, 700, 400, 0),
            new HeldImage("sha256:other", ["tool:v1"], Built, 100, 100, 0),
            new HeldImage("sha256:used", ["db:v1"], Built, 100, 100, 1),
        ]);
        var panel = _context.Render<EnginePanel>(parameters => parameters.Add(engine => engine.MayPrune, true));
        panel.WaitForAssertion(() => Assert.NotEmpty(panel.FindAll("button")));

        await panel.InvokeAsync(() => panel.Find("button").ClickAsync(new()));

        panel.WaitForAssertion(() => Assert.Equal(
            ["web:v1|no longer needed|400 B|True", "tool:v1|not Deployer's|100 B|False"],
            panel.FindAll("li").Select(row => string.Join('|', row.QuerySelector(".name")!.TextContent, row.QuerySelector(".kind")!.TextContent,
                row.QuerySelector(".size")!.TextContent, row.QuerySelector("input")!.HasAttribute("checked")))));
        Assert.Equal("1 image chosen: frees at least 400 B", panel.Find(".sum [role=status]").TextContent);
        Assert.Contains("1 image of others because containers use them", panel.Find(".prune p").TextContent, StringComparison.Ordinal);

        await panel.InvokeAsync(() => panel.FindAll(".sum button")[1].ClickAsync(new()));

        panel.WaitForAssertion(() => Assert.Contains("web:v1", _context.Engine.RemovedImages));
        Assert.DoesNotContain("tool:v1", _context.Engine.RemovedImages);
        panel.WaitForAssertion(() => Assert.Empty(panel.FindAll(".prune")));
    }

    [Fact]
    public async Task Panel_ForeignImageChosen_AsksOnceMore()
    {
        _context.Engine.Disk = new DiskUse(100, 0, 0, 0, [new HeldImage("sha256:other", ["tool:v1"], Built, 100, 100, 0)]);
        var dialogs = _context.Render<MudDialogProvider>();
        var panel = _context.Render<EnginePanel>(parameters => parameters.Add(engine => engine.MayPrune, true));
        panel.WaitForAssertion(() => Assert.NotEmpty(panel.FindAll("button")));
        await panel.InvokeAsync(() => panel.Find("button").ClickAsync(new()));
        panel.WaitForAssertion(() => Assert.Equal("None chosen", panel.Find(".sum [role=status]").TextContent));

        await panel.InvokeAsync(() => panel.Find("li input").Change(true));
        var press = panel.InvokeAsync(() => panel.FindAll(".sum button")[1].ClickAsync(new()));
        dialogs.WaitForAssertion(() => Assert.Contains("that Deployer did not bring", dialogs.Markup, StringComparison.Ordinal));
        Assert.Empty(_context.Engine.RemovedImages);
        await dialogs.InvokeAsync(() => dialogs.FindAll("button").Single(button => button.TextContent.Trim() == "Remove them too").ClickAsync(new()));
        await press;

        Assert.Contains("tool:v1", _context.Engine.RemovedImages);
    }

    [Theory]
    [InlineData(1, "1 image stays for restores", "1 image stays: it is needed by now.")]
    [InlineData(2, "2 images stay for restores", "2 images stay: they are needed by now.")]
    public async Task Panel_ImagesStay_AreToldByTheirCount(int count, string kept, string left)
    {
        await _context.AddAppAsync("web");
        var images = new List<HeldImage>();
        for (var number = 1; number <= count; number++)
        {
            await DeployedAsync($"sha256:needed-{number}", DeploymentStatus.Succeeded);
            await DeployedAsync($"sha256:old-{number}", DeploymentStatus.Failed);
            images.Add(new HeldImage($"sha256:needed-{number}", [$"web:v{number}"], Built, 100, 100, 0));
            images.Add(new HeldImage($"sha256:old-{number}", [$"web:old-{number}"], Built, 100, 100, 0));
        }

        _context.Engine.Disk = new DiskUse(400, 0, 0, 0, images);
        var panel = await PreviewAsync();
        Assert.Contains(kept, panel.Find(".prune p").TextContent, StringComparison.Ordinal);

        // This engine goes on holding what it was told to remove.
        await panel.InvokeAsync(() => panel.FindAll(".sum button")[1].ClickAsync(new()));

        Assert.EndsWith(left, Assert.Single(_context.Snackbar.ShownSnackbars).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Panel_LeftWhileImagesGo_RemovesThemAndFailsNoPage()
    {
        await _context.AddAppAsync("web");
        await DeployedAsync("sha256:old", DeploymentStatus.Failed);
        _context.Engine.Disk = new DiskUse(700, 0, 0, 0, [new HeldImage("sha256:old", ["web:v1"], Built, 700, 400, 0)]);
        var panel = await PreviewAsync();
        var known = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _context.Known = known.Task;

        var press = panel.InvokeAsync(() => panel.FindAll(".sum button")[1].ClickAsync(new()));
        await _context.DisposeComponentsAsync();
        known.SetResult();
        await press;

        Assert.Contains("web:v1", _context.Engine.RemovedImages);
        Assert.False(_context.Renderer.UnhandledException.IsCompleted);
    }

    private async Task<IRenderedComponent<EnginePanel>> PreviewAsync()
    {
        var panel = _context.Render<EnginePanel>(parameters => parameters.Add(engine => engine.MayPrune, true));
        panel.WaitForAssertion(() => Assert.NotEmpty(panel.FindAll("button")));
        await panel.InvokeAsync(() => panel.Find("button").ClickAsync(new()));
        panel.WaitForElement(".sum");
        return panel;
    }

    private async Task DeployedAsync(string image, DeploymentStatus status) =>
        await _context.ChangeAsync((await _context.EnqueueAsync("web")).Id, rows => rows.ExecuteUpdateAsync(
            set => set.SetProperty(row => row.Status, status).SetProperty(row => row.ImageId, image)));
}
