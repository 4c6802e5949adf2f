using System.Net;
using Deployer.Core.Access;
using Deployer.Core.Audit;
using Deployer.Tests.Fakes;
using Deployer.Web.Features.Security;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Deployer.Tests.Security;

/// <summary>Guessing passwords: at the sign-in and where a password is changed, by account, by address and over time.</summary>
public sealed class GuessingTests : IAsyncLifetime
{
    private const string Right = "violet harbour kettle 47";
    private const string TooOften = "too many attempts";
    private const string Refused = "password is wrong, or the account is shut or was tried too often";

    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private GuardedServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = new GuardedServer(new Dictionary<string, string>(StringComparer.Ordinal), _time);
        await _server.InitializeAsync();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Account_TriedOften_IsClosedForAMinute_FromEveryAddress_AndNoOther()
    {
        var (_, email) = await _server.AddPersonAsync(AccessRole.Viewer, environment: null, "Anna", Cancellation);
        var (_, another) = await _server.AddPersonAsync(AccessRole.Viewer, environment: null, "Ben", Cancellation);
        for (var attempt = 0; attempt < 5; attempt++)
        {
            Assert.Contains(Refused, await TryAsync(email, "wrong password", $"192.0.2.{attempt}"), StringComparison.Ordinal);
            Assert.Null(await TryAsync(email, Right, $"198.51.100.{attempt}"));
        }

        // Right, but the eleventh; capitals make no other account.
        Assert.Contains(TooOften, await TryAsync(email, Right, "203.0.113.1"), StringComparison.Ordinal);
        Assert.Contains(TooOften, await TryAsync(email.ToUpperInvariant(), Right, "203.0.113.1"), StringComparison.Ordinal);
        Assert.Null(await TryAsync(another, Right, "203.0.113.1"));

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(await TryAsync(email, Right, "203.0.113.1"));
    }

    [Fact]
    public async Task Address_WithManyAttempts_IsClosedForAMinute_ForEveryAccount_AndNoOtherAddress()
    {
        var (_, email) = await _server.AddPersonAsync(AccessRole.Viewer, environment: null, "Anna", Cancellation);
        for (var attempt = 0; attempt < 30; attempt++)
        {
            Assert.Contains(Refused, await TryAsync($"nobody-{attempt}@example.com", "wrong password", "192.0.2.1"), StringComparison.Ordinal);
        }

        Assert.Contains(TooOften, await TryAsync(email, Right, "192.0.2.1"), StringComparison.Ordinal);
        Assert.Null(await TryAsync(email, Right, "192.0.2.2"));

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(await TryAsync(email, Right, "192.0.2.1"));
    }

    [Fact]
    public async Task Account_AfterTenWrongPasswords_IsLockedForAQuarterOfAnHour()
    {
        var (id, email) = await _server.AddPersonAsync(AccessRole.Viewer, environment: null, "Anna", Cancellation);
        for (var attempt = 0; attempt < 10; attempt++)
        {
            Assert.Contains(Refused, await TryAsync(email, "wrong password", "192.0.2.1"), StringComparison.Ordinal);
        }

        // The limit of a minute is over, the lock is not; and nothing tells one from the other.
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Contains(Refused, await TryAsync(email, Right, "192.0.2.1"), StringComparison.Ordinal);
        Assert.Equal("tried too often", (await AuditAsync(email, AuditAction.SignInRefused))[0].Note);

        await EndLockAsync(id);
        Assert.Null(await TryAsync(email, Right, "192.0.2.1"));
    }

    [Fact]
    public async Task PasswordChange_CannotBeUsedToGuess()
    {
        var (id, email) = await _server.AddPersonAsync(AccessRole.Viewer, environment: null, "Anna", Cancellation);
        using var browser = Browser();
        using var other = Browser();
        Assert.Null(Error(await Team.SignInAsync(browser, email, Right)));
        Assert.Null(Error(await Team.SignInAsync(other, email, Right)));
        for (var attempt = 0; attempt < 8; attempt++)
        {
            Assert.Contains("it is another one", await ChangeAsync(browser, "wrong password", "another violet kettle 48"), StringComparison.Ordinal);
        }

        Assert.Contains(TooOften, await ChangeAsync(browser, Right, "another violet kettle 48"), StringComparison.Ordinal);

        // Two more in the next minute, and the account is locked here, too.
        _time.Advance(TimeSpan.FromMinutes(1));
        await ChangeAsync(browser, "wrong password", "another violet kettle 48");
        await ChangeAsync(browser, "wrong password", "another violet kettle 48");
        Assert.Contains("Wait a quarter of an hour", await ChangeAsync(browser, Right, "another violet kettle 48"), StringComparison.Ordinal);
        Assert.Equal(11, (await AuditAsync(email, AuditAction.SignInRefused)).Count);

        await EndLockAsync(id);
        Assert.Contains("Password", await ChangeAsync(browser, Right, "short"), StringComparison.Ordinal);
        Assert.Empty(await AuditAsync(email, AuditAction.PasswordChanged));
        Assert.Null(await ChangeAsync(browser, Right, "another violet kettle 48"));
        Assert.Single(await AuditAsync(email, AuditAction.PasswordChanged));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(browser));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(other));
    }

    [Fact]
    public async Task SignOut_IsWrittenDown_AndEndsThisSessionAlone()
    {
        var (_, email) = await _server.AddPersonAsync(AccessRole.Viewer, environment: null, "Anna", Cancellation);
        using var browser = Browser();
        using var other = Browser();
        await Team.SignInAsync(browser, email, Right);
        await Team.SignInAsync(other, email, Right);

        using var response = await Team.PostAsync(browser, "/account", "/account/sign-out");

        Assert.Equal("/account/sign-in", response.Headers.Location?.OriginalString);
        var entry = Assert.Single(await AuditAsync(email, AuditAction.SignedOut));
        Assert.Equal(("Anna", "127.0.0.1"), (entry.ActorName, entry.Address));
        Assert.Empty(await AuditAsync(email, AuditAction.SessionEnded));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(browser));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(other));
    }

    /// <summary>Moves the end of the lock to now: Identity reads the machine's clock, which no test turns.</summary>
    private async Task EndLockAsync(string id)
    {
        await using var db = await _server.DbAsync(Cancellation);
        var end = await db.People.Where(person => person.Id == id).Select(person => person.LockoutEnd).SingleAsync(Cancellation);
        Assert.InRange(end!.Value - TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(15));
        await db.People.Where(person => person.Id == id)
            .ExecuteUpdateAsync(set => set.SetProperty(person => person.LockoutEnd, end.Value - TimeSpan.FromMinutes(15)), Cancellation);
    }

    private HttpClient Browser()
    {
        var browser = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = _server.Client.BaseAddress };
        browser.DefaultRequestHeaders.Add("Sec-Fetch-Site", "same-origin");
        return browser;
    }

    /// <summary>Signs in from an address.</summary>
    /// <returns>The page that says why not; <see langword="null"/> for somebody who is in.</returns>
    private async Task<string?> TryAsync(string email, string password, string address)
    {
        using var browser = Browser();
        browser.DefaultRequestHeaders.Add(PlayedAddress.Header, address);
        using var response = await Team.SignInAsync(browser, email, password);
        return Error(response) is null ? null : await response.Content.ReadAsStringAsync(Cancellation);
    }

    private static string? Error(HttpResponseMessage response) => response.StatusCode == HttpStatusCode.Redirect
        && response.Headers.TryGetValues("Set-Cookie", out var cookies) && cookies.Any(cookie => cookie.StartsWith(SessionCookie.Name, StringComparison.Ordinal))
        ? null
        : $"{response.StatusCode}";

    private static async Task<string?> ChangeAsync(HttpClient browser, string now, string wanted)
    {
        using var response = await Team.PostAsync(browser, "/account", "/account/password", ("current", now), ("password", wanted));
        return response.StatusCode == HttpStatusCode.Redirect ? null : await response.Content.ReadAsStringAsync(Cancellation);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient browser)
    {
        using var response = await browser.GetAsync("/api/me", Cancellation);
        return response.StatusCode;
    }

    private Task<IReadOnlyList<AuditEntry>> AuditAsync(string email, string action) => _server.Services.GetRequiredService<AuditLog>().SearchAsync(
        AuditQuery.Everything with { Subject = AuditSubject.Person(email), Action = action }, 100, Cancellation);
}
