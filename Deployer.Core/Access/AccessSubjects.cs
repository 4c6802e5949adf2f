using Deployer.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Access;

/// <summary>What a role is asked for: an app and its environment.</summary>
public sealed record AccessSubject(string App, string Environment);

/// <summary>Finds the app and environment behind an address, for deciding who may go there.</summary>
public sealed class AccessSubjects(IDbContextFactory<DeployerDb> databases)
{
    /// <summary>The app of that name; <see langword="null"/> when there is none.</summary>
    public async Task<AccessSubject?> FindAppAsync(string name, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Apps.Where(app => app.Name == name)
            .Select(app => new AccessSubject(app.Name, app.Environment)).FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>The app of a deployment; <see langword="null"/> when there is no such deployment.</summary>
    public async Task<AccessSubject?> FindDeploymentAsync(long id, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Deployments.Where(deployment => deployment.Id == id)
            .Join(db.Apps, deployment => deployment.AppId, app => app.Id, (_, app) => new AccessSubject(app.Name, app.Environment))
            .FirstOrDefaultAsync(cancellationToken);
    }
}
