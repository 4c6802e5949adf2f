using AngleSharp.Dom;
using Bunit;
using Bunit.TestDoubles;
using Deployer.Core.Apps;
using Deployer.Core.Logs;
using Deployer.Core.Runner;
using Deployer.Core.Secrets;
using Deployer.Web.Features.Apps;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web.Apps;

public sealed class EditAppPageTests : IAsyncLifetime
{
    private readonly DashboardContext _context = new();
    private IRenderedComponent<MudDialogProvider> _dialogs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private BunitNavigationManager Navigation => _context.Services.GetRequiredService<BunitNavigationManager>();

    public async ValueTask InitializeAsync()
    {
        _dialogs = _context.Render<MudDialogProvider>();
        await _context.AddAppAsync("web");
    }

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public void Settings_Opened_ListEverySectionThatThePageHas()
    {
        var page = Open();

        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll("#kept")));
        var listed = page.FindAll(".sections a").Select(link => link.GetAttribute("href")!.Split('#')).ToList();
        Assert.All(listed, link => Assert.Equal("/apps/web/edit", link[0]));
        Assert.Equal(page.FindAll("section.card").Select(section => section.Id), listed.Select(link => link[1]));
    }

    [Fact]
    public async Task Settings_QueuePolicyChosen_IsSaved()
    {
        var page = Open();

        await page.InvokeAsync(() => Choice(page, "Takes its place").Change("on"));
        await page.InvokeAsync(() => page.Find("form.form").SubmitAsync());

        Assert.Equal(QueuePolicy.Replace, (await _context.Catalog.FindAsync("web", Cancel))!.Spec.WhenQueued);
        Assert.Equal((NavigationState.Succeeded, "/apps/web"), Last());
        Assert.True(Choice(Open(), "Takes its place").HasAttribute("checked"));
    }

    [Fact]
    public async Task Settings_SecretSetWhileTheFormIsOpen_SurvivesItsSaving()
    {
        var page = Open();
        var book = _context.Services.GetRequiredService<SecretBook>();
        await book.SetAsync("web", "OLD", "x", Cancel);
        await page.InvokeAsync(() => Image(page).Input("web:v2"));

        await page.InvokeAsync(() => page.Find("form.form").SubmitAsync());

        var spec = (await _context.Catalog.FindAsync("web", Cancel))!.Spec;
        Assert.Equal("web:v2", spec.Image);
        Assert.Equal(["OLD"], spec.Secrets);
    }

    [Fact]
    public void Guard_NothingWritten_LetsTheReaderGo()
    {
        Open();

        Navigation.NavigateTo("/activity");

        Assert.Equal((NavigationState.Succeeded, "/activity"), Last());
        Assert.Empty(_dialogs.FindAll(".mud-dialog"));
    }

    [Fact]
    public async Task Guard_SomethingWritten_AsksAndKeepsWhoeverStays()
    {
        var page = Open();
        await page.InvokeAsync(() => Image(page).Input("web:v2"));

        Navigation.NavigateTo("/activity");
        _dialogs.WaitForAssertion(() => Assert.Contains("Your changes to web are not saved", _dialogs.Markup, StringComparison.Ordinal));
        await AnswerAsync("Stay here");

        _dialogs.WaitForAssertion(() => Assert.Empty(_dialogs.FindAll(".mud-dialog")));
        Assert.EndsWith("/apps/web/edit", Navigation.Uri, StringComparison.Ordinal);
        Assert.Equal("web:v2", Image(page).GetAttribute("value"));
    }

    [Fact]
    public async Task Guard_ToASectionOfThePage_AsksNobody()
    {
        var page = Open();
        await page.InvokeAsync(() => Image(page).Input("web:v2"));

        Navigation.NavigateTo("/apps/web/edit#secrets");

        Assert.EndsWith("/apps/web/edit#secrets", Navigation.Uri, StringComparison.Ordinal);
        Assert.Empty(_dialogs.FindAll(".mud-dialog"));
    }

    [Fact]
    public async Task Guard_WrittenAndTakenBack_LetsTheReaderGo()
    {
        var page = Open();
        await page.InvokeAsync(() => Image(page).Input("web:v2"));
        await page.InvokeAsync(() => Image(page).Input("web:v1"));

        Navigation.NavigateTo("/activity");

        Assert.Equal((NavigationState.Succeeded, "/activity"), Last());
    }

    [Fact]
    public async Task Guard_SecretHalfWritten_Asks()
    {
        var page = Open();
        page.WaitForElement("#secrets button");
        await page.InvokeAsync(() => page.Find("#secrets button").Click());
        page.WaitForElement("#secrets textarea");
        await page.InvokeAsync(() => page.Find("#secrets textarea").Input("half of it"));

        Navigation.NavigateTo("/activity");

        _dialogs.WaitForAssertion(() => Assert.Contains("Leave without saving?", _dialogs.Markup, StringComparison.Ordinal));
        Assert.DoesNotContain("half of it", _dialogs.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Guard_SavedBesideAHalfWrittenSecret_StaysForTheSecretAlone()
    {
        var page = Open();
        page.WaitForElement("#secrets button");
        await page.InvokeAsync(() => page.Find("#secrets button").Click());
        page.WaitForElement("#secrets textarea");
        await page.InvokeAsync(() => page.Find("#secrets textarea").Input("half of it"));
        await page.InvokeAsync(() => Image(page).Input("web:v2"));

        await page.InvokeAsync(() => page.Find("form.form").SubmitAsync());

        Assert.Equal("web:v2", (await _context.Catalog.FindAsync("web", Cancel))!.Spec.Image);
        Assert.Equal((NavigationState.Succeeded, "/apps/web/edit"), Last());
        await page.InvokeAsync(() => page.Find("#secrets textarea").Input(""));
        Navigation.NavigateTo("/activity");
        Assert.Equal((NavigationState.Succeeded, "/activity"), Last());
    }

    [Fact]
    public async Task Kept_Limits_AreSaidInWords()
    {
        await using var context = new DashboardContext();
        context.Services.Configure<RunnerOptions>(runner => runner.KeepImages = 3);
        context.Services.Configure<LogOptions>(logs => logs.Retention = new() { MaxAgeDays = 90, MaxPerApp = 200, MaxTotalMegabytes = null });

        var panel = context.Render<KeptPanel>();

        Assert.Equal(
            ["the newest 3 that succeeded, and the one that serves", "for 90 days, of the newest 200 deployments"],
            panel.FindAll("dd").Select(fact => fact.TextContent));
    }

    private IRenderedComponent<EditAppPage> Open()
    {
        Navigation.NavigateTo("/apps/web/edit");
        var page = _context.Render<EditAppPage>(parameters => parameters.Add(edit => edit.Name, "web"));
        page.WaitForElement("form.form");
        return page;
    }

    private static IElement Image(IRenderedComponent<EditAppPage> page) =>
        page.Find($"#{page.FindAll("label").First(label => label.TextContent == "Image").GetAttribute("for")}");

    private static IElement Choice(IRenderedComponent<EditAppPage> page, string text) =>
        page.FindAll("#deploying label").Single(label => label.TextContent.Contains(text, StringComparison.Ordinal)).QuerySelector("input")!;

    private (NavigationState State, string Uri) Last() =>
        (Navigation.History.First().State, Navigation.ToAbsoluteUri(Navigation.History.First().Uri).PathAndQuery);

    private async Task AnswerAsync(string text)
    {
        _dialogs.WaitForAssertion(() => Assert.NotEmpty(_dialogs.FindAll(".mud-dialog button")));
        await _dialogs.InvokeAsync(() => _dialogs.FindAll(".mud-dialog button").Single(button => button.TextContent.Trim() == text).ClickAsync(new()));
    }
}
