using Deployer.Core.Data;
using Deployer.Core.Logs;
using Deployer.Core.Secrets;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Deployments;

/// <summary>Masks a deployment's secret values in what people write about it, as its log does.</summary>
public sealed class DeploymentSecrets(IDbContextFactory<DeployerDb> databases, SecretBook secrets)
{
    /// <summary>The text with the values masked that the deployment's own secrets had.</summary>
    public async Task<string> MaskAsync(long deploymentId, string text, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var snapshot = await db.Deployments.Where(deployment => deployment.Id == deploymentId)
            .Select(deployment => deployment.SealedSecrets).FirstOrDefaultAsync(cancellationToken);
        try
        {
            return snapshot is null ? text : new SecretMask([Redactor.Create([.. secrets.OpenSnapshot(snapshot).Values])]).Apply(text);
        }
        catch (SecretUnreadableException)
        {
            // Values that nobody can read any more cannot be looked for.
            return text;
        }
    }
}
