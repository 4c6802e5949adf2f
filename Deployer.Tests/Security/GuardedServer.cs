using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Tests.Fakes;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Deployer.Tests.Security;

/// <summary>An app in an environment and a deployment of it that waits in the queue.</summary>
internal sealed record Target(string App, string Environment, long Deployment);

/// <summary>
/// The whole of Deployer on Kestrel with an owner, so that nobody comes in without proof. Nothing runs deployments, so
/// that those in the queue stay there.
/// </summary>
public sealed partial class GuardedServer : IAsyncLifetime
{
    /// <summary>The owner's API token.</summary>
    public const string OwnerToken = "a-bootstrap-token-of-more-than-32-characters";

    private const string Password = "violet harbour kettle 47";

    private readonly Server _server;

    /// <summary>One with the settings of an installation.</summary>
    public GuardedServer()
        : this(new Dictionary<string, string>(StringComparer.Ordinal))
    {
    }

    /// <summary>One with further settings.</summary>
    internal GuardedServer(IReadOnlyDictionary<string, string> settings)
        : this(settings, TimeProvider.System)
    {
    }

    /// <summary>One whose clock the test turns.</summary>
    internal GuardedServer(IReadOnlyDictionary<string, string> settings, TimeProvider time) => _server = new Server(settings, time);

    /// <summary>What the server has logged, as it would stand in its log.</summary>
    internal CapturedLog Log => _server.Log;

    /// <summary>Calls the server with nothing but what a test adds: it keeps no cookies and follows no redirects.</summary>
    public HttpClient Client { get; private set; } = null!;

    /// <summary>The server's services.</summary>
    public IServiceProvider Services => _server.Services;

    /// <summary>The directory of its database and keys.</summary>
    public string DataDirectory => _server.DataDirectory;

    /// <inheritdoc/>
    public ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(_server.DataDirectory);
        _server.UseKestrel(0);
        _server.StartServer();
        using var probe = _server.CreateClient();
        Client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,

            // A body that the server is asked for first is not sent before it has answered, however long that takes.
            Expect100ContinueTimeout = Timeout.InfiniteTimeSpan,
        })
        { BaseAddress = probe.BaseAddress };
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _server.DisposeAsync();
        Directory.Delete(_server.DataDirectory, recursive: true);
    }

    /// <summary>Adds an app to an environment and queues a deployment of it.</summary>
    internal async Task<Target> AddTargetAsync(string environment, CancellationToken cancellationToken)
    {
        var name = ServerFixture.NewName();
        var saved = await Services.GetRequiredService<AppCatalog>().AddAsync(
            new AppDraft { Name = name, Image = "web:v1", Environment = environment }, cancellationToken);
        Assert.IsType<AppChange.Saved>(saved);
        var queued = await Services.GetRequiredService<DeploymentQueue>().EnqueueAsync(
            name, new DeploymentRequest(null, null, "somebody else", null), cancellationToken);
        return new Target(name, environment, Assert.IsType<EnqueueResult.Queued>(queued).Deployment.Id);
    }

    /// <summary>Makes an API token.</summary>
    public async Task<string> AddTokenAsync(AccessRole role, string? environment, string? app, CancellationToken cancellationToken)
    {
        var token = AccessKey.Create(ApiTokens.Prefix);
        await using var db = await DbAsync(cancellationToken);
        db.Add(new ApiToken
        {
            Name = $"{role} {environment} {app}",
            Hash = AccessKey.Hash(token),
            Prefix = token[..8],
            Role = role,
            Environment = environment,
            App = app,
            CreatedBy = "test",
            CreatedAt = Instant.FromUnixTimeSeconds(0),
        });
        await db.SaveChangesAsync(cancellationToken);
        return token;
    }

    /// <summary>Makes a person.</summary>
    /// <returns>The person's id and e-mail address.</returns>
    public async Task<(string Id, string Email)> AddPersonAsync(AccessRole role, string? environment, string displayName, CancellationToken cancellationToken)
    {
        await using var scope = Services.CreateAsyncScope();
        var email = $"{Guid.NewGuid():N}@example.com";
        var person = new Person { UserName = email, Email = email, DisplayName = displayName, CreatedAt = Instant.FromUnixTimeSeconds(0) };
        var result = await scope.ServiceProvider.GetRequiredService<UserManager<Person>>().CreateAsync(person, Password);
        Assert.True(result.Succeeded, string.Join(' ', result.Errors.Select(error => error.Description)));
        await using var db = await DbAsync(cancellationToken);
        db.Add(new PersonGrant { PersonId = person.Id, Role = role, Environment = environment });
        await db.SaveChangesAsync(cancellationToken);
        return (person.Id, email);
    }

    /// <summary>Signs a person in by the form, as a browser does.</summary>
    /// <returns>What the browser sends in <c>Cookie</c> from then on.</returns>
    public async Task<string> SignInAsync(string email, CancellationToken cancellationToken)
    {
        using var page = await Client.GetAsync("/account/sign-in", cancellationToken);
        var form = HiddenField().Match(await page.Content.ReadAsStringAsync(cancellationToken)).Groups["value"].Value;
        var formCookie = Cookies(page);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/account/sign-in")
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["__RequestVerificationToken"] = form,
                ["email"] = email,
                ["password"] = Password,
            }),
        };
        request.Headers.Add("Cookie", formCookie);
        using var response = await Client.SendAsync(request, cancellationToken);
        Assert.True(response.StatusCode == System.Net.HttpStatusCode.Redirect, await response.Content.ReadAsStringAsync(cancellationToken));
        return $"{formCookie}; {Cookies(response)}";
    }

    /// <summary>A request with the owner's token.</summary>
    public static HttpRequestMessage ByOwner(HttpMethod method, string address)
    {
        var request = new HttpRequestMessage(method, address);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", OwnerToken);
        return request;
    }

    /// <summary>A context of the database.</summary>
    public Task<DeployerDb> DbAsync(CancellationToken cancellationToken) =>
        Services.GetRequiredService<IDbContextFactory<DeployerDb>>().CreateDbContextAsync(cancellationToken);

    private static string Cookies(HttpResponseMessage response) =>
        string.Join("; ", response.Headers.GetValues("Set-Cookie").Select(cookie => cookie.Split(';')[0]));

    // <input type="hidden" name="__RequestVerificationToken" value="CfDJ8…" />
    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"(?<value>[^\"]+)\"", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex HiddenField();

    private sealed class Server(IReadOnlyDictionary<string, string> settings, TimeProvider time) : WebApplicationFactory<Program>
    {
        public CapturedLog Log { get; } = new();

        public string DataDirectory { get; } = Path.Combine(Path.GetTempPath(), $"deployer-guarded-{Guid.NewGuid():N}");

        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            builder.UseEnvironment("Development");
            builder.UseSetting("Roles", "web");
            builder.UseSetting("Data:Directory", DataDirectory);
            builder.UseSetting("Urls", "http://127.0.0.1:0");
            builder.UseSetting("Auth:BootstrapToken", OwnerToken);
            foreach (var (key, value) in settings)
            {
                builder.UseSetting(key, value);
            }

            builder.ConfigureLogging(logging => logging.ClearProviders().AddProvider(Log));
            builder.ConfigureTestServices(services =>
            {
                services.Replace(ServiceDescriptor.Singleton(time));
                services.AddSingleton<IStartupFilter>(new PlayedAddress());
                services.Replace(ServiceDescriptor.Singleton<IContainerEngine>(new QuietEngine()));
                services.Replace(ServiceDescriptor.Scoped<ICurrentActor>(
                    provider => new PlayedActor(provider.GetRequiredService<WebActor>())));

                // How slow a guess is has a test of its own; here people only have to come in.
                services.Configure<PasswordHasherOptions>(options => options.IterationCount = 1000);
            });
        }
    }
}

/// <summary>Lets a test play somebody where no request says who acts.</summary>
internal sealed class PlayedActor(ICurrentActor real) : ICurrentActor
{
    private static readonly AsyncLocal<Actor?> Role = new();

    /// <summary>Whom the test plays from here on.</summary>
    public static void Play(Actor actor) => Role.Value = actor;

    public ValueTask<Actor> GetAsync(CancellationToken cancellationToken) =>
        Role.Value is { } played ? ValueTask.FromResult(played) : real.GetAsync(cancellationToken);
}
