using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Deployer.E2E.Hosting;

/// <summary>A large installation: apps with a history, written as the runner would have.</summary>
internal static class ManyApps
{
    private const int Attempts = 20;

    /// <summary>Adds apps named <c>app-000</c> and so on, half of them in staging, each with twenty deployments.</summary>
    public static async Task AddAsync(IServiceProvider services, int count)
    {
        await using var db = await services.GetRequiredService<IDbContextFactory<DeployerDb>>().CreateDbContextAsync();
        var now = TimeProvider.System.Now();
        var apps = Enumerable.Range(0, count).Select(index => new App
        {
            Name = $"app-{index:000}",
            Environment = index % 2 == 0 ? "production" : "staging",
            Spec = new AppSpec { Image = $"registry.example.com/team/app-{index:000}:v{Attempts}" },
            CreatedAt = now,
            UpdatedAt = now,
        }).ToList();
        db.Apps.AddRange(apps);
        await db.SaveChangesAsync();
        foreach (var app in apps)
        {
            db.Deployments.AddRange(Enumerable.Range(1, Attempts).Select(number =>
            {
                var started = now - Duration.FromHours((Attempts - number + 1) * 7);
                return new Deployment
                {
                    AppId = app.Id,
                    Number = number,
                    Status = (app.Id + number) % 9 == 0 ? DeploymentStatus.Failed : DeploymentStatus.Succeeded,
                    Spec = app.Spec with { Image = $"registry.example.com/team/{app.Name}:v{number}" },
                    Digest = $"sha256:{number:x64}",
                    RequestedBy = number % 3 == 0 ? "Grace Hopper" : "Ada Lovelace",
                    CreatedAt = started,
                    StartedAt = started,
                    EndedAt = started + Duration.FromSeconds(4 + (app.Id * number % 40)),
                };
            }));
        }

        await db.SaveChangesAsync();
        await db.Database.ExecuteSqlRawAsync(
            "UPDATE apps SET current_deployment_id = (SELECT max(id) FROM deployments WHERE app_id = apps.id AND status = 2)");
        services.GetRequiredService<DeploymentFeed>().PublishApps();
    }
}
