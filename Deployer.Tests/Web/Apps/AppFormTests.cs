using AngleSharp.Dom;
using Bunit;
using Deployer.Core.Apps;
using Deployer.Web.Features.Apps;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web.Apps;

public sealed class AppFormTests : IAsyncLifetime
{
    private readonly DashboardContext _context = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public void AddPage_Opened_ShowsNoErrors()
    {
        var page = _context.Render<AddAppPage>();

        Assert.Empty(page.FindAll(".mud-input-error"));
    }

    [Fact]
    public async Task AddPage_ImageWithUpperCase_ShowsTheBadPartBesideTheField()
    {
        var page = _context.Render<AddAppPage>();

        await WriteAsync(page, "Image", "registry.example.com/Team/web:v1");

        Assert.Contains("'T' at character 22", ErrorOf(page, "Image"), StringComparison.Ordinal);
        Assert.Equal("", ErrorOf(page, "Name"));
    }

    [Fact]
    public async Task AddPage_SubmittedEmpty_ShowsErrorsOfAllFieldsAndSavesNothing()
    {
        var page = _context.Render<AddAppPage>();

        await page.InvokeAsync(() => page.Find("form").Submit());

        Assert.Contains("missing", ErrorOf(page, "Name"), StringComparison.Ordinal);
        Assert.NotEqual("", ErrorOf(page, "Image"));
        Assert.Contains("another look", page.Find("[role=alert]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AddPage_ValidApp_IsSavedAndItsPageOpens()
    {
        var page = _context.Render<AddAppPage>();
        await WriteAsync(page, "Name", "web");
        await WriteAsync(page, "Image", "127.0.0.1:5000/web:v1");
        await page.InvokeAsync(() => Button(page, "Add a port").Click());
        await WriteAsync(page, "Container port", "8080");

        await page.InvokeAsync(() => page.Find("form").SubmitAsync());

        var saved = await _context.Catalog.FindAsync("web", Cancel);
        Assert.Equal("127.0.0.1:5000/web:v1", saved!.Spec.Image);
        Assert.Equal([new PortSpec(8080, 0)], saved.Spec.Ports);
        Assert.EndsWith("/apps/web", _context.Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AddPage_NameTaken_SaysSoBesideTheName()
    {
        await _context.AddAppAsync("web");
        var page = _context.Render<AddAppPage>();
        await WriteAsync(page, "Name", "web");
        await WriteAsync(page, "Image", "web:v1");

        await page.InvokeAsync(() => page.Find("form").SubmitAsync());

        Assert.Contains("already an app", ErrorOf(page, "Name"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AddPage_VariableTwice_IsRefused()
    {
        var page = _context.Render<AddAppPage>();
        await WriteAsync(page, "Name", "web");
        await WriteAsync(page, "Image", "web:v1");
        for (var row = 0; row < 2; row++)
        {
            await page.InvokeAsync(() => Button(page, "Add a variable").Click());
            await page.InvokeAsync(() => page.FindAll(".row.env")[row].QuerySelector("input")!.Change("MODE"));
        }

        await page.InvokeAsync(() => page.Find("form").SubmitAsync());

        Assert.Contains("MODE stands here more than once", page.Markup, StringComparison.Ordinal);
        Assert.Null(await _context.Catalog.FindAsync("web", Cancel));
    }

    [Fact]
    public async Task EditPage_SettingsThatTheFormDoesNotShow_Survive()
    {
        var draft = new AppDraft { Name = "web", Image = "web:v1", User = "1000", ReadOnlyRoot = true, Networks = ["shared"] };
        Assert.IsType<AppChange.Saved>(await _context.Catalog.AddAsync(draft, Cancel));
        var page = _context.Render<EditAppPage>(parameters => parameters.Add(edit => edit.Name, "web"));

        await WriteAsync(page, "Image", "web:v2");
        await page.InvokeAsync(() => page.Find("form").SubmitAsync());

        var saved = await _context.Catalog.FindAsync("web", Cancel);
        Assert.Equal("web:v2", saved!.Spec.Image);
        Assert.Equal(("1000", true), (saved.Spec.User, saved.Spec.ReadOnlyRoot));
        Assert.Equal(["shared"], saved.Spec.Networks);
    }

    [Fact]
    public void EditPage_NoSuchApp_SaysSo()
    {
        var page = _context.Render<EditAppPage>(parameters => parameters.Add(edit => edit.Name, "gone"));

        page.WaitForAssertion(() => Assert.Contains("There is no app “gone”", page.Find("h1").TextContent, StringComparison.Ordinal));
    }

    private static IElement Field<TPage>(IRenderedComponent<TPage> page, string label)
        where TPage : IComponent
    {
        var id = page.FindAll("label").First(found => found.TextContent == label).GetAttribute("for");
        return page.Find($"#{id}");
    }

    private static Task WriteAsync<TPage>(IRenderedComponent<TPage> page, string label, string text)
        where TPage : IComponent => page.InvokeAsync(() =>
        {
            var field = Field(page, label);
            if (field.HasAttribute("blazor:oninput"))
            {
                field.Input(text);
            }
            else
            {
                field.Change(text);
            }

            Field(page, label).Blur();
        });

    private static string ErrorOf<TPage>(IRenderedComponent<TPage> page, string label)
        where TPage : IComponent =>
        Field(page, label).Closest(".mud-input-control")!.QuerySelector(".mud-input-helper-text.mud-input-error")?.TextContent.Trim() ?? "";

    private static IElement Button<TPage>(IRenderedComponent<TPage> page, string text)
        where TPage : IComponent =>
        page.FindAll("button").Single(button => button.TextContent.Trim() == text);
}
