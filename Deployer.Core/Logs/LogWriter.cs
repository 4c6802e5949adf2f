using System.Runtime.InteropServices;
using System.Text;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Deployer.Core.Logs;

/// <summary>
/// The one writer of logs. Takes what is queued, commits it as one transaction, tells the producers and wakes the
/// readers: group commit without deliberate waiting. Numbers and times are given here, inside the transaction, so they
/// are dense and strictly increasing whoever produces and whatever the clock does.
/// </summary>
internal sealed partial class LogWriter : IAsyncDisposable
{
    private const int MaxBatchLines = 10_000;
    private const int MaxBatchWeight = 8 * 1024 * 1024; // UTF-16 in memory: 4 MB of text

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(2);

    private readonly IDbContextFactory<DeployerDb> _databases;
    private readonly DeploymentFeed _feed;
    private readonly TimeProvider _time;
    private readonly TimeSpan _patience;
    private readonly ILogger _logger;
    private readonly LogQueue _queue = new(2 * MaxBatchLines, 2 * MaxBatchWeight);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<QueuedLine> _batch = [];
    private readonly Dictionary<long, DeploymentBatch> _byDeployment = [];
    private readonly Stack<DeploymentBatch> _spare = new();
    private readonly LogCheckpointer _checkpointer;
    private readonly Task _loop;
    private LogWriterConnection? _connection;

    public LogWriter(
        IDbContextFactory<DeployerDb> databases, DeploymentFeed feed, TimeProvider time, LogOptions options, ILogger logger)
    {
        _databases = databases;
        _feed = feed;
        _time = time;
        _patience = TimeSpan.FromSeconds(options.WritePatienceSeconds);
        _logger = logger;
        _checkpointer = new LogCheckpointer(databases, this, logger);
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Queues a line; waits while the writer is behind.</summary>
    /// <exception cref="LogStoreException">The producer has failed, or the store has shut down.</exception>
    public async ValueTask AddAsync(QueuedLine line, CancellationToken cancellationToken)
    {
        if (line.Producer.Fault is { } fault)
        {
            throw fault;
        }

        if (!await _queue.AddAsync(line, cancellationToken))
        {
            throw LogFaults.Stopped();
        }
    }

    /// <summary>
    /// Runs a piece of work in a transaction of its own between two batches. Keep it to a few milliseconds: appends wait.
    /// </summary>
    /// <exception cref="LogStoreException">It failed.</exception>
    public Task<T> InvokeAsync<T>(Func<LogWriterConnection, T> work, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var added = _queue.AddChore(() =>
        {
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                var connection = Connect();
                using var transaction = connection.Begin();
                var result = work(connection);
                transaction.Commit();
                _checkpointer.Wrote(connection.TakePagesWritten());
                done.TrySetResult(result);
            }
            catch (OperationCanceledException)
            {
                done.TrySetCanceled(cancellationToken);
            }
            catch (Exception exception)
            {
                Disconnect();
                done.TrySetException(LogFaults.Of(exception));
            }
        });
        return added ? done.Task : Task.FromException<T>(LogFaults.Stopped());
    }

    /// <summary>Moves what little of the write-ahead log is left, between two batches, so that it can start anew.</summary>
    public Task CheckpointAsync(CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var added = _queue.AddChore(() =>
        {
            try
            {
                if (_connection is { } connection && !cancellationToken.IsCancellationRequested)
                {
                    LogCheckpointer.Move(connection.Db);
                }

                done.TrySetResult();
            }
            catch (Exception exception)
            {
                // The writer must outlive whatever a chore meets.
                Disconnect();
                done.TrySetException(exception);
            }
        });
        return added ? done.Task : Task.CompletedTask;
    }

    /// <summary>Writes what is queued, then stops. A write that cannot succeed is not waited for.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Complete();
        if (!_loop.IsCompleted)
        {
            await _stopping.CancelAsync();
            await _loop;
            _stopping.Dispose();
        }

        // Last, as every commit is counted there. A move that still goes on gets its answer from the completed queue.
        await _checkpointer.DisposeAsync();
    }

    private async Task RunAsync()
    {
        while (await _queue.WaitAsync())
        {
            var chore = _queue.Take(_batch, MaxBatchLines, MaxBatchWeight);
            if (_batch.Count > 0)
            {
                await WriteAsync();
                _batch.Clear();
            }

            chore?.Invoke();
        }

        Disconnect();
    }

    /// <summary>Writes the batch; on errors that may pass, again and again while the producers wait.</summary>
    private async Task WriteAsync()
    {
        var started = _time.GetTimestamp();
        for (var retry = FirstRetry; ; retry = retry * 2 < LongestRetry ? retry * 2 : LongestRetry)
        {
            try
            {
                Commit();
                return;
            }
            catch (Exception exception)
            {
                Disconnect();
                if (!LogFaults.MayPass(exception) || _time.GetElapsedTime(started) >= _patience || _stopping.IsCancellationRequested)
                {
                    Refuse(LogFaults.Of(exception));
                    LogLost(_batch.Count, exception);
                    return;
                }

                LogRetry(_batch.Count, exception.Message);
            }

            await Task.Delay(retry, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Commit()
    {
        Group();
        try
        {
            if (_byDeployment.Count > 0)
            {
                var connection = Connect();
                using var transaction = connection.Begin();

                // In one batch the clock is read once; lines of a deployment are a nanosecond apart.
                var now = _time.Now().ToUnixTimeNanoseconds();
                foreach (var (deploymentId, lines) in _byDeployment)
                {
                    Store(connection, deploymentId, lines, now);
                }

                transaction.Commit();
                _checkpointer.Wrote(connection.TakePagesWritten());
            }

            foreach (var (deploymentId, lines) in _byDeployment)
            {
                if (lines.Refusal is null)
                {
                    _feed.PublishLines(deploymentId);
                }
                else
                {
                    LogRefused(deploymentId, lines.Lines.Count, lines.Refusal.Message);
                }
            }

            Acknowledge();
        }
        finally
        {
            foreach (var lines in _byDeployment.Values)
            {
                lines.Clear();
                _spare.Push(lines);
            }

            _byDeployment.Clear();
        }
    }

    /// <summary>Sorts the batch by deployment, in order; leaves out producers that have failed.</summary>
    private void Group()
    {
        foreach (ref readonly var line in CollectionsMarshal.AsSpan(_batch))
        {
            if (line.Text is null || line.Producer.Fault is not null)
            {
                continue;
            }

            ref var lines = ref CollectionsMarshal.GetValueRefOrAddDefault(_byDeployment, line.Producer.DeploymentId, out _);
            lines ??= _spare.TryPop(out var spare) ? spare : new DeploymentBatch();
            lines.Lines.Add(new RunLine(0, line.Stream, line.Step, line.Text));
        }
    }

    /// <summary>Numbers, stamps and inserts the lines of one deployment, unless its log is closed.</summary>
    private static void Store(LogWriterConnection connection, long deploymentId, DeploymentBatch batch, long now)
    {
        if (connection.FindEnd(deploymentId) is not { } end)
        {
            batch.Refusal = LogFaults.Unknown(deploymentId);
            return;
        }

        // Read under the write lock: a status that turns final after this commits after these lines.
        if (end.Status.IsFinal())
        {
            batch.Refusal = LogFaults.Closed(deploymentId);
            return;
        }

        var lines = CollectionsMarshal.AsSpan(batch.Lines);
        var time = end.LastTime is { } last ? Math.Max(now, last + 1) : now;
        var number = end.LastLine + 1;
        for (var start = 0; start < lines.Length;)
        {
            var bytes = 0;
            var count = 0;
            while (start + count < lines.Length && count < RunCodec.MaxLines && bytes < RunCodec.MaxTextBytes)
            {
                ref var line = ref lines[start + count++];
                line = line with { Time = time++ };
                bytes += Encoding.UTF8.GetByteCount(line.Text);
            }

            connection.Insert(deploymentId, number, lines.Slice(start, count));
            number += count;
            start += count;
        }
    }

    /// <summary>Tells every producer of the batch that its lines are durable, or refused.</summary>
    private void Acknowledge()
    {
        DeployerTelemetry.LogLines.Add(_batch.Count);
        foreach (ref readonly var line in CollectionsMarshal.AsSpan(_batch))
        {
            if (line.Text is not null && line.Producer.Fault is null
                && _byDeployment.TryGetValue(line.Producer.DeploymentId, out var lines) && lines.Refusal is { } refusal)
            {
                line.Producer.Fail(refusal);
            }

            Tell(line);
        }
    }

    private void Refuse(LogStoreException fault)
    {
        foreach (ref readonly var line in CollectionsMarshal.AsSpan(_batch))
        {
            if (line.Text is not null)
            {
                line.Producer.Fail(fault);
            }

            Tell(line);
        }
    }

    private static void Tell(in QueuedLine line)
    {
        if (line.Producer.Fault is { } fault)
        {
            line.Durable?.TrySetException(fault);
        }
        else
        {
            line.Durable?.TrySetResult();
        }
    }

    private LogWriterConnection Connect() => _connection ??= LogWriterConnection.Open(_databases, (int)_patience.TotalSeconds);

    // Raises nothing: what comes after an error is a new connection, whatever becomes of the old one.
    private void Disconnect()
    {
        var connection = _connection;
        _connection = null;
        try
        {
            connection?.Dispose();
        }
        catch (Exception exception)
        {
            LogNotClosed(exception);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Could not write {Count} log lines yet, trying again: {Reason}")]
    private partial void LogRetry(int count, string reason);

    [LoggerMessage(LogLevel.Warning, "A connection to the database could not be closed after an error")]
    private partial void LogNotClosed(Exception exception);

    [LoggerMessage(LogLevel.Error, "Gave up writing {Count} log lines; their producers are told")]
    private partial void LogLost(int count, Exception exception);

    [LoggerMessage(LogLevel.Warning, "Refused {Count} log lines of deployment {DeploymentId}: {Reason}")]
    private partial void LogRefused(long deploymentId, int count, string reason);

    /// <summary>The lines of one deployment in the batch at hand.</summary>
    private sealed class DeploymentBatch
    {
        public List<RunLine> Lines { get; } = [];

        public LogStoreException? Refusal { get; set; }

        public void Clear()
        {
            Lines.Clear();
            Refusal = null;
        }
    }
}
