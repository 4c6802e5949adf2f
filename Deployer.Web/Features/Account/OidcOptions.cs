using Microsoft.Extensions.Options;

namespace Deployer.Web.Features.Account;

/// <summary>The organisation's sign-in system, by OpenID Connect. Configuration section <c>Auth:Oidc</c>.</summary>
internal sealed class OidcOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Auth:Oidc";

    /// <summary>The most seconds that a browser is kept waiting.</summary>
    public const int LongestTimeout = 120;

    /// <summary>
    /// Its address, below which <c>/.well-known/openid-configuration</c> lies; people sign in by password and passkey alone
    /// without. Plain http for this machine only. Configuration key <c>Auth:Oidc:Authority</c>.
    /// </summary>
    public string? Authority { get; set; }

    /// <summary>Deployer's id there. Configuration key <c>Auth:Oidc:ClientId</c>.</summary>
    public string? ClientId { get; set; }

    /// <summary>Deployer's secret there, where it has one. Never shown. Configuration key <c>Auth:Oidc:ClientSecret</c>.</summary>
    public string? ClientSecret { get; set; }

    /// <summary>A file that holds the secret. Configuration key <c>Auth:Oidc:ClientSecretFile</c>.</summary>
    public string? ClientSecretFile { get; set; }

    /// <summary>What its button says after “Sign in with”; else the name of its host. Configuration key <c>Auth:Oidc:DisplayName</c>.</summary>
    public string? DisplayName { get; set; }

    /// <summary>What is asked for, with blanks between. Configuration key <c>Auth:Oidc:Scopes</c>.</summary>
    public string Scopes { get; set; } = "openid profile email";

    /// <summary>
    /// Whether people without account and invitation are let in; they have no role until an owner grants one.
    /// Configuration key <c>Auth:Oidc:AdmitUnknown</c>.
    /// </summary>
    public bool AdmitUnknown { get; set; }

    /// <summary>
    /// How long it may take to answer Deployer, in seconds, 1 to <see cref="LongestTimeout"/>; whoever signs in waits for
    /// it. Configuration key <c>Auth:Oidc:TimeoutSeconds</c>.
    /// </summary>
    public int TimeoutSeconds { get; set; } = 10;

    /// <summary>Whether there is such a system.</summary>
    public bool IsSet => !string.IsNullOrWhiteSpace(Authority);

    /// <summary>The scopes, each by itself.</summary>
    public string[] EachScope => Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>What to call it.</summary>
    public string Name => string.IsNullOrWhiteSpace(DisplayName) ? new Uri(Authority!).Host : DisplayName.Trim();

    /// <summary>The secret, from wherever it was given; <see langword="null"/> without one.</summary>
    public string? ReadSecret() =>
        !string.IsNullOrEmpty(ClientSecret) ? ClientSecret
        : string.IsNullOrWhiteSpace(ClientSecretFile) ? null
        : File.ReadAllText(ClientSecretFile).Trim();
}

/// <summary>Checks the settings at the start. The messages name the key and never hold the secret.</summary>
internal sealed class OidcSettingsCheck : IValidateOptions<OidcOptions>
{
    public ValidateOptionsResult Validate(string? name, OidcOptions options)
    {
        if (!options.IsSet)
        {
            return string.IsNullOrWhiteSpace(options.ClientId)
                ? ValidateOptionsResult.Success
                : ValidateOptionsResult.Fail("Auth:Oidc:ClientId is set without Auth:Oidc:Authority; set both, or neither.");
        }

        var faults = new List<string>();
        if (!Uri.TryCreate(options.Authority, UriKind.Absolute, out var authority) || authority.Scheme is not ("https" or "http")
            || authority.Query.Length > 0 || authority.Fragment.Length > 0 || authority.UserInfo.Length > 0)
        {
            faults.Add("Auth:Oidc:Authority is no web address; set it to the issuer's, e.g. https://login.example.com/realms/team.");
        }
        else if (authority.Scheme == "http" && !authority.IsLoopback)
        {
            faults.Add("Auth:Oidc:Authority is plain http, so that anybody on the way could sign in as anybody; use https. Only this machine may be asked without.");
        }

        if (string.IsNullOrWhiteSpace(options.ClientId))
        {
            faults.Add("Auth:Oidc:ClientId is missing; set it to the id under which Deployer is registered at Auth:Oidc:Authority.");
        }

        if (!options.EachScope.Contains("openid", StringComparer.Ordinal))
        {
            faults.Add("Auth:Oidc:Scopes lacks openid; set it to e.g. \"openid profile email\".");
        }

        if (options.TimeoutSeconds is < 1 or > OidcOptions.LongestTimeout)
        {
            faults.Add($"Auth:Oidc:TimeoutSeconds is {options.TimeoutSeconds}; set it to 1 to {OidcOptions.LongestTimeout}.");
        }

        if (!string.IsNullOrEmpty(options.ClientSecret) && !string.IsNullOrWhiteSpace(options.ClientSecretFile))
        {
            faults.Add("Auth:Oidc:ClientSecret and Auth:Oidc:ClientSecretFile are both set; keep one.");
        }
        else if (!string.IsNullOrWhiteSpace(options.ClientSecretFile) && !IsReadable(options.ClientSecretFile))
        {
            faults.Add("Auth:Oidc:ClientSecretFile cannot be read; set it to a file that Deployer's user may read.");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static bool IsReadable(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim().Length > 0;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return false;
        }
    }
}
