using System.Net;
using System.Security.Claims;
using Deployer.Core.Access;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using NodaTime;

namespace Deployer.Tests.Security;

/// <summary>What lasts, pages and streams, ends when whoever looks may not any more: at once in this process, soon in another.</summary>
public sealed class StandingAccessTests : IAsyncLifetime
{
    // What should end and does not would be waited for without end.
    private const int LongestWait = 120_000;

    private static readonly Actor Founder = new(ActorKind.Deployer, "founder", "Founder", null, [new AccessGrant(AccessRole.Owner, null, null)]);

    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private GuardedServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = new GuardedServer(new Dictionary<string, string>(StringComparer.Ordinal), _time);
        await _server.InitializeAsync();
        await _server.AddPersonAsync(AccessRole.Owner, environment: null, "Olga", Cancellation);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact(Timeout = LongestWait)]
    public async Task Stream_OfARevokedToken_EndsAtOnce()
    {
        var stream = await OpenAsync(await CallerAsync());

        await using (var db = await _server.DbAsync(Cancellation))
        {
            var id = await db.Set<ApiToken>().MaxAsync(token => token.Id, Cancellation);
            Assert.True(await _server.Services.GetRequiredService<ApiTokens>().RevokeAsync(Founder, id, Cancellation));
        }

        Assert.DoesNotContain("\"complete\":true", await stream.ReadToEndAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact(Timeout = LongestWait)]
    public async Task Stream_OfAToken_ThatAnotherProcessRevoked_OrThatExpires_EndsWithinAMinute()
    {
        var caller = await CallerAsync();
        await using (var db = await _server.DbAsync(Cancellation))
        {
            var revoked = await OpenAsync(caller);
            await db.Set<ApiToken>().Where(token => token.CreatedBy == "test")
                .ExecuteUpdateAsync(set => set.SetProperty(token => token.RevokedAt, Instant.FromUnixTimeSeconds(1)), Cancellation);
            _time.Advance(TimeSpan.FromMinutes(1));
            await revoked.ReadToEndAsync(Cancellation);

            var soon = Instant.FromDateTimeOffset(_time.GetUtcNow()) + Duration.FromSeconds(10);
            await db.Set<ApiToken>().Where(token => token.CreatedBy == "test").ExecuteUpdateAsync(
                set => set.SetProperty(token => token.RevokedAt, (Instant?)null).SetProperty(token => token.ExpiresAt, soon), Cancellation);
        }

        var expiring = await OpenAsync(caller);
        _time.Advance(TimeSpan.FromMinutes(1));
        await expiring.ReadToEndAsync(Cancellation);
    }

    [Fact(Timeout = LongestWait)]
    public async Task Stream_OfAnEndedSession_AndOfATakenRole_EndsAtOnce()
    {
        var (id, email) = await _server.AddPersonAsync(AccessRole.Viewer, "staging", "Anna", Cancellation);
        var caller = new Caller(AccessRole.Viewer, "staging", null, ByCookie: true) { Proof = await _server.SignInAsync(email, Cancellation) };
        var first = await OpenAsync(caller);
        await _server.Services.GetRequiredService<Core.Access.People>().GrantAsync(Founder, id, "staging", role: null, Cancellation);
        await first.ReadToEndAsync(Cancellation);

        await _server.Services.GetRequiredService<Core.Access.People>().GrantAsync(Founder, id, "staging", AccessRole.Viewer, Cancellation);
        var second = await OpenAsync(caller);
        await _server.Services.GetRequiredService<Sessions>().EndAllAsync(Founder, id, Cancellation);
        await second.ReadToEndAsync(Cancellation);
    }

    [Fact(Timeout = LongestWait)]
    public async Task Wait_OfARevokedToken_IsAnsweredAtOnce()
    {
        var caller = await CallerAsync();
        var target = await _server.AddTargetAsync("staging", Cancellation);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/deployments/{target.Deployment}/logs?wait=60");
        caller.Sign(request);
        var asked = _server.Client.SendAsync(request, Cancellation);

        // Whether it waits already or only comes in, it is refused; and the clock stands still.
        await using (var db = await _server.DbAsync(Cancellation))
        {
            var id = await db.Set<ApiToken>().MaxAsync(token => token.Id, Cancellation);
            await _server.Services.GetRequiredService<ApiTokens>().RevokeAsync(Founder, id, Cancellation);
        }

        using var response = await asked;
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact(Timeout = LongestWait)]
    public async Task Page_OfAnEndedSession_IsSignedOut_AtOnceOrWithinAMinuteOfAnotherProcess()
    {
        var (id, _) = await _server.AddPersonAsync(AccessRole.Viewer, environment: null, "Anna", Cancellation);
        var sessions = _server.Services.GetRequiredService<Sessions>();

        // In this process the session's end is announced, and no time passes.
        await using (var page = await OpenPageAsync(id))
        {
            await sessions.EndAllAsync(Founder, id, Cancellation);
            await page.SignedOut.WaitAsync(Cancellation);
        }

        // In another it is not, and the page asks by itself.
        await using (var page = await OpenPageAsync(id))
        {
            await using (var db = await _server.DbAsync(Cancellation))
            {
                await db.Set<Session>().Where(session => session.PersonId == id).ExecuteDeleteAsync(Cancellation);
            }

            Assert.False(page.SignedOut.IsCompleted);
            _time.Advance(TimeSpan.FromMinutes(1));
            await page.SignedOut.WaitAsync(Cancellation);
        }

        // A shut account, too; and one that goes on is left alone for as long as it goes on.
        await using (var page = await OpenPageAsync(id))
        {
            for (var minute = 0; minute < 10; minute++)
            {
                _time.Advance(TimeSpan.FromMinutes(1));
                await page.AskAsync();
            }

            Assert.False(page.SignedOut.IsCompleted);
            Assert.True((await _server.Services.GetRequiredService<Core.Access.People>().DisableAsync(Founder, id, Cancellation)).Done);
            await page.SignedOut.WaitAsync(Cancellation);
        }
    }

    private async Task<Caller> CallerAsync() => new(AccessRole.Viewer, "staging", null, ByCookie: false)
    {
        Proof = await _server.AddTokenAsync(AccessRole.Viewer, "staging", app: null, Cancellation),
    };

    /// <summary>Opens the stream of a deployment that waits, and reads its first event.</summary>
    private async Task<StreamReader> OpenAsync(Caller caller)
    {
        var target = await _server.AddTargetAsync("staging", Cancellation);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/deployments/{target.Deployment}/logs/stream");
        caller.Sign(request);
        var response = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        Assert.Equal("event: status", await reader.ReadLineAsync(Cancellation));
        return reader;
    }

    private async Task<OpenPage> OpenPageAsync(string personId)
    {
        var sessions = _server.Services.GetRequiredService<Sessions>();
        await sessions.OpenAsync(new SessionDraft(personId, [1], "192.0.2.7", "Browser"), Cancellation);
        var session = (await sessions.ListAsync(Founder, personId, Cancellation))[0];
        return new OpenPage(_server.Services.CreateAsyncScope(), new ClaimsPrincipal(new ClaimsIdentity(
            [
                new Claim(ClaimTypes.NameIdentifier, personId), new Claim(DeployerClaims.Kind, nameof(ActorKind.Person)),
                new Claim(DeployerClaims.Session, session.Id.ToString()),
            ],
            "test")));
    }

    /// <summary>What a circuit knows of its person, with the services of the real one.</summary>
    private sealed class OpenPage : IAsyncDisposable
    {
        private readonly AsyncServiceScope _scope;
        private readonly RevalidatedState _state;
        private readonly TaskCompletionSource _signedOut = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public OpenPage(AsyncServiceScope scope, ClaimsPrincipal user)
        {
            _scope = scope;
            _state = (RevalidatedState)scope.ServiceProvider.GetRequiredService<AuthenticationStateProvider>();
            ((ServerAuthenticationStateProvider)_state).SetAuthenticationState(Task.FromResult(new AuthenticationState(user)));
            _state.AuthenticationStateChanged += async changed =>
            {
                if ((await changed).User.Identity?.IsAuthenticated is not true)
                {
                    _signedOut.TrySetResult();
                }
            };
        }

        /// <summary>Ends when the person is signed out here.</summary>
        public Task SignedOut => _signedOut.Task;

        public Task AskAsync() => _state.RevalidateAsync();

        public ValueTask DisposeAsync() => _scope.DisposeAsync();
    }
}
