using Bunit;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Web.Features.Activity;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Deployer.Tests.Web.Activity;

public sealed class ActivityPageTests : IAsyncLifetime
{
    private readonly DashboardContext _context = new();

    private NavigationManager Navigation => _context.Services.GetRequiredService<NavigationManager>();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public void Activity_NothingYet_SaysWhatComesHere()
    {
        var page = _context.Render<ActivityPage>();

        page.WaitForAssertion(() => Assert.Contains("Nothing was deployed yet", page.Find(".blank").TextContent, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Activity_QueuedAndRunning_ShowStepPlaceAndReason()
    {
        await _context.AddAppAsync("api");
        var first = await _context.EnqueueAsync("api");
        await _context.EnqueueAsync("api");
        await _context.ChangeAsync(first.Id, rows => rows.ExecuteUpdateAsync(set => set.SetProperty(row => row.Status, DeploymentStatus.Running)));

        var page = _context.Render<ActivityPage>();

        page.WaitForAssertion(() => Assert.Equal(["api #1", "api #2"], page.FindAll(".now .name").Select(name => name.TextContent)));
        Assert.Contains("Next · Waits for #1 of the same app, which runs.", page.FindAll(".now li")[1].TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Activity_Filters_StandInTheAddressAndNarrowTheList()
    {
        await _context.AddAppAsync("api");
        await _context.AddAppAsync("web");
        await EndAsync((await _context.EnqueueAsync("api")).Id, DeploymentStatus.Failed, seconds: 4);
        await EndAsync((await _context.EnqueueAsync("web")).Id, DeploymentStatus.Succeeded, seconds: 8);
        var page = _context.Render<ActivityPage>();
        page.WaitForAssertion(() => Assert.Equal(2, page.FindAll(".deployments tbody tr").Count));

        await page.InvokeAsync(() => page.FindAll(".filters select")[0].Change("web"));

        page.WaitForAssertion(() => Assert.Equal("?app=web", new Uri(Navigation.Uri).Query));
        page.WaitForAssertion(() => Assert.Contains("web #1", Assert.Single(page.FindAll(".deployments tbody tr")).TextContent, StringComparison.Ordinal));
        await page.InvokeAsync(() => page.FindAll(".filters select")[2].Change("failed"));
        page.WaitForAssertion(() => Assert.Contains("No deployment fits", page.Markup, StringComparison.Ordinal));
        Assert.Equal("?app=web&status=failed", new Uri(Navigation.Uri).Query);
    }

    [Fact]
    public async Task Activity_Ended_ShowFiguresInChartsAndTables()
    {
        await _context.AddAppAsync("api");
        await EndAsync((await _context.EnqueueAsync("api")).Id, DeploymentStatus.Succeeded, seconds: 4);
        await EndAsync((await _context.EnqueueAsync("api")).Id, DeploymentStatus.Failed, seconds: 1);

        var page = _context.Render<ActivityPage>();

        page.WaitForAssertion(() => Assert.Equal(
            ["0.03 a day", "50 %", "4.0 s", "–"], page.FindAll("figcaption .sum").Select(sum => sum.TextContent)));
        Assert.Equal(30, page.FindAll("figure")[0].QuerySelectorAll("tbody tr").Length);
        Assert.EndsWith("11", page.FindAll("figure")[0].QuerySelector("tbody tr:last-child")!.TextContent, StringComparison.Ordinal);
        Assert.Equal(["api", "1", "1", "50 %", "4.0 s", "–"], page.FindAll(".table tbody td").Select(cell => cell.TextContent.Trim()));
    }

    [Fact]
    public async Task Activity_MoreThanAPage_LeadsToEarlierOnes()
    {
        await _context.AddAppAsync("api");
        for (var count = 0; count < ActivityFilter.PageSize + 1; count++)
        {
            await EndAsync((await _context.EnqueueAsync("api")).Id, DeploymentStatus.Succeeded, seconds: 1);
        }

        var page = _context.Render<ActivityPage>();
        page.WaitForAssertion(() => Assert.Equal(ActivityFilter.PageSize, page.FindAll(".deployments tbody tr").Count));
        Navigation.NavigateTo(page.Find(".pager a").GetAttribute("href")!);

        page.WaitForAssertion(() => Assert.Contains("#1", Assert.Single(page.FindAll(".deployments tbody tr")).TextContent, StringComparison.Ordinal));
    }

    private Task EndAsync(long id, DeploymentStatus status, int seconds)
    {
        var now = _context.Time.Now();
        return _context.ChangeAsync(id, rows => rows.ExecuteUpdateAsync(set => set
            .SetProperty(row => row.Status, status)
            .SetProperty(row => row.StartedAt, now - Duration.FromSeconds(seconds))
            .SetProperty(row => row.EndedAt, now)));
    }
}
