using Deployer.Core.Access;
using Deployer.Core.Audit;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;

namespace Deployer.Core.Runner;

/// <summary>Writes down that a run reads secrets: which, never their values.</summary>
internal sealed class SecretAudit(AuditLog audit)
{
    /// <summary>Notes the secret variables and the registry whose credentials a run reads; nothing where it reads none.</summary>
    public async Task RecordAsync(ClaimedDeployment claimed, RunSecrets secrets, CancellationToken cancellationToken)
    {
        var deployment = AuditSubject.Deployment(claimed.Deployment.Id);
        if (secrets.Values.Count > 0)
        {
            await audit.RecordAsync(Actor.Deployer, new AuditFact(AuditAction.SecretsUsed, deployment)
            {
                Environment = claimed.App.Environment,
                Note = string.Join(", ", secrets.Values.Keys.Order(StringComparer.Ordinal)),
            }, cancellationToken);
        }

        if (secrets.Credentials is not null)
        {
            await audit.RecordAsync(Actor.Deployer, new AuditFact(AuditAction.RegistryUsed, deployment)
            {
                Environment = claimed.App.Environment,
                Note = ImageReference.Parse(claimed.Deployment.Spec.Image).Domain,
            }, cancellationToken);
        }
    }
}
