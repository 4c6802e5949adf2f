using System.Net.Http.Headers;
using System.Net.Http.Json;
using Deployer.Core.Access;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Deployer.Tests.Fakes;

/// <summary>An owned installation, and callers of it with the roles that a test wants.</summary>
internal sealed class Team(ServerFixture server)
{
    public const string Password = "violet harbour kettle 47";

    private static readonly Actor Founder =
        new(ActorKind.Deployer, "founder", "Founder", null, [new AccessGrant(AccessRole.Owner, null, null)]);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Makes the first owner, once per server, and gives a caller with a token of the owner's rights.</summary>
    public async Task<HttpClient> OwnerAsync()
    {
        await server.Services.GetRequiredService<People>().CreateOwnerAsync(
            new NewPerson("olga@example.com", "Olga Owner", Password), "127.0.0.1", Cancellation);
        return await TokenAsync(AccessRole.Owner, environment: null, app: null);
    }

    /// <summary>A caller with a token.</summary>
    public async Task<HttpClient> TokenAsync(AccessRole role, string? environment, string? app)
    {
        var made = await server.Services.GetRequiredService<ApiTokens>().CreateAsync(
            Founder, new ApiTokenDraft($"{role} of {environment ?? "all"}", role, environment, app, Duration.FromDays(1)), Cancellation);
        return Bearing(made.Token);
    }

    /// <summary>A caller that shows a token.</summary>
    public HttpClient Bearing(string token)
    {
        var client = new HttpClient { BaseAddress = server.Client.BaseAddress };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    /// <summary>Makes a person by invitation.</summary>
    /// <returns>The person's id.</returns>
    public async Task<string> JoinAsync(string email, AccessRole role, string? environment)
    {
        var invitations = server.Services.GetRequiredService<Invitations>();
        var invitation = await invitations.InviteAsync(Founder, email, role, environment, Cancellation);
        var change = await invitations.AcceptAsync(invitation!.Key, email.Split('@')[0], Password, "192.0.2.7", Cancellation);
        Assert.Empty(change.Errors);
        return change.PersonId!;
    }

    /// <summary>A caller with a cookie jar of its own, as a browser has.</summary>
    public HttpClient Browser()
    {
        var browser = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = server.Client.BaseAddress };
        browser.DefaultRequestHeaders.Add("Sec-Fetch-Site", "same-origin");
        return browser;
    }

    /// <summary>A browser in which somebody signed in.</summary>
    public async Task<HttpClient> SignInAsync(string email)
    {
        var browser = Browser();
        using var response = await SignInAsync(browser, email, Password);
        Assert.Equal("/", response.Headers.Location?.OriginalString);
        return browser;
    }

    /// <summary>Fills the sign-in form and sends it.</summary>
    public static async Task<HttpResponseMessage> SignInAsync(HttpClient browser, string email, string password) =>
        await PostAsync(browser, "/account/sign-in", "/account/sign-in", ("email", email), ("password", password), ("return", "/"));

    /// <summary>Opens a page with a form and sends the form with the antiforgery token that stands on it.</summary>
    public static async Task<HttpResponseMessage> PostAsync(HttpClient browser, string page, string action, params (string Name, string Value)[] fields)
    {
        var html = await browser.GetStringAsync(page, Cancellation);
        const string Name = "name=\"__RequestVerificationToken\" value=\"";
        var start = html.IndexOf(Name, StringComparison.Ordinal) + Name.Length;
        var token = html[start..html.IndexOf('"', start)];
        using var form = new FormUrlEncodedContent(
            fields.Append(("__RequestVerificationToken", token)).Select(field => KeyValuePair.Create(field.Item1, field.Item2)));
        return await browser.PostAsync(action, form, Cancellation);
    }
}
