using AngleSharp.Dom;
using Bunit;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Audit;
using Deployer.Core.Secrets;
using Deployer.Web.Features.Secrets;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web.Secrets;

public sealed class SecretsPanelTests : IAsyncLifetime
{
    private const string Value = "correct-horse-battery";

    private readonly DashboardContext _context = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private SecretBook Book => _context.Services.GetRequiredService<SecretBook>();

    public async ValueTask InitializeAsync()
    {
        var draft = new AppDraft
        {
            Name = "web",
            Image = "web:v1",
            Env = new Dictionary<string, string?>(StringComparer.Ordinal) { ["MODE"] = "fast" },
            Secrets = ["API_KEY"],
        };
        Assert.IsType<AppChange.Saved>(await _context.Catalog.AddAsync(draft, Cancel));
    }

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public async Task Secrets_SetReplacedAndRemoved_ShowNamesAndNeverAValue()
    {
        var dialogs = _context.Render<MudDialogProvider>();
        var panel = Open();
        panel.WaitForAssertion(() => Assert.Contains("has no value: deployments fail", panel.Find(".names li").TextContent, StringComparison.Ordinal));

        await panel.InvokeAsync(() => Button(panel, "Set").Click());
        panel.WaitForElement("textarea");
        await panel.InvokeAsync(() => panel.Find("textarea").Input(Value));
        await panel.InvokeAsync(() => panel.Find("form").SubmitAsync());
        panel.WaitForAssertion(() => Assert.Contains("set", panel.Find(".names .when").TextContent, StringComparison.Ordinal));
        Assert.Equal("API_KEY is stored. The next deployment uses it.", Assert.Single(_context.Snackbar.ShownSnackbars).Message);
        Assert.DoesNotContain(Value, panel.Markup, StringComparison.Ordinal);
        Assert.Equal([Value], (await StoredAsync()).Values);

        // Opened again the field is empty: nobody reads a value back.
        await panel.InvokeAsync(() => Button(panel, "Replace").Click());
        Assert.Equal("", panel.WaitForElement("textarea").GetAttribute("value") ?? "");
        await panel.InvokeAsync(() => panel.Find("textarea").Input("another value"));
        await panel.InvokeAsync(() => panel.Find("form").SubmitAsync());
        panel.WaitForAssertion(() => Assert.Empty(panel.FindAll("form")));
        Assert.Equal(["another value"], (await StoredAsync()).Values);

        await panel.InvokeAsync(() => Button(panel, "Remove").Click());
        dialogs.WaitForAssertion(() => Assert.Contains("cannot be read back", dialogs.Markup, StringComparison.Ordinal));
        await dialogs.InvokeAsync(() => dialogs.FindAll("button").Single(button => button.TextContent.Trim() == "Remove API_KEY").Click());
        panel.WaitForAssertion(() => Assert.Contains("No secrets yet", panel.Find(".none").TextContent, StringComparison.Ordinal));
        Assert.Empty((await Book.ListAsync("web", Cancel))!);
        Assert.Equal(
            [AuditAction.SecretsRemoved, AuditAction.SecretsSet, AuditAction.SecretsSet],
            (await _context.Services.GetRequiredService<AuditGate>().SearchAsync(new AuditQuery(null, "secret", null, null, null, null, null), 10, Cancel)).Select(entry => entry.Action));
    }

    [Theory]
    [InlineData("1 BAD", "x", "A name begins with a letter or _")]
    [InlineData("MODE", "x", "MODE is among the variables in the clear")]
    [InlineData("GOOD", "", "Write the value")]
    public async Task NewSecret_Wrong_SaysWhatBesideTheField(string name, string value, string says)
    {
        var panel = Open();
        await panel.InvokeAsync(() => Button(panel, "Add a secret").Click());
        panel.WaitForElement("form input");
        await panel.InvokeAsync(() => panel.Find("form input").Input(name));
        await panel.InvokeAsync(() => panel.Find("textarea").Input(value));

        await panel.InvokeAsync(() => panel.Find("form").SubmitAsync());

        panel.WaitForAssertion(() => Assert.Contains(says, string.Concat(panel.FindAll(".wrong").Select(wrong => wrong.TextContent)), StringComparison.Ordinal));
        Assert.Null(Assert.Single((await Book.ListAsync("web", Cancel))!).UpdatedAt);
    }

    [Fact]
    public async Task NewSecret_NameThatIsStored_IsNotOverwritten()
    {
        await Book.SetAsync("web", "API_KEY", Value, Cancel);
        var panel = Open();
        await panel.InvokeAsync(() => Button(panel, "Add a secret").Click());
        panel.WaitForElement("form input");
        await panel.InvokeAsync(() => panel.Find("form input").Input("API_KEY"));
        await panel.InvokeAsync(() => panel.Find("textarea").Input("other"));

        await panel.InvokeAsync(() => panel.Find("form").SubmitAsync());

        panel.WaitForAssertion(() => Assert.Contains("replace its value instead", panel.Markup, StringComparison.Ordinal));
        Assert.Equal([Value], (await StoredAsync()).Values);
    }

    [Fact]
    public async Task Value_WhileTyped_IsMaskedUntilAsked()
    {
        var panel = Open();
        await panel.InvokeAsync(() => Button(panel, "Add a secret").Click());

        Assert.Contains("masked", panel.WaitForElement("textarea").ClassList);
        await panel.InvokeAsync(() => panel.Find("form input[type=checkbox]").Change(true));
        Assert.DoesNotContain("masked", panel.Find("textarea").ClassList);
    }

    private IRenderedComponent<SecretsPanel> Open()
    {
        var panel = _context.Render<SecretsPanel>(parameters => parameters.Add(secrets => secrets.App, "web"));
        panel.WaitForElement(".names");
        return panel;
    }

    private static IElement Button(IRenderedComponent<SecretsPanel> panel, string text) =>
        panel.FindAll("button").Single(button => button.TextContent.Trim() == text);

    private async Task<IReadOnlyDictionary<string, string>> StoredAsync()
    {
        await using var db = _context.Bed.CreateDbContext();
        var app = db.Apps.Single();
        return Book.OpenSnapshot(await Book.TakeSnapshotAsync(db, app.Id, app.Spec.Secrets, Cancel));
    }
}
