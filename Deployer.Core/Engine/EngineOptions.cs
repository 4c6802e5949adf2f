using Microsoft.Extensions.Options;

namespace Deployer.Core.Engine;

/// <summary>Which container engine Deployer drives. Configuration section <c>Engine</c>.</summary>
public sealed class EngineOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Engine";

    /// <summary>Where engines listen unless told otherwise.</summary>
    public const string DefaultEndpoint = "unix:///var/run/docker.sock";

    /// <summary>
    /// Address of the engine, e.g. <c>unix:///var/run/docker.sock</c> or <c>tcp://127.0.0.1:2375</c>; empty takes
    /// <c>DOCKER_HOST</c>, and where that is empty too <see cref="DefaultEndpoint"/>. Configuration key
    /// <c>Engine:Endpoint</c>.
    /// </summary>
    public string Endpoint { get; set; } = "";
}

/// <summary>Refuses an <see cref="EngineOptions.Endpoint"/> that no engine can be reached at.</summary>
internal sealed class EngineOptionsValidator : IValidateOptions<EngineOptions>
{
    private static readonly string[] Schemes = ["unix", "tcp", "http", "https", "npipe"];

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, EngineOptions options)
    {
        return Uri.TryCreate(options.Endpoint, UriKind.Absolute, out var endpoint) && Schemes.Contains(endpoint.Scheme, StringComparer.Ordinal)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"Engine:Endpoint (or DOCKER_HOST) is '{options.Endpoint}', which is no address of an engine; "
                + $"set it to one that starts with {string.Join(", ", Schemes.Select(scheme => $"{scheme}://"))}, e.g. {EngineOptions.DefaultEndpoint}.");
    }
}
