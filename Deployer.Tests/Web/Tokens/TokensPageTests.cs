using Bunit;
using Deployer.Core.Access;
using Deployer.Web.Features.Tokens;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using NodaTime;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web.Tokens;

public sealed class TokensPageTests : IAsyncLifetime
{
    private readonly DashboardContext _context = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ApiTokens Tokens => _context.Services.GetRequiredService<ApiTokens>();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public void Tokens_None_SaysWhatTheyAreFor()
    {
        var page = _context.Render<TokensPage>();

        page.WaitForAssertion(() => Assert.Contains("A token lets a program use the API", page.Find(".blank").TextContent, StringComparison.Ordinal));
        Assert.Empty(page.FindAll("table"));
    }

    [Fact]
    public async Task Token_Made_IsShownThisOnce()
    {
        var page = _context.Render<TokensPage>();
        page.WaitForElement(".page-head button");
        await page.InvokeAsync(() => page.Find(".page-head button").Click());
        page.WaitForElement("form input");
        await page.InvokeAsync(() => page.Find("form input").Change("CI of the shop"));

        await page.InvokeAsync(() => page.Find("form").SubmitAsync());

        var token = page.WaitForElement(".copy input").GetAttribute("value")!;
        Assert.StartsWith(ApiTokens.Prefix, token, StringComparison.Ordinal);
        Assert.Contains("shown this once", page.Find("section.form").TextContent, StringComparison.Ordinal);

        await page.InvokeAsync(() => page.FindAll("button").Single(button => button.TextContent.Trim() == "Done").Click());
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("section.form")));
        Assert.DoesNotContain(token, page.Markup, StringComparison.Ordinal);
        Assert.DoesNotContain(token, _context.Render<TokensPage>().Markup, StringComparison.Ordinal);
        var row = page.Find("tbody tr");
        Assert.Equal("CI of the shop", row.QuerySelector("strong")!.TextContent);
        Assert.StartsWith(row.QuerySelector(".start")!.TextContent.TrimEnd('…'), token, StringComparison.Ordinal);
        Assert.Equal("Deployer in every environment", row.QuerySelector(".tag")!.TextContent);
        Assert.Equal("never", row.Children[2].TextContent.Trim());
    }

    [Fact]
    public async Task Token_PressedTwice_IsMadeOnce()
    {
        var page = _context.Render<TokensPage>();
        page.WaitForElement(".page-head button");
        await page.InvokeAsync(() => page.Find(".page-head button").Click());
        page.WaitForElement("form input");
        await page.InvokeAsync(() => page.Find("form input").Change("CI of the shop"));

        await _context.SubmitTwiceAsync(page);

        page.WaitForElement(".copy input");
        Assert.Single(await Tokens.ListAsync(await ActorAsync(), Cancel));
    }

    [Fact]
    public async Task Token_WithoutName_SaysWhatIsMissing()
    {
        var page = _context.Render<TokensPage>();
        page.WaitForElement(".page-head button");
        await page.InvokeAsync(() => page.Find(".page-head button").Click());

        page.WaitForElement("form");
        await page.InvokeAsync(() => page.Find("form").SubmitAsync());

        page.WaitForAssertion(() => Assert.Contains("what the token is for", page.Find(".mud-input-helper-text.mud-input-error").TextContent, StringComparison.Ordinal));
        Assert.Empty(await Tokens.ListAsync(await ActorAsync(), Cancel));
    }

    [Fact]
    public async Task Token_PastItsEnd_IsMarked()
    {
        await MakeAsync("old", Duration.FromDays(7));
        await MakeAsync("for good", lifetime: null);
        _context.Time.Advance(TimeSpan.FromDays(8));

        var page = _context.Render<TokensPage>();

        page.WaitForAssertion(() => Assert.Equal(["no end", "expired"], page.FindAll("tbody tr").Select(row => row.Children[3].TextContent.Trim())));
    }

    [Fact]
    public async Task Token_Revoked_IsAskedFirstAndGone()
    {
        await MakeAsync("CI", Duration.FromDays(7));
        var dialogs = _context.Render<MudDialogProvider>();
        var page = _context.Render<TokensPage>();
        page.WaitForElement("button[aria-label='Revoke CI']");
        await page.InvokeAsync(() => page.Find("button[aria-label='Revoke CI']").Click());
        dialogs.WaitForAssertion(() => Assert.Contains("cannot be undone", dialogs.Markup, StringComparison.Ordinal));
        Assert.Single(await Tokens.ListAsync(await ActorAsync(), Cancel));

        await dialogs.InvokeAsync(() => dialogs.FindAll("button").Single(button => button.TextContent.Trim() == "Revoke it").Click());

        page.WaitForAssertion(() => Assert.Contains("No tokens", page.Find(".blank").TextContent, StringComparison.Ordinal));
        Assert.Empty(await Tokens.ListAsync(await ActorAsync(), Cancel));
    }

    private ValueTask<Actor> ActorAsync() => _context.Services.GetRequiredService<ICurrentActor>().GetAsync(Cancel);

    private async Task MakeAsync(string name, Duration? lifetime) =>
        await Tokens.CreateAsync(await ActorAsync(), new ApiTokenDraft(name, AccessRole.Deployer, null, null, lifetime), Cancel);
}
