using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Statistics;
using Deployer.Tests.Logs;
using NodaTime;

namespace Deployer.Tests.Statistics;

/// <summary>Figures over a real database, each counted by hand beside the history that it is of.</summary>
public sealed class StatisticsReaderTests : IAsyncLifetime
{
    private static readonly Instant Monday = Instant.FromUtc(2026, 3, 2, 0, 0);
    private static readonly Duration Day = Duration.FromDays(1);

    private readonly LogTestBed _bed = new();
    private int _number;

    private StatisticsReader Reader => new(_bed);

    public async ValueTask InitializeAsync()
    {
        // A failure before the range, which api's first success in the range ends.
        await AddAsync("api", DeploymentStatus.Failed, Monday - Duration.FromHours(2), seconds: 10);
        await AddAsync("api", DeploymentStatus.Succeeded, Monday + Duration.FromHours(1), seconds: 30);
        await AddAsync("api", DeploymentStatus.Failed, Monday + Duration.FromHours(4), seconds: 5);
        await AddAsync("api", DeploymentStatus.Failed, Monday + Duration.FromHours(5), seconds: 5);
        await AddAsync("api", DeploymentStatus.Canceled, Monday + Duration.FromHours(6), seconds: 5);
        await AddAsync("api", DeploymentStatus.Succeeded, Monday + Day + Duration.FromHours(4), seconds: 50);
        await AddAsync("web", DeploymentStatus.Succeeded, Monday + Duration.FromHours(2), seconds: 20);
        await AddAsync("web", DeploymentStatus.Superseded, Monday + Duration.FromHours(3), seconds: null);
        await AddAsync("web", DeploymentStatus.Running, Monday + Duration.FromHours(3), seconds: null);
        await AddAsync("web", DeploymentStatus.Succeeded, Monday + Day, seconds: 40);
        await AddAsync("web", DeploymentStatus.Failed, Monday + Day + Duration.FromHours(20), seconds: 1);
        await AddAsync("web", DeploymentStatus.Succeeded, Monday + (Day * 3), seconds: 999);
    }

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Fact]
    public async Task Read_ThreeDays_CountsEachDeploymentOnceWhereItEnded()
    {
        var read = await Reader.ReadAsync(new StatisticsQuery(null, Monday, Monday + (Day * 3), Day), TestContext.Current.CancellationToken);

        // Recoveries: api 02:00 before to 01:00 = 3 h, and 04:00 to 04:00 of the next day = 24 h.
        Assert.Equal(new StatisticsFigures(4, 3, 2, 35, 2, 13.5 * 3600), read.Total);
        Assert.Equal(3.0 / 7, read.Total.FailureRate);
        Assert.Equal(4.0 / 3, read.SucceededPerDay, precision: 12);
        Assert.Equal(
            [
                new AppStatistics("api", "production", new StatisticsFigures(2, 2, 1, 40, 2, 13.5 * 3600)),
                new AppStatistics("web", "production", new StatisticsFigures(2, 1, 1, 30, 0, null)),
            ],
            read.Apps);
        Assert.Equal(
            [
                new SliceStatistics(Monday, Monday + Day, new StatisticsFigures(2, 2, 2, 25, 1, 3 * 3600)),
                new SliceStatistics(Monday + Day, Monday + (Day * 2), new StatisticsFigures(2, 1, 0, 45, 1, 24 * 3600)),
                new SliceStatistics(Monday + (Day * 2), Monday + (Day * 3), StatisticsFigures.None),
            ],
            read.Slices);
    }

    [Fact]
    public async Task Read_OneApp_CountsNoOther()
    {
        var read = await Reader.ReadAsync(new StatisticsQuery(["web"], Monday, Monday + (Day * 4), Day * 3), TestContext.Current.CancellationToken);

        // The failure at 20:00 of the second day is over at 00:00 of the fourth: 28 h.
        Assert.Equal(new StatisticsFigures(3, 1, 1, 40, 1, 28 * 3600), read.Total);
        Assert.Equal(["web"], read.Apps.Select(app => app.App));
        Assert.Equal([Monday + (Day * 3), Monday + (Day * 4)], read.Slices.Select(slice => slice.Until));
    }

    [Fact]
    public async Task Read_NoApps_IsEmpty()
    {
        var read = await Reader.ReadAsync(new StatisticsQuery([], Monday, Monday + Day, Day), TestContext.Current.CancellationToken);

        Assert.Equal(StatisticsFigures.None, read.Total);
        Assert.Null(read.Total.FailureRate);
        Assert.Empty(read.Apps);
    }

    private async Task AddAsync(string name, DeploymentStatus status, Instant ended, int? seconds)
    {
        await using var db = _bed.CreateDbContext();
        var app = db.Apps.SingleOrDefault(row => row.Name == name)
            ?? db.Apps.Add(new App { Name = name, Environment = "production", Spec = new AppSpec { Image = "web:v1" }, CreatedAt = Monday, UpdatedAt = Monday }).Entity;
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        db.Deployments.Add(new Deployment
        {
            AppId = app.Id,
            Number = ++_number,
            Status = status,
            Spec = app.Spec,
            CreatedAt = ended,
            StartedAt = seconds is { } took ? ended - Duration.FromSeconds(took) : null,
            EndedAt = status.IsFinal() ? ended : null,
        });
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
    }
}
