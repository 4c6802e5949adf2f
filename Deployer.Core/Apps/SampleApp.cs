using Deployer.Core.Data;
using Deployer.Core.Engine;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Apps;

/// <summary>Settings of the sample app. Configuration section <c>Samples</c>.</summary>
public sealed class SampleOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Samples";

    /// <summary>
    /// Image of an app which is added at start while there is none, so that the first click on Deploy works; empty for
    /// none. It listens on port 8080. Configuration key <c>Samples:Image</c>.
    /// </summary>
    public string? Image { get; set; }
}

/// <summary>Refuses sample images that are no image references.</summary>
internal sealed class SampleOptionsValidation : IValidateOptions<SampleOptions>
{
    public ValidateOptionsResult Validate(string? name, SampleOptions options) =>
        string.IsNullOrWhiteSpace(options.Image) || ImageReference.TryParse(options.Image.Trim(), out _, out var error)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"Samples:Image is '{options.Image}'. {error.Message}");
}

/// <summary>Adds the sample app to an empty installation.</summary>
public sealed partial class SampleApp(
    IDbContextFactory<DeployerDb> databases, AppCatalog catalog, IOptions<SampleOptions> options, ILogger<SampleApp> logger)
{
    /// <summary>Name of the sample app.</summary>
    public const string Name = "hello";

    private const int ContainerPort = 8080;
    private const int AnyFreeHostPort = 0;

    /// <summary>Adds the sample app when <c>Samples:Image</c> is set and there is no app yet.</summary>
    public async Task AddAsync(CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(options.Value.Image) || await AnyAppAsync(cancellationToken))
        {
            return;
        }

        var draft = new AppDraft
        {
            Name = Name,
            Image = options.Value.Image,
            Ports = [new PortDraft(ContainerPort, AnyFreeHostPort)],
        };
        if (await catalog.AddAsync(draft, cancellationToken) is AppChange.Saved)
        {
            LogAdded(Name, options.Value.Image);
        }
    }

    private async Task<bool> AnyAppAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Apps.AnyAsync(cancellationToken);
    }

    [LoggerMessage(LogLevel.Information, "Added the sample app {Name} with the image {Image}")]
    private partial void LogAdded(string name, string image);
}
