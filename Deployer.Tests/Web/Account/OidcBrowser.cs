using System.Net;
using Deployer.Tests.Security;
using Deployer.Web.Features.Security;

namespace Deployer.Tests.Web.Account;

/// <summary>A browser at an installation: keeps cookies, and follows redirects one by one, so that a test sees each.</summary>
internal sealed class OidcBrowser : IDisposable
{
    private readonly CookieContainer _cookies = new();
    private readonly HttpClient _http;

    public OidcBrowser(GuardedServer server) =>
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = _cookies }) { BaseAddress = server.Client.BaseAddress };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Whether somebody is signed in.</summary>
    public bool IsIn => _cookies.GetCookies(_http.BaseAddress!).Any(cookie => cookie.Name == SessionCookie.Name);

    /// <summary>Presses the button of the sign-in page.</summary>
    /// <returns>Where the browser is sent: an address of the provider.</returns>
    public Task<Uri> BeginAsync(string back) => FollowAsync(new Uri($"/account/external?return={Uri.EscapeDataString(back)}", UriKind.Relative));

    /// <summary>Presses the button and does what the provider wants.</summary>
    /// <returns>Where the browser ends up.</returns>
    public async Task<string> SignInAsync()
    {
        var callback = await FollowAsync(await BeginAsync("/activity"));
        return (await FollowAsync(callback)).OriginalString;
    }

    /// <summary>Goes somewhere and is sent on.</summary>
    public async Task<Uri> FollowAsync(Uri address)
    {
        using var response = await _http.GetAsync(address, Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.Redirect, $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(Cancellation)}");
        return response.Headers.Location!;
    }

    /// <summary>What stands on a page.</summary>
    public Task<string> ReadAsync(string address) => _http.GetStringAsync(address, Cancellation);

    /// <summary>The status of an answer.</summary>
    public async Task<HttpStatusCode> AskAsync(string address)
    {
        using var response = await _http.GetAsync(address, Cancellation);
        return response.StatusCode;
    }

    public void Dispose() => _http.Dispose();
}
