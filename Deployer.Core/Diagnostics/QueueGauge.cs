using System.Diagnostics.Metrics;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;

namespace Deployer.Core.Diagnostics;

/// <summary>Measures how many deployments wait, each time that somebody collects the metrics.</summary>
internal sealed class QueueGauge(IDbContextFactory<DeployerDb> databases, IMeterFactory meters) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        meters.Create(DeployerTelemetry.Name).CreateObservableGauge("deployer.queue.length", Measure, "{deployment}", "Deployments that wait for their turn.");
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private IEnumerable<Measurement<long>> Measure()
    {
        long waiting;
        try
        {
            using var db = databases.CreateDbContext();
            waiting = db.Deployments.LongCount(deployment => deployment.Status == DeploymentStatus.Queued && deployment.WithdrawnAt == null);
        }
        catch (Exception exception) when (DatabaseFault.Explain(exception) is not null)
        {
            yield break;
        }

        yield return new Measurement<long>(waiting);
    }
}
