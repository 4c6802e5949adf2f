using Bunit;
using Deployer.Core.Deployments;
using Deployer.Web.Components.Time;
using Deployer.Web.Features.Deployments;
using Microsoft.EntityFrameworkCore;
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
            new FailureEvidence(3, OutOfMemory: false, HealthOutput: null, ["fatal: <b>no</b> DATABASE_URL"]));

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
    public async Task Page_CancelPressed_CancelsAQueuedDeployment()
    {
        var deployment = await _context.EnqueueAsync("web");
        var page = Render(deployment.Id);
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll(".badge")));

        await page.FindAll("button").Single(button => button.TextContent.Trim() == "Cancel").ClickAsync(new());

        await _context.Time.AdvanceUntilAsync(page.WaitForAssertionAsync(() => Assert.Equal("Canceled", page.Find(".badge").TextContent)), LiveReload.Floor);
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
