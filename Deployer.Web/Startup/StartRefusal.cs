using System.Text.Json;
using Deployer.Core;
using Microsoft.Extensions.Options;

namespace Deployer.Web.Startup;

/// <summary>Tells refusals to start, which a person can mend, from faults.</summary>
internal static class StartRefusal
{
    /// <summary>What to tell the person; <see langword="null"/> for a fault, which keeps its stack trace.</summary>
    public static string? Explain(Exception exception) => exception switch
    {
        SettingException setting => setting.Message,
        OptionsValidationException options => string.Join(' ', options.Failures),

        // The binder's own words name the key: "Failed to convert configuration value 'x' at 'Runner:Lease' to type …".
        InvalidOperationException { InnerException: FormatException or ArgumentException or OverflowException } binding
            when binding.Message.Contains("configuration value", StringComparison.Ordinal) => $"{binding.Message} Set it to a value of that kind.",
        InvalidDataException { InnerException: (FormatException or JsonException) and var cause } file => $"{file.Message} {cause.Message}",
        FormatException { TargetSite.DeclaringType.FullName: "Microsoft.Extensions.Configuration.CommandLine.CommandLineConfigurationProvider" } arguments
            => $"The command line is wrong: {arguments.Message}",
        _ => null,
    };
}
