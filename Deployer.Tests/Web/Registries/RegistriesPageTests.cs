using AngleSharp.Dom;
using Bunit;
using Deployer.Core.Registries;
using Deployer.Web.Features.Registries;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web.Registries;

public sealed class RegistriesPageTests : IAsyncLifetime
{
    private readonly DashboardContext _context = new();

    private RegistryBook Book => _context.Services.GetRequiredService<RegistryBook>();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public async Task Registries_AddedTestedChangedAndRemoved_NeverShowThePassword()
    {
        var dialogs = _context.Render<MudDialogProvider>();
        var page = _context.Render<RegistriesPage>();
        page.WaitForAssertion(() => Assert.Contains("No registry with credentials", page.Markup, StringComparison.Ordinal));
        await page.InvokeAsync(() => Button(page, "Add a registry").Click());
        await page.InvokeAsync(() => page.Find("form").SubmitAsync());
        Assert.Contains("Name the registry's host", page.Find("[role=alert]").TextContent, StringComparison.Ordinal);

        await WriteAsync(page, "registry.test:5000", "ann", "s3ntinel");
        await page.InvokeAsync(() => Button(page, "Test").ClickAsync(new()));
        Assert.Contains("takes the credentials of ann", page.Find(".outcome").TextContent, StringComparison.Ordinal);
        await page.InvokeAsync(() => page.Find("form").SubmitAsync());

        page.WaitForAssertion(() => Assert.Equal("registry.test:5000", page.Find(".host").TextContent));
        Assert.DoesNotContain("s3ntinel", page.Markup, StringComparison.Ordinal);
        await page.InvokeAsync(() => page.Find("[aria-label='Test registry.test:5000']").ClickAsync(new()));
        Assert.Contains("takes the credentials of ann", page.Find(".told").TextContent, StringComparison.Ordinal);

        await page.InvokeAsync(() => page.Find("[aria-label='Change registry.test:5000']").ClickAsync(new()));
        Assert.Equal(["registry.test:5000", "ann", ""], page.FindAll("form input").Select(input => input.GetAttribute("value") ?? ""));
        await page.InvokeAsync(() => Button(page, "Cancel").ClickAsync(new()));

        var press = page.InvokeAsync(() => page.Find("[aria-label='Remove registry.test:5000']").ClickAsync(new()));
        dialogs.WaitForAssertion(() => Assert.Contains("Forget the credentials", dialogs.Markup, StringComparison.Ordinal));
        await dialogs.InvokeAsync(() => dialogs.FindAll("button").Single(button => button.TextContent.Trim() == "Forget them").ClickAsync(new()));
        await press;
        page.WaitForAssertion(() => Assert.Contains("No registry with credentials", page.Markup, StringComparison.Ordinal));
        Assert.Empty(await Book.ListAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("http://registry.test", "ann", "is no registry host")]
    [InlineData("registry.test", "a:b", "has no colon")]
    public async Task Registries_WrongCredentials_AreNotStored(string host, string user, string why)
    {
        var page = _context.Render<RegistriesPage>();
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll("button")));
        await page.InvokeAsync(() => Button(page, "Add a registry").Click());
        await WriteAsync(page, host, user, "secret");

        await page.InvokeAsync(() => page.Find("form").SubmitAsync());

        Assert.Contains(why, page.Find("[role=alert]").TextContent, StringComparison.Ordinal);
        Assert.Empty(await Book.ListAsync(TestContext.Current.CancellationToken));
    }

    private static async Task WriteAsync(IRenderedComponent<RegistriesPage> page, params string[] texts)
    {
        for (var index = 0; index < texts.Length; index++)
        {
            await page.InvokeAsync(() => page.FindAll("form input")[index].Change(texts[index]));
        }
    }

    private static IElement Button(IRenderedComponent<RegistriesPage> page, string text) =>
        page.FindAll("button").First(button => button.TextContent.Trim() == text);
}
