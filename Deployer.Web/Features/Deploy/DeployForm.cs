using Deployer.Core.Access;
using Deployer.Core.Deployments;

namespace Deployer.Web.Features.Deploy;

/// <summary>What somebody says who deploys or restores, and what of it is still wanted.</summary>
public sealed class DeployForm
{
    /// <summary>The longest reason that is kept.</summary>
    public const int MaxReason = 1000;

    private readonly Dictionary<string, string> _errors = new(StringComparer.Ordinal);

    /// <summary>Why, in their own words.</summary>
    public string Reason { get; set; } = "";

    /// <summary>Whether to go on in spite of a freeze.</summary>
    public bool OverrideFreeze { get; set; }

    /// <summary>The app's name, typed once more where the environment is protected.</summary>
    public string TypedName { get; set; } = "";

    /// <summary>What is wrong with a field; <see langword="null"/> when nothing is.</summary>
    public string? Error(string field) => _errors.GetValueOrDefault(field);

    /// <summary>Says that something is wrong with a field.</summary>
    public void Refuse(string field, string why) => _errors[field] = why;

    /// <summary>Looks through the form; <see cref="Error"/> then says what is wrong.</summary>
    /// <param name="app">Name of the app.</param>
    /// <param name="terms">The rules of its environment.</param>
    /// <param name="rights">What the caller may do there.</param>
    /// <returns>Whether nothing is.</returns>
    public bool Check(string app, EnvironmentTerms terms, DeployRights rights)
    {
        _errors.Clear();
        if (Reason.Length > MaxReason)
        {
            Refuse("reason", $"{Reason.Length} characters are too many; at most {MaxReason} are kept.");
        }

        if (terms.Freeze is not null && !(OverrideFreeze && rights.MayOverride))
        {
            Refuse("freeze", rights.MayOverride ? "Wait for the end of the freeze, or say that this cannot wait." : "Wait for the end of the freeze, or ask an admin.");
        }
        else if (terms.Freeze is not null && string.IsNullOrWhiteSpace(Reason))
        {
            Refuse("reason", "Say why this cannot wait for the end of the freeze; it is recorded.");
        }

        if (terms.Protected && !string.Equals(TypedName.Trim(), app, StringComparison.Ordinal))
        {
            Refuse("name", $"Type {app} to confirm.");
        }

        return _errors.Count == 0;
    }

    /// <summary>The request.</summary>
    /// <param name="image">Image to deploy instead of the app's own.</param>
    /// <param name="terms">The rules of the app's environment.</param>
    public DeploymentRequest ToRequest(string? image, EnvironmentTerms terms) =>
        new(image, string.IsNullOrWhiteSpace(Reason) ? null : Reason.Trim(), RequestedBy: null, IdempotencyKey: null)
        {
            OverrideFreeze = OverrideFreeze && terms.Freeze is not null,
        };
}
