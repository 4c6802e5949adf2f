using Bunit;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Web.Features.Search;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web.Search;

public sealed class SearchPageTests : IAsyncLifetime
{
    private readonly DashboardContext _context = new();
    private readonly HeldDatabases _searched;
    private readonly LogStore _store;

    public SearchPageTests()
    {
        _searched = new HeldDatabases(_context.Bed);
        _store = new LogStore(_searched, _context.Bed.Feed, TimeProvider.System, Options.Create(new LogOptions()), NullLogger<LogStore>.Instance);
        _context.Services.AddSingleton(_ => new LogSearch(_store, _context.Time));
    }

    private NavigationManager Navigation => _context.Services.GetRequiredService<NavigationManager>();

    public async ValueTask InitializeAsync()
    {
        await _context.AddAppAsync("api");
        await _context.AddAppAsync("web");
        await WriteAsync("api", ["ready", "\e[31mError 500\e[0m <b>at</b> /basket", "done"]);
        await WriteAsync("web", ["error 404 at /", "bye"]);
    }

    public async ValueTask DisposeAsync()
    {
        _searched.Release();
        await _store.DisposeAsync();
        await _context.DisposeAsync();
        _searched.Dispose();
    }

    [Fact]
    public void Search_NothingAskedFor_SaysWhatItIsFor()
    {
        var page = _context.Render<SearchPage>();

        page.WaitForAssertion(() => Assert.Contains("Where has this been before?", page.Find(".blank").TextContent, StringComparison.Ordinal));
    }

    [Fact]
    public void Search_TextInTheAddress_ShowsLinesWithContextAndLinks()
    {
        Navigation.NavigateTo("/search?q=error");
        var page = _context.Render<SearchPage>();

        page.WaitForAssertion(() => Assert.Equal(["web #1", "api #1"], page.FindAll("section.deployment").Select(section => section.GetAttribute("aria-label"))));
        Assert.Equal(["error", "Error"], page.FindAll("mark").Select(mark => mark.TextContent));
        Assert.Equal(["error 404 at /", "Error 500 <b>at</b> /basket"], page.FindAll(".found .text").Select(text => text.TextContent));
        Assert.Equal("/deployments/1#L2", page.Find("section[aria-label='api #1'] .found a").GetAttribute("href"));
        Assert.Equal(["1", "2", "3"], page.FindAll("section[aria-label='api #1'] .row .no").Select(number => number.TextContent));
        Assert.Equal("2 lines found.", page.Find("[role=status]").TextContent);
    }

    [Fact]
    public async Task Search_HitsCloseTogether_ShowEachLineOnce()
    {
        await WriteAsync("web", ["one", "needle", "three", "needle", "five", "six", "seven", "eight", "nine", "needle"]);
        Navigation.NavigateTo("/search?q=needle");
        var page = _context.Render<SearchPage>();

        page.WaitForAssertion(() => Assert.Equal(["1 2 3 4 5 6", "8 9 10"], page.FindAll(".hit").Select(hit =>
            string.Join(' ', hit.QuerySelectorAll(".no").Select(number => number.TextContent)))));
        Assert.Equal(["2", "4", "10"], page.FindAll(".found .no").Select(number => number.TextContent));
    }

    [Fact]
    public async Task Search_FormSubmitted_PutsWhatIsAskedIntoTheAddressAndNarrows()
    {
        var page = _context.Render<SearchPage>();
        page.WaitForAssertion(() => Assert.Contains(page.FindAll("option"), option => option.TextContent == "api"));

        await page.InvokeAsync(() => page.Find("input[type=search]").Input("err.r \\d+"));
        await page.InvokeAsync(() => page.FindAll("input[type=checkbox]")[0].Change(true));
        await page.InvokeAsync(() => page.FindAll("select")[0].Change("api"));
        await page.InvokeAsync(() => page.Find("form").Submit());

        page.WaitForAssertion(() => Assert.Equal("?q=err.r%20%5Cd%2B&regex=true&app=api", new Uri(Navigation.Uri).Query));
        page.WaitForAssertion(() => Assert.Equal("api #1", Assert.Single(page.FindAll("section.deployment")).GetAttribute("aria-label")));
        Assert.Equal("Error 500", page.Find("mark").TextContent);
    }

    [Theory]
    [InlineData("q=(&regex=true", "Not a regular expression")]
    [InlineData("q=x&since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "ends before it begins")]
    public void Search_CannotBeDone_SaysWhy(string query, string why)
    {
        Navigation.NavigateTo($"/search?{query}");
        var page = _context.Render<SearchPage>();

        page.WaitForAssertion(() => Assert.Contains(why, page.Find("[role=alert]").TextContent, StringComparison.Ordinal));
    }

    [Fact]
    public void Search_NothingFound_SaysSo()
    {
        Navigation.NavigateTo("/search?q=error&case=true&app=api");
        var page = _context.Render<SearchPage>();

        page.WaitForAssertion(() => Assert.Contains("No line has it", page.Find(".blank").TextContent, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Search_LineThatTakesTooLong_SaysThatItWasPassedOver()
    {
        await WriteAsync("web", [new string('a', 5_000) + "!"]);
        Navigation.NavigateTo($"/search?q={Uri.EscapeDataString(@"^(a+)+\1$")}&regex=true");
        var page = _context.Render<SearchPage>();

        page.WaitForAssertion(() => Assert.Contains("were passed over", page.Find("[role=status]").TextContent, StringComparison.Ordinal));
        Assert.Empty(page.FindAll(".blank, .pager a"));
    }

    [Fact]
    public async Task Search_MoreThanAPage_LeadsToTheNext()
    {
        await WriteAsync("web", [.. Enumerable.Range(1, 60).Select(number => $"needle {number}")]);
        Navigation.NavigateTo("/search?q=needle");
        var page = _context.Render<SearchPage>();
        page.WaitForAssertion(() => Assert.Equal(50, page.FindAll(".found").Count));

        Navigation.NavigateTo(page.Find(".pager a").GetAttribute("href")!);

        page.WaitForAssertion(() => Assert.Equal(10, page.FindAll(".found").Count));
        Assert.Contains("needle 51", page.Find(".found").TextContent, StringComparison.Ordinal);
        Assert.Equal(["First page"], page.FindAll(".pager a").Select(link => link.TextContent));
    }

    [Theory]
    [InlineData("/search", "Where has this been before?")]
    [InlineData("/search?q=(&regex=true", "Not a regular expression")]
    public async Task Search_AnotherAskedForThatIsNone_SearchesNoLonger(string address, string says)
    {
        _searched.Hold();
        Navigation.NavigateTo("/search?q=error");
        var page = _context.Render<SearchPage>();
        page.WaitForAssertion(() => Assert.Equal("Searching…", page.Find("[role=status]").TextContent));

        await page.InvokeAsync(() => Navigation.NavigateTo(address));

        page.WaitForAssertion(() => Assert.Contains(says, page.Find(".blank, [role=alert]").TextContent, StringComparison.Ordinal));
        Assert.Equal("", page.Find("[role=status]").TextContent);
    }

    [Fact]
    public void Search_DatabaseFails_SaysSo()
    {
        _context.Databases.IsDown = true;
        Navigation.NavigateTo("/search?q=error");
        var page = _context.Render<SearchPage>();

        page.WaitForAssertion(() => Assert.Contains("cannot be read", page.Find("[role=alert]").TextContent, StringComparison.Ordinal));
    }

    private async Task WriteAsync(string app, IReadOnlyList<string> lines)
    {
        var deployment = await _context.EnqueueAsync(app);
        await using var log = _context.Logs.Open(deployment.Id, []);
        foreach (var line in lines)
        {
            await log.AppendAsync(LogStream.Stdout, StepKind.Start, line, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>What searches read. While it is held they neither end nor fail.</summary>
    private sealed class HeldDatabases(IDbContextFactory<DeployerDb> databases) : IDbContextFactory<DeployerDb>, IDisposable
    {
        private readonly ManualResetEventSlim _open = new(initialState: true);

        public void Hold() => _open.Reset();

        public void Release() => _open.Set();

        public DeployerDb CreateDbContext()
        {
            _open.Wait(TestContext.Current.CancellationToken);
            return databases.CreateDbContext();
        }

        public void Dispose() => _open.Dispose();
    }
}
