using AngleSharp.Dom;
using Bunit;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Web.Features.Apps;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using NodaTime;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web.Apps;

public sealed class AppPageTests : IAsyncLifetime
{
    private readonly DashboardContext _context = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public async Task App_Running_ShowsStateAndWhatItUses()
    {
        _context.Engine.Use =
        [
            new ContainerSample(Instant.FromUnixTimeSeconds(1), null, 50 << 20, 100 << 20),
            new ContainerSample(Instant.FromUnixTimeSeconds(2), 0.25, 60 << 20, 100 << 20),
        ];
        await RunAsync();

        var page = Open();

        page.WaitForAssertion(() => Assert.Equal("Running", page.Find(".state").TextContent));
        await _context.Time.AdvanceUntilAsync(page.WaitForAssertionAsync(() =>
            Assert.Equal(["25 % of a core", "60 MiB of 100 MiB"], page.FindAll(".curve .now").Select(now => now.TextContent))), TimeSpan.FromSeconds(1));
        Assert.Equal(["Overview", "Live log", "Compare", "Settings", "Webhook"], page.FindAll(".places a").Select(link => link.TextContent));
    }

    [Fact]
    public async Task App_StopPressed_AsksThenStopsAndOffersStart()
    {
        await RunAsync();
        var dialogs = _context.Render<MudDialogProvider>();
        var page = Open();
        page.WaitForAssertion(() => Assert.Contains(page.FindAll("button"), button => button.TextContent.Trim() == "Stop"));

        var press = page.InvokeAsync(() => Button(page, "Stop").ClickAsync(new()));
        dialogs.WaitForAssertion(() => Assert.Contains("Stop web?", dialogs.Markup, StringComparison.Ordinal));
        Assert.Equal(ContainerStatus.Running, Assert.Single(_context.Engine.Containers).Status);
        await dialogs.InvokeAsync(() => dialogs.FindAll("button").Single(button => button.TextContent.Trim() == "Stop web").ClickAsync(new()));
        await _context.Time.AdvanceUntilAsync(press, TimeSpan.FromSeconds(1));

        Assert.Equal(ContainerStatus.Exited, Assert.Single(_context.Engine.Containers).Status);
        page.WaitForAssertion(() => Assert.Equal("Stopped", page.Find(".state").TextContent));
        Assert.Contains(page.FindAll("button"), button => button.TextContent.Trim() == "Start");
    }

    [Fact]
    public async Task App_ContainerRemovedBySomebody_WarnsOfDrift()
    {
        await RunAsync();
        await _context.Engine.RemoveContainerAsync(Assert.Single(_context.Engine.Containers).Id, Cancel);

        var page = Open();

        page.WaitForAssertion(() => Assert.Contains("was removed by somebody else", page.Find("ul.drift").TextContent, StringComparison.Ordinal));
        Assert.Equal("Container is gone", page.Find(".state").TextContent);
    }

    [Fact]
    public async Task App_EngineAway_SaysSoAndKeepsThePage()
    {
        await RunAsync();
        _context.Engine.IsGone = true;

        var page = Open();

        page.WaitForAssertion(() => Assert.Contains("does not answer", page.Find(".drift[role=alert]").TextContent, StringComparison.Ordinal));
        Assert.Equal("web", page.Find("h1").TextContent);
    }

    [Fact]
    public async Task App_HostNames_LeadToTheProxyInANewTab()
    {
        Assert.IsType<AppChange.Saved>(await _context.Catalog.AddAsync(new AppDraft { Name = "web", Image = "web:v1", Hosts = ["shop.example.com", "www.example.com"] }, Cancel));

        var page = Open();

        page.WaitForAssertion(() => Assert.Equal(
            ["http://shop.example.com:8090/ noopener noreferrer _blank", "http://www.example.com:8090/ noopener noreferrer _blank"],
            page.FindAll(".hosts a").Select(link => $"{new Uri(link.GetAttribute("href")!)} {link.GetAttribute("rel")} {link.GetAttribute("target")}")));
    }

    [Fact]
    public async Task App_Viewer_IsOfferedNothingThatChanges()
    {
        _context.Services.AddSingleton<ICurrentActor>(new Viewer());
        await RunAsync();

        var page = Open();

        page.WaitForAssertion(() => Assert.Equal("Running", page.Find(".state").TextContent));
        Assert.Equal(["Overview", "Live log", "Compare"], page.FindAll(".places a").Select(link => link.TextContent));
        Assert.Empty(page.FindAll(".page-head button, .end button"));
    }

    [Fact]
    public async Task Compare_TwoDeployments_ShowsWhatDiffersAndSecretsByName()
    {
        await _context.AddAppAsync("web");
        await _context.EnqueueAsync("web");
        var draft = new AppDraft { Image = "web:v2", Env = new Dictionary<string, string?>(StringComparer.Ordinal) { ["MODE"] = "fast" }, Secrets = ["TOKEN"], MemoryMb = 64 };
        Assert.IsType<AppChange.Saved>(await _context.Catalog.ChangeAsync("web", draft, Cancel));
        await _context.EnqueueAsync("web");

        var page = _context.Render<ComparePage>(parameters => parameters.Add(compare => compare.Name, "web"));

        page.WaitForAssertion(() => Assert.Equal(
            ["image|web:v1|web:v2", "secrets|–|TOKEN", "memory_mb|–|64", "env.MODE|–|fast"],
            page.FindAll("tr.differs").Select(row => string.Join('|', row.Children.Select(cell => cell.TextContent)))));
        await page.InvokeAsync(() => page.FindAll("select")[1].Change("1"));
        page.WaitForAssertion(() => Assert.Contains("Image and settings are the same.", page.Markup, StringComparison.Ordinal));
    }

    private IRenderedComponent<AppPage> Open() => _context.Render<AppPage>(parameters => parameters.Add(page => page.Name, "web"));

    private static IElement Button(IRenderedComponent<AppPage> page, string text) => page.FindAll("button").Single(button => button.TextContent.Trim() == text);

    private async Task RunAsync()
    {
        await _context.AddAppAsync("web");
        var deployment = await _context.EnqueueAsync("web");
        var instance = _context.Services.GetRequiredService<InstanceIdentity>().Id;
        var names = new ContainerNames("web", deployment.Number, deployment.Id);
        var container = _context.Engine.AddContainer(names.Container, names.Labels(instance));
        await _context.Engine.StartContainerAsync(container, Cancel);
        await _context.ChangeAsync(deployment.Id, rows => rows.ExecuteUpdateAsync(set => set
            .SetProperty(row => row.Status, DeploymentStatus.Succeeded).SetProperty(row => row.ContainerId, container)));
        await using var db = _context.Bed.CreateDbContext();
        await db.Apps.ExecuteUpdateAsync(set => set.SetProperty(app => app.CurrentDeploymentId, deployment.Id), Cancel);
    }

    private sealed class Viewer : ICurrentActor
    {
        public ValueTask<Actor> GetAsync(CancellationToken cancellationToken) =>
            ValueTask.FromResult(new Actor(ActorKind.Person, "2", "Vic", null, [new AccessGrant(AccessRole.Viewer, null, null)]));
    }
}
