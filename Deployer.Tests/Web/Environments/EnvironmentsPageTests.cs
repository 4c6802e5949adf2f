using Bunit;
using Deployer.Core.Access;
using Deployer.Core.Environments;
using Deployer.Web.Features.Environments;
using Microsoft.Extensions.DependencyInjection;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web.Environments;

public sealed class EnvironmentsPageTests : IAsyncLifetime
{
    private readonly DashboardContext _context = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public void Environments_None_SaysWhatTheyAre()
    {
        var page = _context.Render<EnvironmentsPage>();

        page.WaitForAssertion(() => Assert.Contains("No environment yet", page.Find(".blank").TextContent, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Environments_ProtectedAndFrozen_ShowItAndLiftIt()
    {
        await _context.AddAppAsync("web");
        var page = _context.Render<EnvironmentsPage>();
        page.WaitForAssertion(() => Assert.Equal("production", page.Find(".environment h2").TextContent));

        await page.InvokeAsync(() => page.Find(".environment input[type=checkbox]").Change(true));
        page.WaitForAssertion(() => Assert.Equal("Protected", page.Find(".mark").TextContent));

        await page.InvokeAsync(() => page.FindAll(".environment button").Single(button => button.TextContent.Contains("Freeze for a time", StringComparison.Ordinal)).Click());
        await page.InvokeAsync(() => page.FindAll("form input")[1].Change("2199-01-01T00:00:00"));
        await page.InvokeAsync(() => page.Find("form").Submit());
        page.WaitForAssertion(() => Assert.Contains("at most 366 days", page.Find("form [role=alert]").TextContent, StringComparison.Ordinal));

        var end = _context.Time.GetUtcNow().AddDays(2).ToString("yyyy-MM-dd'T'HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture);
        await page.InvokeAsync(() => page.FindAll("form input")[1].Change(end));
        await page.InvokeAsync(() => page.FindAll("form input")[2].Change("Holidays"));
        await page.InvokeAsync(() => page.Find("form").Submit());
        page.WaitForAssertion(() => Assert.Equal("Holidays", page.Find(".freezes strong").TextContent));
        Assert.Equal(["Frozen", "Protected"], page.FindAll(".mark").Select(mark => mark.TextContent));

        await page.InvokeAsync(() => page.Find(".freezes button").Click());
        page.WaitForAssertion(() => Assert.Empty(page.FindAll(".freezes")));
    }

    [Fact]
    public async Task Environments_FreezePressedTwice_FreezesOnce()
    {
        await _context.AddAppAsync("web");
        var page = _context.Render<EnvironmentsPage>();
        page.WaitForElement(".environment .add");
        await page.InvokeAsync(() => page.Find(".environment .add").Click());
        var end = _context.Time.GetUtcNow().AddDays(2).ToString("yyyy-MM-dd'T'HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture);
        await page.InvokeAsync(() => page.FindAll("form input")[1].Change(end));
        await page.InvokeAsync(() => page.FindAll("form input")[2].Change("Holidays"));

        await _context.SubmitTwiceAsync(page);

        page.WaitForAssertion(() => Assert.Equal(["Holidays"], page.FindAll(".freezes strong").Select(reason => reason.TextContent)));
        Assert.Empty(page.FindAll("form"));
    }

    [Fact]
    public async Task Environments_Limit_IsShownChangedAndLifted()
    {
        await _context.AddAppAsync("web");
        var page = _context.Render<EnvironmentsPage>();
        page.WaitForAssertion(() => Assert.Equal("no limit", page.Find("input[type=number]").GetAttribute("placeholder")));

        await page.InvokeAsync(() => page.Find("input[type=number]").Change("0"));
        page.WaitForAssertion(() => Assert.Contains("1 to 256", page.Find(".environment .wrong").TextContent, StringComparison.Ordinal));
        Assert.Null(await LimitAsync());

        await page.InvokeAsync(() => page.Find("input[type=number]").Change("2"));
        page.WaitForAssertion(() => Assert.Equal("2", page.Find("input[type=number]").GetAttribute("value")));
        Assert.Equal("", page.Find(".environment .wrong").TextContent);
        Assert.Equal(2, await LimitAsync());

        await page.InvokeAsync(() => page.Find("input[type=number]").Change(""));
        page.WaitForAssertion(() => Assert.Equal("Any number of deployments may run in production at a time.", _context.Snackbar.ShownSnackbars.Last().Message));
        Assert.Null(await LimitAsync());
    }

    [Fact]
    public async Task Environments_ViewerOfALimitedOne_ReadsTheLimit()
    {
        await _context.AddAppAsync("web");
        var owner = await _context.Services.GetRequiredService<ICurrentActor>().GetAsync(TestContext.Current.CancellationToken);
        await _context.Services.GetRequiredService<EnvironmentBook>().ChangeAsync(owner, "production", new EnvironmentChange { MaxConcurrent = 3 }, TestContext.Current.CancellationToken);
        _context.Role = AccessRole.Viewer;

        var page = _context.Render<EnvironmentsPage>();

        page.WaitForAssertion(() => Assert.Contains("At most 3 run at a time.", page.Find(".environment").TextContent, StringComparison.Ordinal));
        Assert.Empty(page.FindAll(".environment input"));
    }

    [Fact]
    public async Task Environments_Viewer_IsOfferedNothingThatChanges()
    {
        _context.Services.AddSingleton<ICurrentActor>(new Viewer());
        await _context.AddAppAsync("web");

        var page = _context.Render<EnvironmentsPage>();

        page.WaitForAssertion(() => Assert.Equal("production", page.Find(".environment h2").TextContent));
        Assert.Empty(page.FindAll("button, input"));
        Assert.Empty(page.FindAll(".engine"));
        await Assert.ThrowsAsync<AccessDeniedException>(() => _context.Services.GetRequiredService<EnvironmentBook>()
            .ProtectAsync(Viewer.Actor, "production", true, TestContext.Current.CancellationToken));
    }

    private async Task<int?> LimitAsync() => Assert.Single(await _context.Services.GetRequiredService<EnvironmentBook>()
        .ListAsync(await _context.Services.GetRequiredService<ICurrentActor>().GetAsync(TestContext.Current.CancellationToken), TestContext.Current.CancellationToken)).MaxConcurrent;

    private sealed class Viewer : ICurrentActor
    {
        public static Actor Actor { get; } = new(ActorKind.Person, "2", "Vic", null, [new AccessGrant(AccessRole.Viewer, "production", null)]);

        public ValueTask<Actor> GetAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Actor);
    }
}
