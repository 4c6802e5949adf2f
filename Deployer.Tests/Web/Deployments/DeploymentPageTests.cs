using Bunit;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Environments;
using Deployer.Web.Components.Time;
using Deployer.Web.Features.Deployments;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using NodaTime;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web.Deployments;

public sealed class DeploymentPageTests : IAsyncLifetime
{
    private readonly DashboardContext _context = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _context.AddAppAsync("web");

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public async Task Page_QueuedDeployment_ShowsStatusAndSixPendingSteps()
    {
        var page = Render((await _context.EnqueueAsync("web")).Id);

        page.WaitForAssertion(() => Assert.Equal("Queued", page.Find(".badge").TextContent));
        Assert.Equal(
            ["Prepare", "Pull", "Start", "Health check", "Switch over", "Clean up"],
            page.FindAll(".step .name").Select(name => name.TextContent.Split(':')[0]));
        Assert.All(page.FindAll(".step"), step => Assert.Contains("pending", step.ClassName!, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Page_DeploymentFails_ShowsCauseEvidenceAndRemedy()
    {
        var deployment = await _context.EnqueueAsync("web");
        var page = Render(deployment.Id);
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll(".badge")));
        var failure = new DeploymentFailure(
            FailureCode.ContainerExited, "The container exited with code 3.", "Set DATABASE_URL.",
            new FailureEvidence(3, OutOfMemory: false, HealthOutput: null, ["\x1b[1;31mfatal:\x1b[0m <b>no</b> DATABASE_URL"]));

        await _context.ChangeAsync(deployment.Id, rows => rows.ExecuteUpdateAsync(
            set => set.SetProperty(row => row.Status, DeploymentStatus.Failed).SetProperty(row => row.Failure, failure)));

        await _context.Time.AdvanceUntilAsync(page.WaitForAssertionAsync(() => Assert.Contains("Container exited", page.Find(".failure h2").TextContent, StringComparison.Ordinal)), LiveReload.Floor);
        var card = page.Find(".failure");
        Assert.Contains("The container exited with code 3.", card.TextContent, StringComparison.Ordinal);
        Assert.Contains("Set DATABASE_URL.", card.TextContent, StringComparison.Ordinal);
        Assert.Equal("fatal: <b>no</b> DATABASE_URL", card.QuerySelector("pre")!.TextContent);
        Assert.Null(card.QuerySelector("pre b"));
    }

    [Fact]
    public async Task Page_DeployAgain_AsksFirstWithTheSameImage()
    {
        var deployment = await _context.EnqueueAsync("web");
        await _context.ChangeAsync(deployment.Id, rows => rows.ExecuteUpdateAsync(set => set.SetProperty(row => row.Status, DeploymentStatus.Failed)));
        Assert.IsType<AppChange.Saved>(await _context.Catalog.ChangeAsync("web", new AppDraft { Image = "web:v2" }, Cancel));
        var dialogs = _context.Render<MudDialogProvider>();
        var page = Render(deployment.Id);
        page.WaitForAssertion(() => Assert.Equal("Deploy again…", page.Find(".page-head button").TextContent));

        await page.InvokeAsync(() => page.Find(".page-head button").Click());

        dialogs.WaitForAssertion(() => Assert.Equal("v1", dialogs.Find("#deploy-tag").GetAttribute("value")));
        Assert.Single(await _context.Services.GetRequiredService<DeploymentReader>().ListAsync(new DeploymentFilter("web", Status: null, Before: null, Limit: 10), Cancel));
        await dialogs.InvokeAsync(() => dialogs.FindAll("button").Single(button => button.TextContent.Trim() == "Deploy web").Click());
        var navigation = _context.Services.GetRequiredService<NavigationManager>();
        dialogs.WaitForAssertion(() => Assert.EndsWith($"/deployments/{deployment.Id + 1}", navigation.Uri, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Page_Viewer_IsOfferedNeitherCancelNorDeploy()
    {
        _context.Role = AccessRole.Viewer;
        var waiting = await _context.EnqueueAsync("web");
        var page = Render(waiting.Id);
        page.WaitForAssertion(() => Assert.Equal("Queued", page.Find(".badge").TextContent));
        Assert.Empty(page.FindAll(".page-head button"));
    }

    [Fact]
    public async Task Page_CancelPressed_CancelsAQueuedDeployment()
    {
        var deployment = await _context.EnqueueAsync("web");
        var page = Render(deployment.Id);
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll(".badge")));

        await page.InvokeAsync(() => page.FindAll("button").Single(button => button.TextContent.Trim() == "Cancel").ClickAsync(new()));

        await _context.Time.AdvanceUntilAsync(page.WaitForAssertionAsync(() => Assert.Equal("Canceled", page.Find(".badge").TextContent)), LiveReload.Floor);
    }

    [Fact]
    public async Task Page_DeploymentWaitsForApproval_SaysWhoMayAndTakesItWithAReason()
    {
        await using (var db = _context.Bed.CreateDbContext())
        {
            db.Add(new EnvironmentRules { Name = "production", Protected = true, CreatedAt = Instant.FromUnixTimeSeconds(0) });
            await db.SaveChangesAsync(Cancel);
        }

        var request = new DeploymentRequest(Image: null, Reason: null, "Bob", IdempotencyKey: null) { RequestedById = "2" };
        var deployment = Assert.IsType<EnqueueResult.Queued>(await _context.Queue.EnqueueAsync("web", request, Cancel)).Deployment;
        var page = Render(deployment.Id);
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll(".approve")));
        Assert.Contains("except Bob, who asked for it", page.Find("section.waiting").TextContent, StringComparison.Ordinal);

        await page.InvokeAsync(() => page.Find(".approve").SubmitAsync());
        Assert.Contains("Say in a few words", page.Find("[role=alert]").TextContent, StringComparison.Ordinal);

        await page.InvokeAsync(() => page.Find(".approve input").Input("looks good"));
        await page.InvokeAsync(() => page.Find(".approve").SubmitAsync());

        await _context.Time.AdvanceUntilAsync(page.WaitForAssertionAsync(() => Assert.Contains("by Ada: looks good", page.Find("dl.line").TextContent, StringComparison.Ordinal)), LiveReload.Floor);
        Assert.Empty(page.FindAll(".approve"));
    }

    [Fact]
    public async Task Page_OwnDeploymentWaitsForApproval_CannotBeApproved()
    {
        await using (var db = _context.Bed.CreateDbContext())
        {
            db.Add(new EnvironmentRules { Name = "production", Protected = true, CreatedAt = Instant.FromUnixTimeSeconds(0) });
            await db.SaveChangesAsync(Cancel);
        }

        var request = new DeploymentRequest(Image: null, Reason: null, "Ada", IdempotencyKey: null) { RequestedById = "1" };
        var deployment = Assert.IsType<EnqueueResult.Queued>(await _context.Queue.EnqueueAsync("web", request, Cancel)).Deployment;
        var page = Render(deployment.Id);
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll(".approve")));

        await page.InvokeAsync(() => page.Find(".approve input").Input("trust me"));
        await page.InvokeAsync(() => page.Find(".approve").SubmitAsync());

        page.WaitForAssertion(() => Assert.Contains("somebody else has to approve it", page.Find("[role=alert]").TextContent, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Page_WaitsBehindAnother_SaysItsPlace()
    {
        await _context.AddAppAsync("api");
        await _context.EnqueueAsync("api");
        var page = Render((await _context.EnqueueAsync("web")).Id);

        page.WaitForAssertion(() => Assert.Contains("It is number 2 in the queue.", page.Find("section.waiting").TextContent, StringComparison.Ordinal));
    }

    [Fact]
    public void Page_NoSuchDeployment_SaysSo()
    {
        var page = Render(4711);

        page.WaitForAssertion(() => Assert.Equal("There is no deployment 4711", page.Find("h1").TextContent));
    }

    [Fact]
    public async Task Page_AnotherDeploymentInTheAddress_ShowsThatOne()
    {
        var first = await _context.EnqueueAsync("web");
        await _context.Queue.CancelAsync(first.Id, "test", Cancel);
        var second = await _context.EnqueueAsync("web");
        var page = Render(first.Id);
        page.WaitForAssertion(() => Assert.Contains("#1", page.Find("h1").TextContent, StringComparison.Ordinal));

        page.Render(parameters => parameters.Add(shown => shown.Id, second.Id));

        page.WaitForAssertion(() => Assert.Contains("#2", page.Find("h1").TextContent, StringComparison.Ordinal));
    }

    private IRenderedComponent<DeploymentPage> Render(long id) =>
        _context.Render<DeploymentPage>(parameters => parameters.Add(page => page.Id, id));
}
