using Bunit;
using Deployer.Core.Access;
using Deployer.Core.Data;
using Deployer.Core.Notifications;
using Deployer.Web.Components.Layout;
using Deployer.Web.Features.Audit;
using Deployer.Web.Features.People;
using Deployer.Web.Features.Tokens;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web.People;

public sealed class PeoplePageTests : IAsyncLifetime
{
    private readonly DashboardContext _context = new();

    public PeoplePageTests()
    {
        _context.Services.AddAccess();
        _context.Services.AddNotifications();
        _context.Services.AddScoped(services => services.GetRequiredService<IDbContextFactory<DeployerDb>>().CreateDbContext());
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Core.Access.People People => _context.Services.GetRequiredService<Core.Access.People>();

    private Invitations Invitations => _context.Services.GetRequiredService<Invitations>();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Theory]
    [InlineData(AccessRole.Viewer)]
    [InlineData(AccessRole.Deployer)]
    [InlineData(AccessRole.Admin)]
    public void TeamPages_NoOwner_AreNeitherOfferedNorShown(AccessRole role)
    {
        _context.Role = role;

        var nav = _context.Render<MainNav>();

        var offered = nav.FindAll("a.tab").Select(link => link.GetAttribute("href")).ToList();
        Assert.Contains("/activity", offered);
        Assert.DoesNotContain(Place.For(new Actor(ActorKind.Person, "1", "Ada", null, [new AccessGrant(role, null, null)])), place => place.Href is "/people" or "/tokens" or "/audit");
        Assert.Throws<AccessDeniedException>(() => _context.Render<PeoplePage>());
        Assert.Throws<AccessDeniedException>(() => _context.Render<PersonPage>(parameters => parameters.Add(page => page.Id, "1")));
        Assert.Throws<AccessDeniedException>(() => _context.Render<TokensPage>());
        Assert.Throws<AccessDeniedException>(() => _context.Render<AuditPage>());
    }

    [Fact]
    public void TeamPages_Owner_AreOffered()
    {
        var owner = new Actor(ActorKind.Person, "1", "Ada", null, [new AccessGrant(AccessRole.Owner, null, null)]);

        Assert.Subset(
            Place.For(owner).Select(place => place.Href).ToHashSet(StringComparer.Ordinal),
            new HashSet<string>(["/people", "/tokens", "/audit"], StringComparer.Ordinal));
    }

    [Fact]
    public void People_Nobody_LeadsToSignInSetUp()
    {
        var page = _context.Render<PeoplePage>();

        page.WaitForAssertion(() => Assert.Contains("Nobody has an account yet", page.Find(".blank").TextContent, StringComparison.Ordinal));
        Assert.Equal("/account/setup", page.Find(".blank a").GetAttribute("href"));
        Assert.Empty(page.FindAll("table"));
    }

    [Fact]
    public async Task People_RolesAndShutAccounts_AreShown()
    {
        var owner = await OwnerAsync();
        var vic = await JoinAsync("vic@example.com", AccessRole.Deployer, "staging");
        Assert.True((await People.DisableAsync(owner, vic, Cancel)).Done);
        var dora = await JoinAsync("dora@example.com", AccessRole.Viewer, environment: null);
        Assert.True((await People.GrantAsync(owner, dora, environment: null, role: null, Cancel)).Done);

        var page = _context.Render<PeoplePage>();

        page.WaitForAssertion(() => Assert.Equal(3, page.FindAll("tbody tr").Count));
        Assert.Equal(
            [
                "Olga Owner|Owner in every environment",
                "dora|no role: may do nothing",
                "vic|account shut, Deployer in staging",
            ],
            page.FindAll("tbody tr").Select(row => $"{row.QuerySelector("a")!.TextContent}|{string.Join(", ", row.Children[1].Children.Select(tag => tag.TextContent))}").Order(StringComparer.Ordinal));
        Assert.All(page.FindAll("tbody tr"), row => Assert.Equal("not signed in", row.Children[2].TextContent.Trim()));
        Assert.Equal($"/people/{vic}", page.FindAll("tbody a").Single(link => link.TextContent == "vic").GetAttribute("href"));
    }

    [Fact]
    public async Task Invite_LinkIsShownOnce_AndTheInvitationCanBeWithdrawn()
    {
        await OwnerAsync();
        var page = _context.Render<PeoplePage>();
        page.WaitForElement(".page-head button");
        await page.InvokeAsync(() => page.Find(".page-head button").Click());
        page.WaitForElement("form input[type=email]");
        await page.InvokeAsync(() => page.Find("form input[type=email]").Change("dora@example.com"));

        await page.InvokeAsync(() => page.Find("form").SubmitAsync());

        var link = page.WaitForElement(".copy input").GetAttribute("value")!;
        Assert.Contains("/account/invitation/", link, StringComparison.Ordinal);
        Assert.NotNull(await Invitations.FindAsync(link[(link.LastIndexOf('/') + 1)..], Cancel));
        Assert.Equal("Send this link to dora@example.com", page.Find("section.form h2").TextContent);

        await page.InvokeAsync(() => page.FindAll("button").Single(button => button.TextContent.Trim() == "Done").Click());
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("section.form")));
        Assert.DoesNotContain(link[(link.LastIndexOf('/') + 1)..], page.Markup, StringComparison.Ordinal);
        var open = page.FindAll("table")[1];
        Assert.Contains("dora@example.com", open.TextContent, StringComparison.Ordinal);
        Assert.Contains("Deployer in every environment", open.TextContent, StringComparison.Ordinal);

        await page.InvokeAsync(() => page.FindAll("table")[1].QuerySelector("button")!.Click());
        page.WaitForAssertion(() => Assert.Single(page.FindAll("table")));
        Assert.Contains("its link is dead", Assert.Single(_context.Snackbar.ShownSnackbars).Message, StringComparison.Ordinal);
        Assert.Null(await Invitations.FindAsync(link[(link.LastIndexOf('/') + 1)..], Cancel));
    }

    [Fact]
    public async Task Invite_PressedTwice_InvitesOnce()
    {
        await OwnerAsync();
        var page = _context.Render<PeoplePage>();
        page.WaitForElement(".page-head button");
        await page.InvokeAsync(() => page.Find(".page-head button").Click());
        page.WaitForElement("form input[type=email]");
        await page.InvokeAsync(() => page.Find("form input[type=email]").Change("dora@example.com"));

        await _context.SubmitTwiceAsync(page);

        page.WaitForElement(".copy input");
        Assert.Single(await Invitations.ListAsync(await ActorAsync(), Cancel));
    }

    [Theory]
    [InlineData("nonsense", "name@example.com")]
    [InlineData("olga@example.com", "has an account")]
    public async Task Invite_WrongAddress_SaysWhyAndMakesNoLink(string email, string says)
    {
        await OwnerAsync();
        var page = _context.Render<PeoplePage>();
        page.WaitForElement(".page-head button");
        await page.InvokeAsync(() => page.Find(".page-head button").Click());
        page.WaitForElement("form input[type=email]");
        await page.InvokeAsync(() => page.Find("form input[type=email]").Change(email));

        await page.InvokeAsync(() => page.Find("form").SubmitAsync());

        page.WaitForAssertion(() => Assert.Contains(says, page.Find(".mud-input-helper-text.mud-input-error").TextContent, StringComparison.Ordinal));
        Assert.Empty(page.FindAll(".copy"));
        Assert.Empty(await Invitations.ListAsync(await ActorAsync(), Cancel));
    }

    [Fact]
    public void Person_Unknown_SaysSo()
    {
        var page = _context.Render<PersonPage>(parameters => parameters.Add(person => person.Id, "nobody"));

        page.WaitForAssertion(() => Assert.Equal("There is no such person", page.Find("h1").TextContent));
    }

    [Fact]
    public async Task Person_RoleGrantedAndTaken_IsShown()
    {
        await OwnerAsync();
        var dora = await JoinAsync("dora@example.com", AccessRole.Viewer, "staging");
        var page = _context.Render<PersonPage>(parameters => parameters.Add(person => person.Id, dora));
        page.WaitForAssertion(() => Assert.Equal(["Viewer in staging"], Roles(page)));

        await page.InvokeAsync(() => page.Find("form.grant").SubmitAsync());
        page.WaitForAssertion(() => Assert.Equal(["Deployer in every environment", "Viewer in staging"], Roles(page)));

        await page.InvokeAsync(() => page.Find("button[aria-label='Take away Viewer in staging']").Click());
        page.WaitForAssertion(() => Assert.Equal(["Deployer in every environment"], Roles(page)));
        Assert.Contains("Not signed in anywhere", page.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Person_LastOwner_KeepsTheRoleAndSaysWhy()
    {
        await OwnerAsync();
        var olga = Assert.Single(await People.ListAsync(await ActorAsync(), Cancel)).Id;
        var page = _context.Render<PersonPage>(parameters => parameters.Add(person => person.Id, olga));
        page.WaitForElement("button[aria-label='Take away Owner in every environment']");
        await page.InvokeAsync(() => page.Find("button[aria-label='Take away Owner in every environment']").Click());

        page.WaitForAssertion(() => Assert.Contains("last owner", page.Find("[role=alert]").TextContent, StringComparison.Ordinal));
        Assert.Equal(["Owner in every environment"], Roles(page));
    }

    [Fact]
    public async Task Person_Removed_IsAskedFirstAndGone()
    {
        await OwnerAsync();
        var dora = await JoinAsync("dora@example.com", AccessRole.Viewer, "staging");
        var dialogs = _context.Render<MudDialogProvider>();
        var page = _context.Render<PersonPage>(parameters => parameters.Add(person => person.Id, dora));
        page.WaitForElement(".page-head button");
        await page.InvokeAsync(() => page.Find(".page-head button").Click());
        dialogs.WaitForAssertion(() => Assert.Contains("stays in the audit log", dialogs.Markup, StringComparison.Ordinal));
        Assert.NotNull(await People.FindAsync(await ActorAsync(), dora, Cancel));

        await dialogs.InvokeAsync(() => dialogs.FindAll("button").Single(button => button.TextContent.Trim() == "Remove dora").Click());

        page.WaitForAssertion(() => Assert.EndsWith("/people", _context.Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal));
        Assert.Null(await People.FindAsync(await ActorAsync(), dora, Cancel));
    }

    private static IEnumerable<string> Roles(IRenderedComponent<PersonPage> page) => page.FindAll(".part .row strong")
        .Select(role => $"{role.TextContent}{role.NextSibling!.TextContent}".Trim());

    private ValueTask<Actor> ActorAsync() => _context.Services.GetRequiredService<ICurrentActor>().GetAsync(Cancel);

    private async Task<Actor> OwnerAsync()
    {
        Assert.True((await People.CreateOwnerAsync(new NewPerson("olga@example.com", "Olga Owner", "violet harbour kettle 47"), "127.0.0.1", Cancel)).Done);
        return await ActorAsync();
    }

    private async Task<string> JoinAsync(string email, AccessRole role, string? environment)
    {
        var made = await Invitations.InviteAsync(await ActorAsync(), email, role, environment, Cancel);
        var change = await Invitations.AcceptAsync(made!.Key, email.Split('@')[0], "violet harbour kettle 47", "192.0.2.7", Cancel);
        Assert.Empty(change.Errors);
        return change.PersonId!;
    }
}
