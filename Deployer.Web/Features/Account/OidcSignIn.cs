using System.Security.Claims;
using System.Text.Json;
using Deployer.Core.Access;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Deployer.Web.Features.Account;

/// <summary>
/// Signs people in through the organisation's sign-in system: OpenID Connect Core 1.0, code flow with PKCE (RFC 7636).
/// The framework's handler keeps state and nonce and checks the token; what comes after is ours.
/// </summary>
internal sealed partial class OidcSignIn(IOptions<OidcOptions> settings, ILogger<OidcSignIn> logger) : IConfigureNamedOptions<OpenIdConnectOptions>
{
    /// <summary>Name of the scheme.</summary>
    public const string Scheme = "Oidc";

    private const string CallbackPath = ExternalSignIn.Path + "/callback";

    // Signed with the system's private key. A signature by the client's secret (HS256) would be one that we could make, too.
    private static readonly string[] Algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    /// <summary>Registers it, where the settings name a system.</summary>
    public static void Register(WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<OidcOptions>().BindConfiguration(OidcOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<OidcOptions>, OidcSettingsCheck>();
        builder.Services.AddSingleton(provider =>
            new ExternalSignIn(provider.GetRequiredService<IOptions<OidcOptions>>().Value is { IsSet: true } set ? set.Name : null));
        if (string.IsNullOrWhiteSpace(builder.Configuration[$"{OidcOptions.Section}:{nameof(OidcOptions.Authority)}"]))
        {
            return;
        }

        builder.Services.AddSingleton<IConfigureOptions<OpenIdConnectOptions>, OidcSignIn>();
        builder.Services.AddAuthentication().AddOpenIdConnect(Scheme, _ => { });
    }

    /// <summary>Sends the browser to the system.</summary>
    /// <returns>Why it cannot be sent there; <see langword="null"/> when it is on its way.</returns>
    public static async Task<string?> GoAsync(HttpContext context, string back)
    {
        try
        {
            await context.ChallengeAsync(Scheme, new AuthenticationProperties { RedirectUri = back });
            return null;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException && !context.RequestAborted.IsCancellationRequested)
        {
            LogUnreachable(context.RequestServices.GetRequiredService<ILogger<OidcSignIn>>(), OneLine(exception));
            return ExternalSignIn.Unreachable;
        }
    }

    /// <inheritdoc/>
    public void Configure(OpenIdConnectOptions options)
    {
    }

    /// <inheritdoc/>
    public void Configure(string? name, OpenIdConnectOptions options)
    {
        if (!string.Equals(name, Scheme, StringComparison.Ordinal))
        {
            return;
        }

        var oidc = settings.Value;
        options.Authority = oidc.Authority;
        options.ClientId = oidc.ClientId;
        options.ClientSecret = oidc.ReadSecret();
        options.RequireHttpsMetadata = !new Uri(oidc.Authority!).IsLoopback;
        options.BackchannelTimeout = TimeSpan.FromSeconds(oidc.TimeoutSeconds);
        options.DisableTelemetry = true;
        options.ResponseType = OpenIdConnectResponseType.Code;
        options.ResponseMode = OpenIdConnectResponseMode.Query;
        options.UsePkce = true;
        options.SaveTokens = false;
        options.GetClaimsFromUserInfoEndpoint = true;
        options.MapInboundClaims = false;
        options.ClaimActions.Clear();
        options.TokenValidationParameters.ValidAlgorithms = Algorithms;
        options.Scope.Clear();
        foreach (var scope in oidc.EachScope)
        {
            options.Scope.Add(scope);
        }

        // Sessions are ended here, by us; nobody else's request ends one.
        options.CallbackPath = CallbackPath;
        options.RemoteSignOutPath = PathString.Empty;
        options.SignedOutCallbackPath = PathString.Empty;

        // The answer comes as a link that the browser follows: Lax lets the cookies through, also without TLS on loopback.
        options.CorrelationCookie.SameSite = options.NonceCookie.SameSite = SameSiteMode.Lax;
        options.CorrelationCookie.SecurePolicy = options.NonceCookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        options.CorrelationCookie.Name = "deployer-oidc-state.";
        options.NonceCookie.Name = "deployer-oidc-nonce.";

        options.Events.OnMessageReceived = LimitAsync;
        options.Events.OnUserInformationReceived = TakeEmailAsync;
        options.Events.OnTicketReceived = EnterAsync;
        options.Events.OnAccessDenied = denied =>
        {
            denied.HandleResponse();
            Refuse(denied.HttpContext, ExternalSignIn.Denied);
            return Task.CompletedTask;
        };
        options.Events.OnRemoteFailure = RefuseAsync;
    }

    /// <summary>Each answer makes us ask the system: nobody shall make us ask without end.</summary>
    private static Task LimitAsync(MessageReceivedContext received)
    {
        var context = received.HttpContext;
        if (!context.RequestServices.GetRequiredService<RateLimits>().MayTryFrom(SignInFlow.Address(context)))
        {
            received.HandleResponse();
            Refuse(context, ExternalSignIn.TooOften);
        }

        return Task.CompletedTask;
    }

    /// <summary>
    /// Takes address, verification and name from the system's user info where the token has none. Address and verification
    /// come from one and the same answer, so that none is called verified by the other.
    /// </summary>
    private static Task TakeEmailAsync(UserInformationReceivedContext received)
    {
        var identity = (ClaimsIdentity)received.Principal!.Identity!;
        var answer = received.User.RootElement;
        if (!identity.HasClaim(claim => claim.Type == "email"))
        {
            foreach (var claim in identity.FindAll("email_verified").ToList())
            {
                identity.RemoveClaim(claim);
            }

            Take("email");
            Take("email_verified");
        }

        if (!identity.HasClaim(claim => claim.Type == "name"))
        {
            Take("name");
        }

        return Task.CompletedTask;

        void Take(string name)
        {
            if (answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty(name, out var value)
                && value.ValueKind is JsonValueKind.String or JsonValueKind.True or JsonValueKind.False)
            {
                identity.AddClaim(new Claim(name, value.ToString()));
            }
        }
    }

    private async Task EnterAsync(TicketReceivedContext received)
    {
        var context = received.HttpContext;
        var user = received.Principal!;
        received.HandleResponse();

        // Some systems write the truth as a text: "true".
        var identity = new ExternalIdentity(
            user.FindFirstValue("iss") ?? throw new InvalidOperationException("The token has no issuer."),
            user.FindFirstValue("sub") ?? throw new InvalidOperationException("The token has no subject."),
            user.FindFirstValue("email"),
            string.Equals(user.FindFirstValue("email_verified"), "true", StringComparison.OrdinalIgnoreCase),
            user.FindFirstValue("name"));
        var flow = context.RequestServices.GetRequiredService<SignInFlow>();
        var fault = await flow.WithExternalAsync(context, identity, settings.Value);
        if (fault == ExternalFault.None)
        {
            context.Response.Redirect(AccountEndpoints.Local(received.ReturnUri));
        }
        else
        {
            Refuse(context, ExternalSignIn.Code(fault));
        }
    }

    private Task RefuseAsync(RemoteFailureContext failure)
    {
        // Without the question that it answers, or with that of another browser: nothing else of the answer was looked at.
        var isStale = failure.Failure is AuthenticationFailureException { InnerException: null };
        LogFailed(logger, settings.Value.Name, failure.Failure is { } reason ? OneLine(reason) : "unknown");
        failure.HandleResponse();
        Refuse(failure.HttpContext, isStale ? ExternalSignIn.Stale : ExternalSignIn.Failed);
        return Task.CompletedTask;
    }

    private static void Refuse(HttpContext context, string problem) =>
        context.Response.Redirect($"{Refusals.SignInPath}?problem={problem}");

    /// <summary>The reason in one line: it may hold words of the system, or of whoever plays it.</summary>
    private static string OneLine(Exception exception)
    {
        var text = $"{exception.GetType().Name}: {exception.Message}";
        return string.Concat(text.Take(500).Select(character => char.IsControl(character) ? ' ' : character));
    }

    [LoggerMessage(LogLevel.Warning, "A sign-in through {System} was refused. {Reason}")]
    private static partial void LogFailed(ILogger logger, string system, string reason);

    [LoggerMessage(LogLevel.Warning, "The sign-in system of Auth:Oidc:Authority cannot be used. {Reason}")]
    private static partial void LogUnreachable(ILogger logger, string reason);
}
