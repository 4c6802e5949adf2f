using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Deployer.Tests.Web.Account;

/// <summary>Somebody as the organisation's sign-in system knows them.</summary>
internal sealed record OidcPerson(string Subject, string? Email, bool? EmailVerified, string? Name)
{
    /// <summary>Whether the system says so in the token; else in its user info alone.</summary>
    public bool InToken { get; init; } = true;
}

/// <summary>
/// The sign-in system of an organisation: OpenIddict's server on Kestrel, at which whoever <see cref="Person"/> names is
/// signed in. It demands PKCE, the client's secret and the registered address, as a careful one does.
/// </summary>
internal sealed class OidcProvider : IAsyncDisposable
{
    public const string ClientId = "deployer";
    public const string ClientSecret = "the-secret-that-deployer-has-there";

    private readonly WebApplication _app;
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly SigningCredentials _signing;

    private OidcProvider()
    {
        _signing = new SigningCredentials(new RsaSecurityKey(_rsa) { KeyId = "the-key" }, SecurityAlgorithms.RsaSha256);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Services.AddOpenIddict().AddServer(Configure);
        _app = builder.Build();
    }

    /// <summary>Whoever is signed in there; nobody, who then turns back, when <see langword="null"/>.</summary>
    public OidcPerson? Person { get; set; }

    /// <summary>Makes another identity token of the one that the server made.</summary>
    public Func<string, string>? Forge { get; set; }

    /// <summary>Its address.</summary>
    public string Authority => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public static async Task<OidcProvider> StartAsync()
    {
        var provider = new OidcProvider();
        await provider._app.StartAsync(TestContext.Current.CancellationToken);
        return provider;
    }

    /// <summary>What an installation that uses it has in its settings.</summary>
    public Dictionary<string, string> Settings() => new(StringComparer.Ordinal)
    {
        ["Auth:Oidc:Authority"] = Authority,
        ["Auth:Oidc:ClientId"] = ClientId,
        ["Auth:Oidc:ClientSecret"] = ClientSecret,
        ["Auth:Oidc:DisplayName"] = "Example Login",
        ["Auth:Oidc:TimeoutSeconds"] = "100", // a busy machine
    };

    /// <summary>A token with other claims, signed with the right key.</summary>
    public string Rewrite(string token, Action<JsonObject> change) => Sign(token, change, _signing);

    /// <summary>A token with other claims, signed with another key.</summary>
    public static string Sign(string token, Action<JsonObject> change, SigningCredentials? signing)
    {
        var claims = JsonNode.Parse(Base64UrlEncoder.Decode(token.Split('.')[1]))!.AsObject();
        change(claims);
        return signing is null
            ? new JsonWebTokenHandler().CreateToken(claims.ToJsonString(JsonSerializerOptions.Default))
            : new JsonWebTokenHandler().CreateToken(claims.ToJsonString(JsonSerializerOptions.Default), signing);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _rsa.Dispose();
    }

    private void Configure(OpenIddictServerBuilder server)
    {
        server.EnableDegradedMode().DisableAccessTokenEncryption();
        server.SetAuthorizationEndpointUris("authorize").SetTokenEndpointUris("token").SetUserInfoEndpointUris("userinfo");
        server.AllowAuthorizationCodeFlow().RequireProofKeyForCodeExchange();
        server.RegisterScopes(Scopes.OpenId, Scopes.Profile, Scopes.Email);
        server.AddEphemeralEncryptionKey();
        server.AddSigningKey(_signing.Key);
        server.UseAspNetCore().DisableTransportSecurityRequirement();

        server.AddEventHandler<ValidateAuthorizationRequestContext>(handler => handler.UseInlineHandler(context =>
        {
            if (context.ClientId != ClientId || !Uri.TryCreate(context.RedirectUri, UriKind.Absolute, out var back)
                || back is not { Host: "127.0.0.1", AbsolutePath: "/account/external/callback" })
            {
                context.Reject(Errors.InvalidClient, "Not registered.", uri: null);
            }

            return default;
        }));
        server.AddEventHandler<ValidateTokenRequestContext>(handler => handler.UseInlineHandler(context =>
        {
            if (context.Request.ClientId != ClientId || context.Request.ClientSecret != ClientSecret)
            {
                context.Reject(Errors.InvalidClient, "Not registered.", uri: null);
            }

            return default;
        }));
        server.AddEventHandler<HandleAuthorizationRequestContext>(handler => handler.UseInlineHandler(context =>
        {
            if (Person is { } person)
            {
                context.SignIn(Principal(person));
            }
            else
            {
                context.Reject(Errors.AccessDenied, "<script>alert('provider')</script>", uri: null);
            }

            return default;
        }));
        server.AddEventHandler<HandleUserInfoRequestContext>(handler => handler.UseInlineHandler(context =>
        {
            context.Email = Person?.Email;
            context.EmailVerified = Person?.EmailVerified;
            context.Claims["name"] = Person?.Name;
            return default;
        }));
        server.AddEventHandler<GenerateTokenContext>(handler => handler
            .SetOrder(OpenIddictServerHandlers.Protection.GenerateIdentityModelToken.Descriptor.Order + 1)
            .UseInlineHandler(context =>
            {
                if (context.TokenType == TokenTypeIdentifiers.IdentityToken && Forge is { } forge)
                {
                    context.Token = forge(context.Token!);
                }

                return default;
            }));
    }

    private static ClaimsPrincipal Principal(OidcPerson person)
    {
        var identity = new ClaimsIdentity("test", Claims.Name, Claims.Role);
        identity.SetClaim(Claims.Subject, person.Subject);
        if (person.InToken)
        {
            identity.SetClaim(Claims.Email, person.Email).SetClaim(Claims.EmailVerified, person.EmailVerified).SetClaim(Claims.Name, person.Name);
        }

        identity.SetScopes(Scopes.OpenId, Scopes.Profile, Scopes.Email);
        identity.SetDestinations(_ => [Destinations.IdentityToken]);
        return new ClaimsPrincipal(identity);
    }
}
