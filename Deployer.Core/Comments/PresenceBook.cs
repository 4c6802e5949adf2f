using System.Collections.Concurrent;
using Deployer.Core.Access;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Deployer.Core.Comments;

/// <summary>Somebody who looks at a deployment.</summary>
/// <param name="Id">The person's id.</param>
/// <param name="Name">The person's name.</param>
public sealed record Viewer(string Id, string Name);

/// <summary>
/// Who looks at which deployment. The rows are in the database, so that several processes see one another's viewers; each
/// process renews the rows of its own pages together, in one transaction, so that many viewers cost one small write.
/// Rows that nobody renews, as after a crash, count no more after <see cref="Patience"/>.
/// </summary>
public sealed partial class PresenceBook : IDisposable
{
    /// <summary>How often a process renews the rows of its pages.</summary>
    public static readonly TimeSpan Beat = TimeSpan.FromSeconds(20);

    /// <summary>How long a row counts after it was renewed.</summary>
    public static readonly Duration Patience = Duration.FromSeconds(60);

    private readonly ConcurrentDictionary<Guid, long> _pages = new();
    private readonly IDbContextFactory<DeployerDb> _databases;
    private readonly AccessSubjects _subjects;
    private readonly DeploymentFeed _feed;
    private readonly TimeProvider _time;
    private readonly ILogger<PresenceBook> _logger;
    private readonly ITimer _timer;

    /// <summary>Starts renewing.</summary>
    public PresenceBook(
        IDbContextFactory<DeployerDb> databases, AccessSubjects subjects, DeploymentFeed feed, TimeProvider time, ILogger<PresenceBook> logger)
    {
        _subjects = subjects;
        _databases = databases;
        _feed = feed;
        _time = time;
        _logger = logger;
        _timer = time.CreateTimer(_ => _ = RenewAsync(), state: null, Beat, Beat);
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    /// <summary>A page of a person shows a deployment from now on.</summary>
    /// <returns>The page's own key, for <see cref="LeaveAsync"/>; <see langword="null"/> for callers that are no person or may not see it.</returns>
    public async Task<Guid?> EnterAsync(long deploymentId, Actor actor, CancellationToken cancellationToken)
    {
        if (actor.Kind != ActorKind.Person || !await MaySeeAsync(deploymentId, actor, cancellationToken))
        {
            return null;
        }

        var page = Guid.NewGuid();
        await using (var db = await _databases.CreateDbContextAsync(cancellationToken))
        {
            db.Add(new PresenceRow { DeploymentId = deploymentId, Page = page, PersonId = actor.Id, Person = actor.Name, SeenAt = _time.Now() });
            await db.SaveChangesAsync(cancellationToken);
        }

        _pages[page] = deploymentId;
        _feed.Publish(deploymentId);
        return page;
    }

    /// <summary>A page does not show its deployment any more.</summary>
    public async Task LeaveAsync(Guid page, CancellationToken cancellationToken)
    {
        if (!_pages.TryRemove(page, out var deploymentId))
        {
            return;
        }

        await using (var db = await _databases.CreateDbContextAsync(cancellationToken))
        {
            await db.Set<PresenceRow>().Where(row => row.DeploymentId == deploymentId && row.Page == page).ExecuteDeleteAsync(cancellationToken);
        }

        _feed.Publish(deploymentId);
    }

    /// <summary>Who looks at a deployment now, each person once, by name; <see langword="null"/> when there is none that the caller may see.</summary>
    public async Task<IReadOnlyList<Viewer>?> ListAsync(long deploymentId, Actor actor, CancellationToken cancellationToken)
    {
        if (!await MaySeeAsync(deploymentId, actor, cancellationToken))
        {
            return null;
        }

        var since = _time.Now() - Patience;
        await using var db = await _databases.CreateDbContextAsync(cancellationToken);
        var rows = await db.Set<PresenceRow>().AsNoTracking()
            .Where(row => row.DeploymentId == deploymentId && row.SeenAt > since)
            .Select(row => new Viewer(row.PersonId, row.Person)).Distinct().ToListAsync(cancellationToken);
        return [.. rows.DistinctBy(viewer => viewer.Id, StringComparer.Ordinal).OrderBy(viewer => viewer.Name, StringComparer.CurrentCultureIgnoreCase)];
    }

    /// <summary>Renews the rows of this process's pages, and removes those that nobody renewed for long. Raises nothing.</summary>
    internal async Task RenewAsync()
    {
        try
        {
            Guid[] pages = [.. _pages.Keys];
            var now = _time.Now();
            var lost = now - (2 * Patience);
            await using var db = await _databases.CreateDbContextAsync(CancellationToken.None);
            foreach (var some in pages.Chunk(500))
            {
                await db.Set<PresenceRow>().Where(row => some.Contains(row.Page))
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.SeenAt, now));
            }

            if (await db.Set<PresenceRow>().AnyAsync(row => row.SeenAt < lost))
            {
                await db.Set<PresenceRow>().Where(row => row.SeenAt < lost).ExecuteDeleteAsync();
            }
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            LogFailed(exception);
        }
    }

    private async Task<bool> MaySeeAsync(long deploymentId, Actor actor, CancellationToken cancellationToken) =>
        await _subjects.FindDeploymentAsync(deploymentId, cancellationToken) is { } subject
            && actor.May(AccessRole.Viewer, subject.Environment, subject.App);

    [LoggerMessage(LogLevel.Warning, "Who looks at deployments could not be renewed; it is tried again")]
    private partial void LogFailed(Exception exception);
}
