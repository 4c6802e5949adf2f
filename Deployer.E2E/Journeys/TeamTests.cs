using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Deployer.Core.Access;
using Deployer.E2E.Hosting;
using Deployer.Tests.Web.Account;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Deployer.E2E.Journeys;

/// <summary>An owner sets up, invites, makes tokens and revokes; everybody may what they may, and not a moment longer.</summary>
public sealed class TeamTests(Browser browser) : Journey(browser)
{
    private const string Password = "violet harbour kettle 47";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Team_InvitedLimitedAndRevoked_SeesItAtOnce()
    {
        var dashboard = Keep(Dashboard.Start());
        var app = await dashboard.AddAppAsync("web", Settings.Image("web:v1"));
        var deployment = await dashboard.DeployAsync(app);
        await dashboard.FollowAsync(deployment);

        // The first visit from the machine itself makes the owner.
        var owner = await OpenAsync(dashboard);
        await owner.GoToAsync("/");
        await owner.Page.GetByRole(AriaRole.Link, new() { Name = "Set up sign-in" }).ClickAsync();
        await owner.Page.GetByLabel("Your name").FillAsync("Olga Owner");
        await owner.Page.GetByLabel("E-mail address").FillAsync("olga@example.com");
        await owner.Page.GetByLabel("Password").FillAsync(Password);
        await owner.Page.GetByRole(AriaRole.Button, new() { Name = "Become the owner" }).ClickAsync();
        await Expect(owner.Page.Locator("a.who")).ToHaveTextAsync("Olga Owner");

        // She invites a viewer, and the link is there to be sent.
        await owner.GoToAsync("/people");
        await owner.Page.GetByRole(AriaRole.Button, new() { Name = "Invite somebody" }).ClickAsync();
        await owner.Page.GetByLabel("E-mail address").FillAsync("vera@example.com");
        await ChooseAsync(owner.Page, "Role", "Viewer");
        await owner.ScreenshotAsync("people-inviting-desktop-light");
        await owner.Page.GetByRole(AriaRole.Button, new() { Name = "Make the link" }).ClickAsync();
        var link = await owner.Page.GetByLabel("Invitation link").InputValueAsync();
        await owner.ScreenshotAsync("people-invited-desktop-light");
        await owner.Page.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(owner.Page.GetByRole(AriaRole.Cell, new() { Name = "vera@example.com", Exact = true })).ToBeVisibleAsync();

        // Vera joins in a browser of her own, looks, and may not press.
        var vera = await OpenAsync(dashboard);
        await vera.Page.GotoAsync(link);
        await vera.Page.GetByLabel("Your name").FillAsync("Vera Viewer");
        await vera.Page.GetByLabel("Password").FillAsync(Password);
        await vera.Page.GetByRole(AriaRole.Button, new() { Name = "Make my account" }).ClickAsync();
        await Expect(vera.Page.Locator("a.who")).ToHaveTextAsync("Vera Viewer");
        await Expect(vera.Page.GetByRole(AriaRole.Link, new() { Name = "People" })).ToHaveCountAsync(0);
        await vera.Page.GotoAsync("/people");
        await Expect(vera.Page.Locator("h1").First).ToHaveTextAsync("Not allowed");

        // Both look at the deployment, and each sees the other; a comment of one reaches the other.
        await owner.GoToAsync($"/deployments/{deployment}");
        await vera.GoToAsync($"/deployments/{deployment}");
        await Expect(owner.Page.Locator(".viewers")).ToContainTextAsync("Vera Viewer");
        await Expect(vera.Page.Locator(".viewers")).ToContainTextAsync("Olga Owner");
        await vera.Page.GetByRole(AriaRole.Button, new() { Name = "Comment", Exact = true }).ClickAsync();
        await vera.Page.Locator(".comments form").GetByLabel("Line").FillAsync("3");
        await vera.Page.Locator(".comments form").GetByLabel("Comment").FillAsync("Is this <b>the</b> right image?");
        await vera.Page.GetByRole(AriaRole.Button, new() { Name = "Pin it" }).ClickAsync();
        await Expect(owner.Page.GetByText("Is this <b>the</b> right image?")).ToBeVisibleAsync();

        // The line has a sign in its gutter, which the keyboard reaches and which leads to the comment.
        var sign = owner.Page.Locator(".viewport").GetByRole(AriaRole.Button, new() { Name = "1 comment on line 3" });
        await owner.Page.Locator(".comments li a").ClickAsync();
        await Expect(sign).ToBeVisibleAsync();
        await owner.LookAsync("deployment-comments");
        await sign.FocusAsync();
        await owner.Page.Keyboard.PressAsync("Enter");
        await Expect(owner.Page.Locator(".comments li a")).ToBeFocusedAsync();
        await Expect(owner.Page.Locator(".viewport .row[data-line='4'] .c")).ToHaveCountAsync(0);
        await vera.Page.GetByRole(AriaRole.Button, new() { Name = "Remove the comment of Vera Viewer on line 3" }).ClickAsync();
        await Expect(sign).ToHaveCountAsync(0);

        // The owner ends her sessions: the open page is shut at once, not at its next click.
        await owner.GoToAsync("/people");
        await owner.Page.GetByRole(AriaRole.Link, new() { Name = "Vera Viewer", Exact = true }).ClickAsync();
        await owner.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out everywhere" }).ClickAsync();
        await Expect(owner.Page.GetByText("Not signed in anywhere.")).ToBeVisibleAsync();
        await Expect(vera.Page.Locator("h1").First).ToHaveTextAsync("You may not see this");
        await vera.Page.GotoAsync("/");
        await Expect(vera.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/account/sign-in"));
    }

    [Fact]
    public async Task Token_MadeOnThePage_WorksUntilItIsRevokedThere()
    {
        var dashboard = Keep(Dashboard.Start());
        var window = await OpenAsync(dashboard);
        await SignInAsOwnerAsync(dashboard, window);
        await window.GoToAsync("/tokens");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Make a token" }).ClickAsync();
        await window.Page.GetByLabel("Name").FillAsync("CI of the shop");
        await ChooseAsync(window.Page, "Role", "Viewer");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Make it" }).ClickAsync();
        var token = await window.Page.GetByLabel("Token", new() { Exact = true }).InputValueAsync();
        await window.ScreenshotAsync("tokens-made-desktop-light");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();

        using var program = new HttpClient { BaseAddress = dashboard.Address };
        program.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        Assert.Equal("token CI of the shop", (await program.GetFromJsonAsync<JsonElement>("/api/me", Cancellation)).GetProperty("name").GetString());

        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Revoke CI of the shop" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Revoke it" }).ClickAsync();
        await Expect(window.Page.GetByText("No tokens")).ToBeVisibleAsync();
        using var refused = await program.GetAsync("/api/me", Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);

        await window.GoToAsync("/audit?text=CI of the shop");
        await Expect(window.Page.Locator("tbody tr").First).ToContainTextAsync("token.revoked");
    }

    [Fact]
    public async Task Forms_SubmittedAgainBeforeTheAnswer_DoItOnce()
    {
        var dashboard = Keep(Dashboard.StartWithoutRunner());
        var window = await OpenAsync(dashboard);
        var page = window.Page;
        await SignInAsOwnerAsync(dashboard, window);

        await window.GoToAsync("/tokens");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make a token" }).ClickAsync();
        await page.GetByLabel("Name").FillAsync("CI of the shop");
        await SubmitTwiceAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);

        await window.GoToAsync("/people");
        await page.GetByRole(AriaRole.Button, new() { Name = "Invite somebody" }).ClickAsync();
        await page.GetByLabel("E-mail address").FillAsync("vera@example.com");
        await SubmitTwiceAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Cell, new() { Name = "vera@example.com", Exact = true })).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Passkey_AddedAndUsed_SignsInWithoutAPassword()
    {
        var dashboard = Keep(Dashboard.Start());
        var window = await OpenAsync(dashboard);
        await window.Page.GotoAsync(await InviteAsync(dashboard));
        var devtools = await window.Page.Context.NewCDPSessionAsync(window.Page);
        await devtools.SendAsync("WebAuthn.enable");
        await devtools.SendAsync("WebAuthn.addVirtualAuthenticator", new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["options"] = new
            {
                protocol = "ctap2",
                transport = "internal",
                hasResidentKey = true,
                hasUserVerification = true,
                isUserVerified = true,
                automaticPresenceSimulation = true,
            },
        });
        await window.Page.GetByLabel("Your name").FillAsync("Petra");
        await window.Page.GetByLabel("Password").FillAsync(Password);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Make my account" }).ClickAsync();
        await window.Page.GotoAsync(At(dashboard, "/account"));
        await window.Page.GetByLabel("Name of the passkey").FillAsync("Laptop");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Add a passkey" }).ClickAsync();
        await Expect(window.Page.GetByText("The passkey is added.")).ToBeVisibleAsync();
        await window.ScreenshotAsync("account-passkey-desktop-light");

        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out", Exact = true }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in with a passkey" }).ClickAsync();
        await Expect(window.Page.Locator("a.who")).ToHaveTextAsync("Petra");

        // Removed, it opens nothing any more.
        await window.Page.GotoAsync(At(dashboard, "/account"));
        await window.Page.GetByText("Laptop").Locator("..").GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
        await Expect(window.Page.GetByText("The passkey is removed.")).ToBeVisibleAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out", Exact = true }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in with a passkey" }).ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not known here");
    }

    [Fact]
    public async Task Pages_OfTheTeam_AreAccessible()
    {
        var dashboard = Keep(Dashboard.Start());
        var person = "";
        var faults = new List<string>();
        foreach (var look in new[] { Look.Desktop, Look.DarkPhone })
        {
            var window = await OpenAsync(dashboard, look);
            if (person.Length == 0)
            {
                await SignInAsOwnerAsync(dashboard, window);
                await FillAsync(dashboard);
                await window.GoToAsync("/people");
                await window.Page.GetByRole(AriaRole.Link, new() { Name = "Olga Owner", Exact = true }).ClickAsync();
                await Expect(window.Page.Locator("h1").First).ToHaveTextAsync("Olga Owner");
                person = new Uri(window.Page.Url).PathAndQuery;
            }
            else
            {
                await SignInAsync(window);
            }

            foreach (var (name, address) in new[]
            {
                ("people", "/people"), ("person", person), ("tokens", "/tokens"), ("audit", "/audit"), ("audit-nothing", "/audit?text=nowhere"), ("account", "/account"), ("denied", "/account/denied"),
            })
            {
                await window.Page.GotoAsync(address);
                await Expect(window.Page.Locator("h1").First).ToBeVisibleAsync(new() { Timeout = 30_000 });
                if (name is "people" or "tokens" or "audit")
                {
                    await Expect(window.Page.Locator("tbody tr").First).ToBeVisibleAsync();
                }

                faults.AddRange(await window.FaultsAsync(name));
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Fact]
    public async Task SignIn_ThroughTheOrganisationsSystem_LeadsWhereOneWanted()
    {
        await using var system = await OidcProvider.StartAsync();
        var dashboard = Keep(Dashboard.StartWithoutRunner(system.Settings()));
        var made = await dashboard.Services.GetRequiredService<People>().CreateOwnerAsync(
            new NewPerson("olga@example.com", "Olga Owner", Password), "127.0.0.1", Cancellation);
        Assert.Empty(made.Errors);
        var window = await OpenAsync(dashboard);
        await window.Page.GotoAsync("/people");
        await window.LookAsync("sign-in-organisation");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in with Example Login" }).ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("did not let you in, or you turned back");
        var phone = await OpenAsync(dashboard, Look.DarkPhone);
        await phone.Page.GotoAsync("/account/sign-in?problem=unknown");
        await phone.LookAsync("sign-in-unknown");
        await window.LookAsync("sign-in-refused");

        system.Person = new("olga-1", "olga@example.com", EmailVerified: true, "Olga at the organisation");
        await window.Page.GotoAsync("/people");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in with Example Login" }).ClickAsync();

        await Expect(window.Page.Locator("a.who")).ToHaveTextAsync("Olga Owner", new() { Timeout = 30_000 });
        await Expect(window.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/people$"));
        await window.Page.GotoAsync("/account");
        await Expect(window.Page.GetByText("You can also sign in with Example Login.")).ToBeVisibleAsync();
        await window.ScreenshotAsync("account-linked-desktop-light");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out", Exact = true }).ClickAsync();
        await Expect(window.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/account/sign-in"));
    }

    // Passkeys belong to a name: an address of numbers has none.
    private static string At(Dashboard dashboard, string path) => $"http://localhost:{dashboard.Address.Port}{path}";

    private static async Task<string> InviteAsync(Dashboard dashboard)
    {
        using var response = await dashboard.Api.PostAsJsonAsync("/api/invitations", new { email = "petra@example.com", role = "owner" }, Cancellation);
        var json = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        return At(dashboard, new Uri(json.GetProperty("link").GetString()!).PathAndQuery);
    }

    private static async Task SignInAsOwnerAsync(Dashboard dashboard, Window window)
    {
        var made = await dashboard.Services.GetRequiredService<People>().CreateOwnerAsync(
            new NewPerson("olga@example.com", "Olga Owner", Password), "127.0.0.1", Cancellation);
        Assert.Empty(made.Errors);
        await SignInAsync(window);
    }

    private static async Task SignInAsync(Window window)
    {
        await window.Page.GotoAsync("/account/sign-in");
        await window.Page.GetByLabel("E-mail address").FillAsync("olga@example.com");
        await window.Page.GetByLabel("Password").FillAsync(Password);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await Expect(window.Page.Locator(".shell h1").First).ToBeVisibleAsync(new() { Timeout = 30_000 });
    }

    private static async Task FillAsync(Dashboard dashboard)
    {
        var actor = new Actor(ActorKind.Deployer, "founder", "Olga Owner", "192.0.2.17", [new AccessGrant(AccessRole.Owner, null, null)]);
        var invitations = dashboard.Services.GetRequiredService<Invitations>();
        foreach (var (email, role, environment) in new[] { ("vera@example.com", AccessRole.Viewer, null), ("dora.with-a-long-name@subsidiary.example.com", AccessRole.Deployer, "staging") })
        {
            var invitation = await invitations.InviteAsync(actor, email, role, environment, Cancellation);
            Assert.True((await invitations.AcceptAsync(invitation!.Key, email.Split('@')[0], Password, "192.0.2.7", Cancellation)).Done);
        }

        await invitations.InviteAsync(actor, "ada@example.com", AccessRole.Admin, "production", Cancellation);
        var tokens = dashboard.Services.GetRequiredService<ApiTokens>();
        await tokens.CreateAsync(actor, new ApiTokenDraft("CI of the shop", AccessRole.Deployer, "staging", null, NodaTime.Duration.FromDays(90)), Cancellation);
        await tokens.CreateAsync(actor, new ApiTokenDraft("Backup of the logs, every night", AccessRole.Viewer, null, null, null), Cancellation);
    }

    // As a press too many does, which the browser sends before it hears what came of the first. A field tells what stands
    // in it when it is left.
    private static async Task SubmitTwiceAsync(IPage page)
    {
        await page.Keyboard.PressAsync("Tab");
        await page.Locator("main form").EvaluateAsync("form => { form.requestSubmit(); form.requestSubmit(); }");
    }

    private static async Task ChooseAsync(IPage page, string label, string option)
    {
        await page.Locator(".mud-input-control", new() { HasText = label }).Locator("[role=combobox], .mud-input-slot").First.ClickAsync();
        await page.Locator(".mud-popover-open").GetByText(option, new() { Exact = true }).ClickAsync();
    }
}
