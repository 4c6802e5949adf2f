using Bunit;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Web.Components.Layout;
using Deployer.Web.Features.Palette;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Tests.Web.Palette;

public sealed class PaletteTests : IAsyncLifetime
{
    private static readonly Actor Ada = new(ActorKind.Person, "1", "Ada", null, [new AccessGrant(AccessRole.Owner, null, null)]);
    private static readonly Actor Vic = new(ActorKind.Person, "2", "Vic", null, [new AccessGrant(AccessRole.Viewer, null, null)]);

    private readonly DashboardContext _context = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Theory]
    [InlineData("web", new[] { "web", "Deploy web…", "Restore web…", "web-admin", "Deploy web-admin…", "Restore web-admin…", "shop-web", "Deploy shop-web…", "Search all logs for “web”" })]
    [InlineData("deploy shop", new[] { "Deploy shop-web…", "Search all logs for “deploy shop”" })]
    [InlineData("rest adm", new[] { "Restore web-admin…", "Search all logs for “rest adm”" })]
    [InlineData("registr", new[] { "Registries", "Search all logs for “registr”" })]
    [InlineData(" no such thing ", new[] { "Search all logs for “no such thing”" })]
    public void Find_Words_GivesTheNearestFirst(string text, string[] entries) =>
        Assert.Equal(entries, PaletteIndex.Find(text, Overview(Ada), Place.All).Select(entry => entry.Text));

    [Fact]
    public void Find_Nothing_OffersPages() =>
        Assert.Equal(Place.All.Select(place => place.Name), PaletteIndex.Find("", Overview(Ada), Place.All).Take(Place.All.Count).Select(entry => entry.Text));

    [Fact]
    public void Find_Viewer_IsOfferedNothingThatTheyMayNot() =>
        Assert.Equal(["web", "web-admin", "shop-web"], PaletteIndex.Find("web", Overview(Vic), []).Select(entry => entry.Text));

    [Fact]
    public async Task Palette_ArrowsAndEnter_ChooseAndGo()
    {
        await _context.AddAppAsync("api");
        await _context.AddAppAsync("app");
        var palette = _context.Render<CommandPalette>();
        await palette.InvokeAsync(palette.Instance.OpenedAsync);

        await palette.InvokeAsync(() => palette.Find("input").InputAsync(new() { Value = "open ap" }));
        Assert.Equal(["api", "app"], palette.FindAll("[role=option] .clip").Take(2).Select(option => option.TextContent));
        Assert.Equal("palette-0", palette.Find("input").GetAttribute("aria-activedescendant"));
        await palette.InvokeAsync(() => palette.Find("input").KeyDownAsync(new KeyboardEventArgs { Key = "ArrowDown" }));
        Assert.Equal("app", palette.Find("[aria-selected=true] .clip").TextContent);
        await palette.InvokeAsync(() => palette.Find("input").KeyDownAsync(new KeyboardEventArgs { Key = "Enter" }));

        Assert.EndsWith("/apps/app", _context.Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal);
    }

    private static Overview Overview(Actor actor) => new(
        [.. new[] { "shop-web", "web", "web-admin" }.Select(name => new AppOverview(
            name, "production", AppState.Running, "x:v1", [], new Serving(1, 1, "x:v1", null, []), [], null))],
        actor);
}
