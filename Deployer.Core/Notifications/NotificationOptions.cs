using Microsoft.Extensions.Options;

namespace Deployer.Core.Notifications;

/// <summary>How notifications are made. Configuration section <c>Notifications</c>.</summary>
public sealed class NotificationOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Notifications";

    /// <summary>
    /// Where people reach the dashboard, for links: <c>https://deploy.example.com</c>. Else the first of <c>Urls</c>.
    /// Configuration key <c>Notifications:DashboardUrl</c>.
    /// </summary>
    public string? DashboardUrl { get; set; }

    /// <summary>
    /// Whether notifications may go to public addresses alone; else also to those of this machine and of private networks.
    /// Configuration key <c>Notifications:PublicAddressesOnly</c>.
    /// </summary>
    public bool PublicAddressesOnly { get; set; }
}

/// <summary>How the connection to the mail server is secured.</summary>
public enum SmtpSecurity
{
    /// <summary>STARTTLS, which the server must offer.</summary>
    StartTls,

    /// <summary>TLS from the first byte on.</summary>
    Tls,

    /// <summary>None; for a server on this machine.</summary>
    None,
}

/// <summary>The mail server. Configuration section <c>Smtp</c>.</summary>
public sealed class SmtpOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Smtp";

    /// <summary>Its name or address; no e-mail is sent without. Configuration key <c>Smtp:Host</c>.</summary>
    public string? Host { get; set; }

    /// <summary>Its port. Configuration key <c>Smtp:Port</c>.</summary>
    public int Port { get; set; } = 587;

    /// <summary>How the connection is secured. Configuration key <c>Smtp:Security</c>.</summary>
    public SmtpSecurity Security { get; set; } = SmtpSecurity.StartTls;

    /// <summary>User name, where the server wants one. Configuration key <c>Smtp:UserName</c>.</summary>
    public string? UserName { get; set; }

    /// <summary>Password. Never shown. Configuration key <c>Smtp:Password</c>.</summary>
    public string? Password { get; set; }

    /// <summary>Sender's address. Configuration key <c>Smtp:From</c>.</summary>
    public string? From { get; set; }

    /// <summary>Whether e-mail can be sent.</summary>
    public bool IsSet => !string.IsNullOrWhiteSpace(Host);
}

/// <summary>Checks both at the start. The messages name the key and never hold the password.</summary>
internal sealed class NotificationSettingsCheck : IValidateOptions<SmtpOptions>, IValidateOptions<NotificationOptions>
{
    public ValidateOptionsResult Validate(string? name, SmtpOptions options)
    {
        if (!options.IsSet)
        {
            return ValidateOptionsResult.Success;
        }

        var faults = new List<string>();
        if (options.Port is < 1 or > 65535)
        {
            faults.Add($"Smtp:Port is {options.Port}; set it to a port from 1 to 65535, e.g. 587.");
        }

        if (!Access.EmailAddress.IsValid(options.From ?? ""))
        {
            faults.Add("Smtp:From is no e-mail address; set it to the sender's, e.g. deployer@example.com.");
        }

        if (string.IsNullOrEmpty(options.UserName) != string.IsNullOrEmpty(options.Password))
        {
            faults.Add("Smtp:UserName and Smtp:Password belong together; set both, or neither.");
        }

        if (!string.IsNullOrEmpty(options.Password) && options.Security == SmtpSecurity.None && options.Host is not ("localhost" or "127.0.0.1" or "::1"))
        {
            faults.Add("Smtp:Security is None, so that Smtp:Password would travel in the clear; set it to StartTls or Tls.");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    public ValidateOptionsResult Validate(string? name, NotificationOptions options) =>
        string.IsNullOrWhiteSpace(options.DashboardUrl)
            || (Uri.TryCreate(options.DashboardUrl, UriKind.Absolute, out var url) && url.Scheme is ("http" or "https"))
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail("Notifications:DashboardUrl is no web address; set it to the dashboard's, e.g. https://deploy.example.com.");
}
