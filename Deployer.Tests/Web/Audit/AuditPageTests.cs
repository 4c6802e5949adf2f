using AngleSharp.Dom;
using Bunit;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Audit;
using Deployer.Web.Features.Audit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web.Audit;

public sealed class AuditPageTests : IAsyncLifetime
{
    private readonly DashboardContext _context = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private NavigationManager Navigation => _context.Services.GetRequiredService<NavigationManager>();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public void Audit_Nothing_SaysSo()
    {
        var page = Open("/audit");

        page.WaitForAssertion(() => Assert.Contains("Nothing fits", page.Find(".blank").TextContent, StringComparison.Ordinal));
        Assert.Empty(page.FindAll("table"));
    }

    [Fact]
    public async Task Audit_Changes_ShowWhoWhatAndBeforeAndAfter_ValuesOfVariablesApart()
    {
        var gate = _context.Services.GetRequiredService<AppGate>();
        await gate.AddAsync(new AppDraft { Name = "web", Image = "web:v1" }, Cancel);
        var env = new Dictionary<string, string?>(StringComparer.Ordinal) { ["PASSWORD"] = "by-mistake-in-the-clear" };
        await gate.ChangeAsync("web", new AppDraft { Image = "web:v2", Env = env }, Cancel);

        var page = Open("/audit");

        page.WaitForAssertion(() => Assert.Equal(
            ["Ada127.0.0.1|app.changed|app:web", "Ada127.0.0.1|app.added|app:web"],
            page.FindAll("tbody tr").Select(row => $"{row.Children[1].TextContent}|{row.Children[2].TextContent}|{row.QuerySelector("a")!.TextContent}")));
        Assert.All(page.FindAll("tbody a"), link => Assert.Equal("/apps/web", link.GetAttribute("href")));
        Assert.Equal(["Before and after", "What is new"], page.FindAll("summary").Select(summary => summary.TextContent));
        Assert.Contains("web:v1", page.Find("pre[aria-label=Before]").TextContent, StringComparison.Ordinal);
        Assert.Contains("\"PASSWORD\": \"…\"", page.Find("pre[aria-label=After]").TextContent, StringComparison.Ordinal);
        Assert.DoesNotContain("by-mistake", page.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Search_Written_GoesIntoTheAddressAndNarrowsTheList()
    {
        await RecordAsync(AuditAction.TokenCreated, "token:CI", note: "for the shop");
        await RecordAsync(AuditAction.AppStopped, "app:blog", note: "holidays");
        var page = Open("/audit");
        page.WaitForAssertion(() => Assert.Equal(2, page.FindAll("tbody tr").Count));

        await page.InvokeAsync(() => page.Find("form.filters input").Change(" HOLI "));
        await page.InvokeAsync(() => page.FindAll("input[type=date]")[0].Change("1999-12-31"));
        await page.InvokeAsync(() => page.Find("form.filters").SubmitAsync());

        page.WaitForAssertion(() => Assert.Equal("?text=HOLI&from=1999-12-31", Query(Navigation.Uri)));
        page.WaitForAssertion(() => Assert.Equal(["app:blog"], page.FindAll("tbody a").Select(link => link.TextContent)));
    }

    [Fact]
    public void Filters_InTheAddress_StandInTheFormAndInBothExports()
    {
        var page = Open("/audit?text=olga&action=app&environment=staging&from=2026-03-01&until=2026-03-31");

        page.WaitForAssertion(() => Assert.Equal("olga", page.Find("form.filters input").GetAttribute("value")));
        Assert.Equal(["2026-03-01", "2026-03-31"], page.FindAll("input[type=date]").Select(day => day.GetAttribute("value")));
        var exports = page.FindAll(".page-head a");
        Assert.Equal(["audit.csv", "audit.jsonl"], exports.Select(link => link.GetAttribute("download")));
        Assert.Equal(
            new[] { "csv", "jsonl" }.Select(format =>
                $"/api/audit/export?format={format}&text=olga&action=app&environment=staging&from=2026-03-01T00:00:00.000000000Z&until=2026-04-01T00:00:00.000000000Z"),
            exports.Select(link => Uri.UnescapeDataString(Navigation.ToAbsoluteUri(link.GetAttribute("href")!).PathAndQuery)));
    }

    [Fact]
    public async Task Audit_MoreThanAPage_IsReadOn()
    {
        for (var index = 1; index <= 101; index++)
        {
            await RecordAsync(AuditAction.AppStopped, $"app:a{index}", note: null);
        }

        var page = Open("/audit");
        page.WaitForAssertion(() => Assert.Equal(100, page.FindAll("tbody tr").Count));

        await page.InvokeAsync(() => page.Find(".more button").Click());

        page.WaitForAssertion(() => Assert.Equal(
            Enumerable.Range(1, 101).Reverse().Select(index => $"app:a{index}"), page.FindAll("tbody a").Select(link => link.TextContent)));
        Assert.Empty(page.FindAll(".more"));
    }

    private static string Query(string uri) => new Uri(uri).Query;

    private IRenderedComponent<AuditPage> Open(string address)
    {
        Navigation.NavigateTo(address);
        return _context.Render<AuditPage>();
    }

    private async Task RecordAsync(string action, string subject, string? note) =>
        await _context.Services.GetRequiredService<AuditLog>().RecordAsync(
            await _context.Services.GetRequiredService<ICurrentActor>().GetAsync(Cancel), new AuditFact(action, subject) { Note = note }, Cancel);
}
