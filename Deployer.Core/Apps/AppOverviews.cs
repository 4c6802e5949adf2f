using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Core.Apps;

/// <summary>
/// All apps in one line each, for pages that many people leave open. What was read is kept: a reading looks at the apps
/// and at deployments that are new or not over, and reads the history of those alone, because what is over never changes.
/// Readers that come while one reads share the next reading.
/// </summary>
public sealed class AppOverviews
{
    /// <summary>How many deployments of an app are told.</summary>
    public const int MaxAttempts = 20;

    /// <summary>After so long everything is read anew, whatever is thought to be known.</summary>
    private static readonly Duration FullEvery = Duration.FromMinutes(1);

    private readonly IDbContextFactory<DeployerDb> _databases;
    private readonly ContainerGlance _glance;
    private readonly TimeProvider _time;
    private readonly SharedReading<IReadOnlyList<AppOverview>> _reading;
    private Known _known = Known.Nothing;

    /// <summary>Overviews of the apps of a database, with what a glance at the engine shows of their containers.</summary>
    public AppOverviews(IDbContextFactory<DeployerDb> databases, ContainerGlance glance, TimeProvider time)
    {
        _databases = databases;
        _glance = glance;
        _time = time;
        _reading = new SharedReading<IReadOnlyList<AppOverview>>(async () => (_known = await ReadAsync(_known)).Apps);
    }

    /// <summary>
    /// Every app, by name, as it is at some instant after the call. An app that has not changed is the same object as in
    /// the reading before.
    /// </summary>
    public Task<IReadOnlyList<AppOverview>> ReadAsync(CancellationToken cancellationToken) => _reading.ReadAsync(cancellationToken);

    private async Task<Known> ReadAsync(Known before)
    {
        var now = _time.Now();
        var full = now - before.FullAt >= FullEvery;
        await using var db = await _databases.CreateDbContextAsync();
        var newest = await db.Deployments.MaxAsync(deployment => (long?)deployment.Id) ?? 0;
        var unfinished = await db.Deployments.AsNoTracking()
            .Where(deployment => deployment.Status == DeploymentStatus.Queued || deployment.Status == DeploymentStatus.Running)
            .Select(deployment => new Unfinished(deployment.AppId, deployment.Id, deployment.Status, deployment.StartedAt))
            .ToHashSetAsync();
        var rows = await db.Apps.AsNoTracking()
            .Select(app => new AppRow(app.Id, app.Name, app.Environment, app.CurrentDeploymentId, app.StoppedAt, app.UpdatedAt))
            .ToListAsync();

        var changed = unfinished.Except(before.Unfinished).Concat(before.Unfinished.Except(unfinished)).Select(deployment => deployment.AppId).ToHashSet();
        if (!full && newest > before.Newest)
        {
            changed.UnionWith(await db.Deployments.Where(deployment => deployment.Id > before.Newest).Select(deployment => deployment.AppId).Distinct().ToListAsync());
        }

        var histories = await ReadHistoriesAsync(db, full ? null : changed, before.Histories);
        var specs = await ReadSpecsAsync(db, rows, before.Specs);
        var serving = await ReadServingAsync(db, rows, before.Serving);
        var queue = unfinished.Any(deployment => deployment.Status == DeploymentStatus.Queued)
            ? await QueueState.ReadAsync(db, CancellationToken.None)
            : null;
        var places = unfinished.Where(deployment => deployment.Status == DeploymentStatus.Queued)
            .GroupBy(deployment => deployment.AppId).ToDictionary(group => group.Key, group => queue!.Find(group.Min(deployment => deployment.Id)));
        var containers = await _glance.LookAsync(rows.Any(row => before.Rows.GetValueOrDefault(row.Id) != row));

        var earlier = before.Apps.ToDictionary(app => app.Name, StringComparer.Ordinal);
        var apps = rows.OrderBy(row => row.Name, StringComparer.Ordinal).Select(row =>
        {
            var serves = row.CurrentId is { } id ? serving.GetValueOrDefault(id) : null;
            var (image, hosts) = specs[row.Id].Spec;
            var app = new AppOverview(
                row.Name, row.Environment, StateOf(row, containers), image, hosts, serves,
                histories.GetValueOrDefault(row.Id) ?? [], places.GetValueOrDefault(row.Id));
            return earlier.TryGetValue(row.Name, out var same) && same == app ? same : app;
        }).ToList();
        return new Known(
            apps, full ? now : before.FullAt, newest, unfinished, rows.ToDictionary(row => row.Id), histories, specs, serving);
    }

    private static AppState StateOf(AppRow row, ContainersSeen containers)
    {
        if (row.CurrentId is not { } current)
        {
            return AppState.NotDeployed;
        }

        return containers.Find(current) switch
        {
            null when !containers.IsKnown => AppState.Unknown,
            null => AppState.Missing,
            { Status: Engine.ContainerStatus.Running, Health: Engine.ContainerHealth.Unhealthy } => AppState.Unhealthy,
            { Status: Engine.ContainerStatus.Running, Health: Engine.ContainerHealth.Starting } => AppState.Starting,
            { Status: Engine.ContainerStatus.Running } => AppState.Running,
            { Status: Engine.ContainerStatus.Restarting } => AppState.Restarting,
            { Status: Engine.ContainerStatus.Paused } => AppState.Paused,
            _ => row.StoppedAt is null ? AppState.Down : AppState.Stopped,
        };
    }

    // A range of the index of app and number for each app: numbers count without gaps.
    private static async Task<Dictionary<long, IReadOnlyList<Attempt>>> ReadHistoriesAsync(
        DeployerDb db, HashSet<long>? apps, Dictionary<long, IReadOnlyList<Attempt>> before)
    {
        if (apps is { Count: 0 })
        {
            return before;
        }

        var chosen = apps is null ? db.Apps : db.Apps.Where(app => apps.Contains(app.Id));
        var read = await chosen
            .Join(db.Deployments, app => app.Id, deployment => deployment.AppId, (app, deployment) => new { app, deployment })
            .Where(row => row.deployment.Number > db.Deployments.Where(other => other.AppId == row.app.Id).Max(other => other.Number) - MaxAttempts)
            .Select(row => new
            {
                row.deployment.AppId,
                Attempt = new Attempt(
                    row.deployment.Id, row.deployment.Number, row.deployment.Status, row.deployment.RequestedBy, row.deployment.CreatedAt,
                    row.deployment.StartedAt, row.deployment.EndedAt),
            })
            .AsNoTracking().ToListAsync();
        var histories = apps is null ? [] : new Dictionary<long, IReadOnlyList<Attempt>>(before);
        foreach (var history in read.GroupBy(row => row.AppId, row => row.Attempt))
        {
            IReadOnlyList<Attempt> attempts = [.. history.OrderBy(attempt => attempt.Number)];
            histories[history.Key] = before.GetValueOrDefault(history.Key) is { } same && same.SequenceEqual(attempts) ? same : attempts;
        }

        return histories;
    }

    private static async Task<Dictionary<long, (Instant ReadAt, SpecLine Spec)>> ReadSpecsAsync(
        DeployerDb db, List<AppRow> rows, Dictionary<long, (Instant ReadAt, SpecLine Spec)> before)
    {
        var stale = rows.Where(row => !before.TryGetValue(row.Id, out var spec) || spec.ReadAt != row.UpdatedAt).Select(row => row.Id).ToHashSet();
        if (stale.Count == 0 && before.Count == rows.Count)
        {
            return before;
        }

        var apps = stale.Count == rows.Count ? db.Apps : db.Apps.Where(app => stale.Contains(app.Id));
        var read = await apps.AsNoTracking().Select(app => new { app.Id, app.Spec }).ToDictionaryAsync(app => app.Id, app => app.Spec);
        return rows.ToDictionary(row => row.Id, row => read.TryGetValue(row.Id, out var spec)
            ? (row.UpdatedAt, new SpecLine(spec.Image, spec.Hosts))
            : before.GetValueOrDefault(row.Id, (row.UpdatedAt, new SpecLine("", []))));
    }

    private static async Task<Dictionary<long, Serving>> ReadServingAsync(DeployerDb db, List<AppRow> rows, Dictionary<long, Serving> before)
    {
        var wanted = rows.Select(row => row.CurrentId).OfType<long>().ToHashSet();
        var unknown = wanted.Where(id => !before.ContainsKey(id)).ToHashSet();
        if (unknown.Count == 0 && wanted.Count == before.Count)
        {
            return before;
        }

        var read = await db.Deployments.AsNoTracking().Where(deployment => unknown.Contains(deployment.Id))
            .Select(deployment => new Serving(deployment.Id, deployment.Number, deployment.Spec.Image, deployment.Digest, deployment.Ports))
            .ToDictionaryAsync(serving => serving.DeploymentId);
        foreach (var id in wanted)
        {
            if (before.TryGetValue(id, out var known))
            {
                read.TryAdd(id, known);
            }
        }

        return read;
    }

    private sealed record AppRow(long Id, string Name, string Environment, long? CurrentId, Instant? StoppedAt, Instant UpdatedAt);

    private sealed record Unfinished(long AppId, long Id, DeploymentStatus Status, Instant? StartedAt);

    private sealed record SpecLine(string Image, IReadOnlyList<string> Hosts);

    private sealed record Known(
        IReadOnlyList<AppOverview> Apps, Instant FullAt, long Newest, HashSet<Unfinished> Unfinished, Dictionary<long, AppRow> Rows,
        Dictionary<long, IReadOnlyList<Attempt>> Histories, Dictionary<long, (Instant ReadAt, SpecLine Spec)> Specs, Dictionary<long, Serving> Serving)
    {
        public static Known Nothing { get; } = new([], Instant.MinValue, 0, [], [], [], [], []);
    }
}
