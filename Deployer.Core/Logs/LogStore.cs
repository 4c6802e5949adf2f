using System.Collections.Concurrent;
using System.Collections.Immutable;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NodaTime;

namespace Deployer.Core.Logs;

/// <summary>
/// Appends and reads deployment logs. Lines of a deployment are numbered 1, 2, 3 … without gap and their times strictly
/// increase; whoever sees a line can see all before it; an acknowledged line survives the death of the process; when a
/// status is final, all lines are there. ARCHITECTURE.md tells the way of a line.
/// </summary>
public sealed partial class LogStore : IAsyncDisposable
{
    private readonly TimeProvider _time;
    private readonly LogWriter _writer;
    private readonly LogReads _reads;
    private readonly LogTails _tails;
    private readonly ConcurrentDictionary<long, ImmutableArray<Redactor>> _redactors = new();

    /// <summary>Starts the writer.</summary>
    public LogStore(
        IDbContextFactory<DeployerDb> databases, DeploymentFeed feed, TimeProvider time, IOptions<LogOptions> options,
        ILogger<LogStore> logger)
    {
        _time = time;
        _reads = new LogReads(databases);
        _tails = new LogTails(this, feed, time, logger);
        _writer = new LogWriter(databases, feed, time, options.Value, logger);
    }

    /// <summary>The writer, for work that must take turns with appends.</summary>
    internal LogWriter Writer => _writer;

    /// <summary>Reading connections.</summary>
    internal LogReads Reads => _reads;

    /// <summary>
    /// Stores text as one line (several where it holds line ends). Completes when it is durable. Secrets of appenders
    /// that are open for the deployment are masked.
    /// </summary>
    /// <exception cref="LogStoreException">It could not be stored.</exception>
    public async Task AppendLog(
        long deploymentId, LogStream stream, StepKind step, string text, CancellationToken cancellationToken)
    {
        var redactors = _redactors.TryGetValue(deploymentId, out var open) ? open : [];
        await using var appender = new LogAppender(_writer, deploymentId, redactors, static _ => { });
        await appender.AppendAsync(stream, step, text, cancellationToken);
        await appender.FlushAsync(cancellationToken);
    }

    /// <summary>Opens a producer's handle for a deployment. Dispose it when nothing more will come.</summary>
    /// <param name="deploymentId">The deployment.</param>
    /// <param name="secrets">
    /// Values that must never be stored in the clear, nor base64- or URL-encoded. Those of fewer than four characters are
    /// not looked for.
    /// </param>
    public LogAppender Open(long deploymentId, IReadOnlyCollection<string> secrets)
    {
        var redactor = Redactor.Create(secrets);
        _redactors.AddOrUpdate(deploymentId, [redactor], (_, open) => open.Add(redactor));
        return new LogAppender(_writer, deploymentId, [redactor], Close);
    }

    /// <summary>The lines after a cursor.</summary>
    /// <param name="deploymentId">The deployment.</param>
    /// <param name="after">Time of the last line seen; <see langword="null"/> for the beginning.</param>
    /// <param name="limit">Most lines to return, at least 1.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <returns>The page; <see langword="null"/> when there is no such deployment.</returns>
    public Task<LogPage?> GetLogsAfter(long deploymentId, Instant? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return Read(connection => connection.ReadAfter(deploymentId, after, limit), cancellationToken);
    }

    /// <summary>The lines from a number on.</summary>
    /// <param name="deploymentId">The deployment.</param>
    /// <param name="fromLine">Number of the first line wanted, at least 1.</param>
    /// <param name="limit">Most lines to return, at least 1.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <returns>
    /// The page, complete when the status is final and it reached the end; <see langword="null"/> when there is no such
    /// deployment.
    /// </returns>
    public Task<LogPage?> GetLogsRange(long deploymentId, long fromLine, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(fromLine, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return Read(connection => connection.ReadFrom(deploymentId, fromLine, limit), cancellationToken);
    }

    /// <summary>The last lines.</summary>
    /// <param name="deploymentId">The deployment.</param>
    /// <param name="count">Most lines to return, at least 1.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <returns>The page; <see langword="null"/> when there is no such deployment.</returns>
    public Task<LogPage?> GetLogsTail(long deploymentId, int count, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return Read(connection => connection.ReadTail(deploymentId, count), cancellationToken);
    }

    /// <summary>How far the log reaches now; <see langword="null"/> when there is no such deployment.</summary>
    public Task<LogExtent?> GetExtent(long deploymentId, CancellationToken cancellationToken) =>
        Read(connection => connection.ReadExtent(deploymentId), cancellationToken);

    /// <summary>Writes what has been taken, then closes the database connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await _tails.DisposeAsync();
        await _writer.DisposeAsync();
        _reads.Dispose();
    }

    // SQLite reads are synchronous and these take well under a millisecond: a hop to another thread would cost more.
    private Task<T> Read<T>(Func<LogReadConnection, T> read, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<T>(cancellationToken);
        }

        try
        {
            return Task.FromResult(_reads.Run(read));
        }
        catch (Exception exception)
        {
            return Task.FromException<T>(exception);
        }
    }

    private void Close(LogAppender appender)
    {
        while (_redactors.TryGetValue(appender.DeploymentId, out var open))
        {
            var left = open.Remove(appender.Redactors[0]);
            var removed = left.IsEmpty
                ? _redactors.TryRemove(new(appender.DeploymentId, open))
                : _redactors.TryUpdate(appender.DeploymentId, left, open);
            if (removed)
            {
                return;
            }
        }
    }
}
