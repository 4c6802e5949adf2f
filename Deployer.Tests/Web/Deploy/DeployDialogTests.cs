using Bunit;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Environments;
using Deployer.Core.Secrets;
using Deployer.Web.Features.Deploy;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using NodaTime;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web.Deploy;

/// <summary>Both dialogs, opened as pages open them.</summary>
public sealed class DeployDialogTests : IAsyncLifetime
{
    private readonly DashboardContext _context = new();
    private IRenderedComponent<MudDialogProvider> _dialogs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private DeployLauncher Launcher => _context.Services.GetRequiredService<DeployLauncher>();

    private NavigationManager Navigation => _context.Services.GetRequiredService<NavigationManager>();

    public ValueTask InitializeAsync()
    {
        _dialogs = _context.Render<MudDialogProvider>();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public async Task Deploy_FirstTime_SaysSoAndQueuesTheChosenTagWithTheReason()
    {
        await _context.AddAppAsync("web");
        var done = await OpenAsync(launcher => launcher.DeployAsync("web"), "#deploy-tag");
        Assert.Contains("this is the first", _dialogs.Markup, StringComparison.Ordinal);

        await _dialogs.InvokeAsync(() => _dialogs.Find("#deploy-tag").InputAsync(new() { Value = "v2" }));
        await _dialogs.InvokeAsync(() => _dialogs.Find("#deploy-reason").InputAsync(new() { Value = " the release " }));
        await PressAsync("Deploy web");
        await done;

        Assert.EndsWith("/deployments/1", Navigation.Uri, StringComparison.Ordinal);
        var queued = await FindAsync(1);
        Assert.Equal(("web:v2", "the release", "Ada"), (queued.Image, queued.Reason, queued.RequestedBy));
    }

    [Fact]
    public async Task Deploy_BadTag_ShowsItBesideTheFieldAndQueuesNothing()
    {
        await _context.AddAppAsync("web");
        await OpenAsync(launcher => launcher.DeployAsync("web"), "#deploy-tag");

        await _dialogs.InvokeAsync(() => _dialogs.Find("#deploy-tag").InputAsync(new() { Value = "no tag" }));
        await PressAsync("Deploy web");

        Assert.Contains("A tag has letters", _dialogs.Find("#deploy-tag-error").TextContent, StringComparison.Ordinal);
        Assert.Equal("true", _dialogs.Find("#deploy-tag").GetAttribute("aria-invalid"));
        Assert.Null(await _context.Services.GetRequiredService<DeploymentReader>().FindAsync(1, Cancel));
    }

    [Fact]
    public async Task Deploy_SettingsChangedSinceWhatServes_ShowsTheDifferenceAndTheDowntime()
    {
        await _context.AddAppAsync("web");
        await ServeAsync("web");
        await _context.Catalog.ChangeAsync("web", new AppDraft
        {
            Name = "web",
            Image = "web:v2",
            MemoryMb = 64,
            Ports = [new PortDraft(80, 8080)],
        }, Cancel);

        await OpenAsync(launcher => launcher.DeployAsync("web"), ".changes");

        var changes = _dialogs.FindAll(".changes li").Select(line => string.Join(' ', line.TextContent.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
        Assert.Equal(
            ["Image was web:v1 (aaaaaaaaaaaa)→becomes web:v2", "Port becomes container 80, host 8080", "Memory (MiB) becomes 64"], changes);
        Assert.Contains("There will be downtime: only one container can hold host port 8080", _dialogs.Find(".note.warn").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_SameAsWhatServes_SaysThatNothingChangesAndThereIsNoDowntime()
    {
        await _context.AddAppAsync("web");
        await ServeAsync("web");

        await OpenAsync(launcher => launcher.DeployAsync("web"), ".note");

        Assert.Contains("the same as #1", _dialogs.Markup, StringComparison.Ordinal);
        Assert.Contains("No downtime", _dialogs.Find(".note.good").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_ImageWithoutTag_IsTheSameAsItsDefaultTag()
    {
        Assert.IsType<AppChange.Saved>(await _context.Catalog.AddAsync(new AppDraft { Name = "web", Image = "web" }, Cancel));
        await ServeAsync("web");

        await OpenAsync(launcher => launcher.DeployAsync("web"), "#deploy-tag");

        Assert.Equal("latest", _dialogs.Find("#deploy-tag").GetAttribute("value"));
        Assert.Empty(_dialogs.FindAll(".changes"));
        Assert.Contains("the same as #1", _dialogs.Markup, StringComparison.Ordinal);

        await _dialogs.InvokeAsync(() => _dialogs.Find("#deploy-tag").InputAsync(new() { Value = "v2" }));

        Assert.Contains("web:v2", _dialogs.Find(".changes").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_SecretCannotBeRead_SaysWhatToDo()
    {
        Assert.IsType<AppChange.Saved>(await _context.Catalog.AddAsync(new AppDraft { Name = "web", Image = "web:v1", Secrets = ["API_KEY"] }, Cancel));
        Assert.Equal(SecretChange.Saved, await _context.Services.GetRequiredService<SecretBook>().SetAsync("web", "API_KEY", "correct-horse-battery", Cancel));
        var otherKeys = new SecretVault(new EphemeralDataProtectionProvider()).Seal("app-secret", "correct-horse-battery");
        await using var db = _context.Bed.CreateDbContext();
        await db.Set<AppSecret>().ExecuteUpdateAsync(set => set.SetProperty(secret => secret.SealedValue, otherKeys), Cancel);

        await OpenAsync(launcher => launcher.DeployAsync("web"), ".deploy > p");

        Assert.Contains("store the secret again", _dialogs.Find(".deploy [role=alert]").TextContent, StringComparison.Ordinal);
        Assert.DoesNotContain("There is no app", _dialogs.Markup, StringComparison.Ordinal);
        Assert.Equal("Close", Assert.Single(_dialogs.FindAll(".mud-dialog-actions button")).TextContent.Trim());
    }

    [Fact]
    public async Task Deploy_ProtectedAndFrozen_WantsTheNameAReasonAndTheOverride()
    {
        await _context.AddAppAsync("web");
        await ProtectAndFreezeAsync();
        var done = await OpenAsync(launcher => launcher.DeployAsync("web"), "#deploy-name");
        Assert.Contains("Nobody is here", _dialogs.Find(".note.bad").TextContent, StringComparison.Ordinal);

        await PressAsync("Deploy web");
        Assert.Contains("say that this cannot wait", _dialogs.Markup, StringComparison.Ordinal);
        Assert.Equal("Type web to confirm.", _dialogs.Find("#deploy-name-error").TextContent);

        await _dialogs.InvokeAsync(() => _dialogs.Find(".check input").ChangeAsync(new() { Value = true }));
        await _dialogs.InvokeAsync(() => _dialogs.Find("#deploy-name").InputAsync(new() { Value = "wep" }));
        await PressAsync("Deploy web");
        Assert.Contains("Say why this cannot wait", _dialogs.Find("#deploy-reason-error").TextContent, StringComparison.Ordinal);
        Assert.Equal("Type web to confirm.", _dialogs.Find("#deploy-name-error").TextContent);

        await _dialogs.InvokeAsync(() => _dialogs.Find("#deploy-reason").InputAsync(new() { Value = "fire" }));
        await _dialogs.InvokeAsync(() => _dialogs.Find("#deploy-name").InputAsync(new() { Value = "web" }));
        await PressAsync("Deploy web");
        await done;
        Assert.Equal("fire", (await FindAsync(1)).Reason);
    }

    [Fact]
    public async Task Deploy_Viewer_IsToldWhichRoleItTakes()
    {
        await _context.AddAppAsync("web");
        _context.Role = AccessRole.Viewer;

        await OpenAsync(launcher => launcher.DeployAsync("web"), ".deploy > p");

        _dialogs.WaitForAssertion(() => Assert.Contains("Ask for the role deployer", _dialogs.Markup, StringComparison.Ordinal));
        Assert.DoesNotContain(_dialogs.FindAll("button"), button => button.TextContent.Contains("Deploy web", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Restore_EarlierOne_IsChosenShownAndBroughtBack()
    {
        await _context.AddAppAsync("web");
        var first = await ServeAsync("web");
        await _context.Catalog.ChangeAsync("web", new AppDraft { Name = "web", Image = "web:v2" }, Cancel);
        await ServeAsync("web");

        var done = await OpenAsync(launcher => launcher.RestoreAsync("web", deploymentId: null), ".changes");
        var checkedOne = Assert.Single(_dialogs.FindAll("input[name=restore-which]"), radio => radio.HasAttribute("checked"));
        Assert.Equal("1", checkedOne.GetAttribute("value"));
        Assert.Contains("serves now", _dialogs.FindAll(".choice")[0].TextContent, StringComparison.Ordinal);
        await PressAsync("Restore #1");
        await done;

        Assert.EndsWith("/deployments/3", Navigation.Uri, StringComparison.Ordinal);
        Assert.Equal(first, (await FindAsync(3)).RestoredFrom);
    }

    [Fact]
    public async Task Restore_NothingSucceededYet_SaysSo()
    {
        await _context.AddAppAsync("web");

        await OpenAsync(launcher => launcher.RestoreAsync("web", deploymentId: null), ".deploy > p");

        _dialogs.WaitForAssertion(() => Assert.Contains("nothing to go back to", _dialogs.Markup, StringComparison.Ordinal));
    }

    private async Task<Task> OpenAsync(Func<DeployLauncher, Task> open, string untilThere)
    {
        var done = Task.CompletedTask;
        await _dialogs.InvokeAsync(() => { done = open(Launcher); });
        _dialogs.WaitForAssertion(() => Assert.NotEmpty(_dialogs.FindAll(untilThere)));
        return done;
    }

    private Task PressAsync(string button) => _dialogs.InvokeAsync(() =>
        _dialogs.FindAll(".mud-dialog-actions button").Single(candidate => candidate.TextContent.Trim() == button).ClickAsync(new()));

    private async Task<DeploymentView> FindAsync(long id) =>
        (await _context.Services.GetRequiredService<DeploymentReader>().FindAsync(id, Cancel))!;

    /// <summary>Makes a deployment of the app the one that serves, as the runner would.</summary>
    private async Task<long> ServeAsync(string app)
    {
        var id = (await _context.EnqueueAsync(app)).Id;
        await _context.ChangeAsync(id, rows => rows.ExecuteUpdateAsync(set => set
            .SetProperty(row => row.Status, DeploymentStatus.Succeeded).SetProperty(row => row.Digest, "sha256:" + new string('a', 64)), Cancel));
        await using var db = _context.Bed.CreateDbContext();
        await db.Apps.Where(row => row.Name == app).ExecuteUpdateAsync(set => set.SetProperty(row => row.CurrentDeploymentId, id), Cancel);
        return id;
    }

    private async Task ProtectAndFreezeAsync()
    {
        var book = _context.Services.GetRequiredService<EnvironmentBook>();
        var actor = await _context.Services.GetRequiredService<ICurrentActor>().GetAsync(Cancel);
        var now = _context.Time.Now();
        await book.ProtectAsync(actor, AppValidation.DefaultEnvironment, protect: true, Cancel);
        await book.FreezeAsync(
            actor, AppValidation.DefaultEnvironment, new Interval(now - Duration.FromHours(1), now + Duration.FromHours(1)), "Nobody is here.", Cancel);
    }
}
