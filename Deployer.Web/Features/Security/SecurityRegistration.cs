using Deployer.Core.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Deployer.Web.Features.Security;

/// <summary>Sign-in, roles and the guards of the web.</summary>
public static class SecurityRegistration
{
    /// <summary>Registers them.</summary>
    public static void AddSecurity(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddAccess();
        services.AddHttpContextAccessor();
        services.AddSingleton<RateLimits>();
        services.AddSingleton<CircuitLimit>();

        services.AddIdentityCookies();
        services.AddSingleton<SessionTickets>();
        services.AddSingleton<IConfigureOptions<CookieAuthenticationOptions>, SessionCookie>();
        services.AddAuthentication(options =>
            {
                options.DefaultScheme = DeployerAuthentication.Name;
                options.DefaultSignInScheme = IdentityConstants.ExternalScheme;
            })
            .AddScheme<AuthenticationSchemeOptions, DeployerAuthentication>(DeployerAuthentication.Name, displayName: null, configureOptions: null);

        services.AddScoped<WebActor>();
        services.AddScoped<StandingAccess>();
        services.AddScoped<ICurrentActor>(provider => provider.GetRequiredService<WebActor>());
        services.AddScoped<CircuitHandler, CircuitActor>();
        services.AddScoped<AuthenticationStateProvider, RevalidatedState>();
        services.AddCascadingAuthenticationState();

        // What says nothing about access is closed to strangers; a test asks every endpoint to say something.
        services.AddAuthorizationBuilder().SetFallbackPolicy(AccessPolicyProvider.Policy(AccessRole.Viewer, AccessScope.Anywhere));
        services.AddSingleton<IAuthorizationPolicyProvider, AccessPolicyProvider>();
        services.AddScoped<IAuthorizationHandler, AccessHandler>();
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, RefusalHandler>();

        // Our pages send no Referrer, and browsers then send no Origin with a form: what the browser signed is compared
        // with the address that was asked for.
        services.Configure<IdentityPasskeyOptions>(options => options.ValidateOrigin = context => ValueTask.FromResult(
            !context.CrossOrigin && SameSite.IsOwnOrigin(context.HttpContext.Request, context.Origin)));

        // A changed password or passkey ends the other sessions within this time.
        services.Configure<SecurityStampValidatorOptions>(options => options.ValidationInterval = TimeSpan.FromMinutes(1));
        services.AddAntiforgery(options => options.Cookie.Name = "deployer-form");
        services.AddRateLimiter(RateLimits.Configure);
        services.AddHsts(options => options.MaxAge = TimeSpan.FromDays(365));

        services.AddOptions<ForwardingOptions>()
            .BindConfiguration(ForwardingOptions.Section)
            .Validate(
                options => options.TrustedProxies.All(proxy => TrustedForwarding.TryRead(proxy, out _)),
                "Forwarding:TrustedProxies holds something that is neither an address (192.0.2.1) nor a network (10.0.0.0/8).")
            .ValidateOnStart();
        services.AddSingleton<IConfigureOptions<ForwardedHeadersOptions>, TrustedForwarding>();
    }

    /// <summary>Puts the guards before everything else that answers requests.</summary>
    public static void UseSecurity(this WebApplication app)
    {
        app.UseForwardedHeaders();
        app.Use(WebGuards.WriteHeadersAsync);

        // Sent over https alone, and never for loopback names.
        app.UseHsts();
        app.UseRouting();
        app.Use(WebGuards.RefuseOtherSitesAsync);
        app.UseAuthentication();
        app.UseRateLimiter();
        app.Use(WebGuards.CapCircuitsAsync);
        app.UseAuthorization();
        app.UseAntiforgery();
    }

    private static void AddIdentityCookies(this IServiceCollection services)
    {
        services.AddAuthentication().AddIdentityCookies();
        new IdentityBuilder(typeof(Person), services).AddSignInManager().AddDefaultTokenProviders();
    }
}
