using Deployer.Core.Engine;
using Deployer.Core.Logs;
using Deployer.Core.Registries;
using Deployer.Core.Secrets;

namespace Deployer.Core.Deployments;

/// <summary>What a running deployment knows that nobody may see.</summary>
internal sealed class RunSecrets
{
    private readonly SecretMask _mask;

    private RunSecrets(IReadOnlyDictionary<string, string> values, RegistryCredentials? credentials, string? fault)
    {
        Values = values;
        Credentials = credentials;
        Fault = fault;
        All = [.. values.Values, .. credentials is null ? [] : new[] { credentials.Password }];
        _mask = new SecretMask([Redactor.Create(All)]);
    }

    /// <summary>Values of the secret environment variables, by name.</summary>
    public IReadOnlyDictionary<string, string> Values { get; }

    /// <summary>Credentials for the image's registry; <see langword="null"/> where none are stored.</summary>
    public RegistryCredentials? Credentials { get; }

    /// <summary>Why some cannot be read; <see langword="null"/> when all can.</summary>
    public string? Fault { get; }

    /// <summary>Everything that must not be shown.</summary>
    public IReadOnlyCollection<string> All { get; }

    /// <summary>Reads those of a deployment.</summary>
    public static async Task<RunSecrets> ReadAsync(
        ClaimedDeployment claimed, SecretBook secrets, RegistryBook registries, CancellationToken cancellationToken)
    {
        try
        {
            var credentials = ImageReference.TryParse(claimed.Deployment.Spec.Image, out var image, out _)
                ? await registries.FindAsync(image.Domain, cancellationToken)
                : null;
            return new RunSecrets(secrets.OpenSnapshot(claimed.Deployment.SealedSecrets), credentials, fault: null);
        }
        catch (SecretUnreadableException exception)
        {
            return new RunSecrets(new Dictionary<string, string>(StringComparer.Ordinal), credentials: null, exception.Message);
        }
    }

    /// <summary>A text with what must not be shown masked.</summary>
    public string Mask(string text) => _mask.Apply(text);

    /// <summary>A failure with what must not be shown masked; its lines are the log's and masked already.</summary>
    public DeploymentFailure Mask(DeploymentFailure failure) => failure with
    {
        Cause = Mask(failure.Cause),
        Remedy = Mask(failure.Remedy),
        Evidence = failure.Evidence is { HealthOutput: { } output } evidence
            ? evidence with { HealthOutput = Mask(output) }
            : failure.Evidence,
    };
}
