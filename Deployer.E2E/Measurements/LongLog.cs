using System.Globalization;
using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.E2E.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Deployer.E2E.Measurements;

/// <summary>The log of a deployment that the measurement writes itself: no runner is there.</summary>
internal sealed class LongLog
{
    private static readonly string[] Words =
    [
        "\u001b[32minfo\u001b[0m: request finished", "compiling module", "downloading layer", "cache hit for step", "\u001b[33mwarn\u001b[0m: slow query",
        "resolved dependency", "wrote 4096 bytes to", "GET /api/orders 200 in",
    ];

    private readonly LogStore _store;

    private LongLog(LogStore store, long id, long lines)
    {
        _store = store;
        Id = id;
        Lines = lines;
    }

    /// <summary>The deployment.</summary>
    public long Id { get; }

    /// <summary>How many lines it has.</summary>
    public long Lines { get; private set; }

    /// <summary>Adds a deployment whose health check goes on, or failed, with so many lines.</summary>
    public static async Task<LongLog> AddAsync(Dashboard dashboard, string app, long lines, bool ended)
    {
        await using var db = await dashboard.Services.GetRequiredService<IDbContextFactory<DeployerDb>>().CreateDbContextAsync();
        var now = TimeProvider.System.Now();
        var spec = new AppSpec { Image = $"registry.example.com/team/{app}:v1" };
        var owner = new App { Name = app, Environment = "production", Spec = spec, CreatedAt = now, UpdatedAt = now };
        db.Apps.Add(owner);
        await db.SaveChangesAsync();
        var deployment = new Deployment
        {
            AppId = owner.Id,
            Number = 1,
            Status = DeploymentStatus.Running,
            Spec = spec,
            RequestedBy = "Ada Lovelace",
            CreatedAt = now,
            StartedAt = now,
            Steps = [.. Enum.GetValues<StepKind>().Select(kind => Step(kind, now, ended))],
        };
        db.Deployments.Add(deployment);
        await db.SaveChangesAsync();
        var log = new LongLog(dashboard.Services.GetRequiredService<LogStore>(), deployment.Id, lines);
        await log.WriteAsync(1, lines);
        if (ended)
        {
            Instant? end = TimeProvider.System.Now();
            await db.Deployments.Where(row => row.Id == deployment.Id).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.Status, DeploymentStatus.Failed).SetProperty(row => row.EndedAt, end));
            dashboard.Services.GetRequiredService<DeploymentFeed>().Publish(deployment.Id);
        }

        return log;
    }

    /// <summary>Appends lines at a rate for a while; gives when each was appended, in milliseconds since 1970.</summary>
    public async Task<double[]> GrowAsync(int perSecond, TimeSpan duration)
    {
        var stamps = new double[(int)(perSecond * duration.TotalSeconds)];
        await using var appender = _store.Open(Id, []);
        var start = TimeProvider.System.GetTimestamp();
        for (var written = 0; written < stamps.Length;)
        {
            var due = Math.Min(stamps.Length, (int)(TimeProvider.System.GetElapsedTime(start).TotalSeconds * perSecond));
            for (; written < due; written++)
            {
                stamps[written] = (TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalMilliseconds;
                await appender.AppendAsync(LogStream.Stdout, StepKind.HealthCheck, Text(Lines + written + 1), CancellationToken.None);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }

        Lines += stamps.Length;
        return stamps;
    }

    private static DeploymentStep Step(StepKind kind, Instant now, bool ended) => kind switch
    {
        < StepKind.HealthCheck => new DeploymentStep { Kind = kind, State = StepState.Succeeded, StartedAt = now, EndedAt = now },
        StepKind.HealthCheck => new DeploymentStep { Kind = kind, State = ended ? StepState.Failed : StepState.Running, StartedAt = now, EndedAt = ended ? now : null },
        _ => new DeploymentStep { Kind = kind, State = ended ? StepState.Skipped : StepState.Pending },
    };

    // About 100 characters.
    private static string Text(long number) => string.Create(
        CultureInfo.InvariantCulture,
        $"2026-01-01T00:00:{number % 60:00}.{number % 1000:000}Z {Words[number % Words.Length]} {number * 2654435761 % 4294967296:x8} worker-{number % 16} request={number:000000000} took {number % 97} ms");

    private async Task WriteAsync(long from, long to)
    {
        await using var appender = _store.Open(Id, []);
        for (var number = from; number <= to; number++)
        {
            await appender.AppendAsync(LogStream.Stdout, number < 10 ? (StepKind)(number / 4) : StepKind.HealthCheck, Text(number), CancellationToken.None);
        }
    }
}
