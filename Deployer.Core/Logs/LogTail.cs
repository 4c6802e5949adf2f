using System.Runtime.InteropServices;
using Deployer.Core.Deployments;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Deployer.Core.Logs;

/// <summary>
/// The recent lines of one deployment, read once for all who follow it. It reads the store by cursor when the bell rings;
/// followers take from memory what they have not seen, and one who is too slow for that reads the store itself, so that
/// nobody waits for anybody.
/// </summary>
internal sealed partial class LogTail : IAsyncDisposable
{
    private const int MaxLines = 4_000;
    private const int MaxCharacters = 1_000_000;
    private const int PageSize = 1_000;

    /// <summary>Longest wait between two reads, should the bell not ring.</summary>
    public static readonly TimeSpan Floor = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    private readonly LogStore _store;
    private readonly DeploymentFeed _feed;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<LogLine> _recent = [];
    private readonly long _deploymentId;
    private readonly Task _loop;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Instant? _before;
    private DeploymentStatus _status = DeploymentStatus.Running;
    private int _characters;
    private bool _loaded;
    private bool _complete;
    private bool _gone;
    private bool _failing;

    public LogTail(LogStore store, long deploymentId, DeploymentFeed feed, TimeProvider time, ILogger logger)
    {
        _store = store;
        _deploymentId = deploymentId;
        _feed = feed;
        _time = time;
        _logger = logger;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>How many follow; guarded by whoever hands tails out.</summary>
    public int Followers { get; set; }

    /// <summary>Completes at the next change. Take it before looking: then no change can fall between.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate)
            {
                return _changed.Task;
            }
        }
    }

    /// <summary>Stops reading.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    /// <summary>What comes after a cursor, if it is still in memory.</summary>
    public TailView Look(Instant? after, int limit)
    {
        lock (_gate)
        {
            if (_gone)
            {
                return new TailView(TailState.Gone, null);
            }

            if (_failing)
            {
                return new TailView(TailState.Failing, null);
            }

            if (!_loaded)
            {
                return new TailView(TailState.NotLoaded, null);
            }

            if (_before is { } before && (after is null || after < before))
            {
                return new TailView(TailState.TooFarBack, null);
            }

            var start = after is { } cursor ? FirstAfter(cursor) : 0;
            var count = Math.Min(limit, _recent.Count - start);
            var atEnd = start + count == _recent.Count;
            return new TailView(TailState.Page, new LogPage(
                _status, _recent.GetRange(start, count), count > 0 ? _recent[start + count - 1].Time : after, _complete && atEnd));
        }
    }

    private async Task RunAsync()
    {
        using var bell = _feed.Watch(_deploymentId);
        Instant? last = null;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var page = _loaded
                    ? await _store.GetLogsAfter(_deploymentId, last, PageSize, _stop.Token)
                    : await _store.GetLogsTail(_deploymentId, PageSize, _stop.Token);
                Take(page);
                if (page is null || page.Complete)
                {
                    return;
                }

                last = page.Lines.Count > 0 ? page.NextAfter : last;
                if (page.Lines.Count < PageSize)
                {
                    await bell.WaitAsync(Floor, _time, _stop.Token);
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // Followers keep what they have; the store may answer again.
                LogReadFailed(_deploymentId, exception);
                Fail();
                await Task.Delay(RetryAfter, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Fail()
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            _failing = true;
            changed = Renew();
        }

        changed.SetResult();
    }

    private void Take(LogPage? page)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            var failed = _failing;
            _failing = false;
            if (page is null)
            {
                _gone = true;
            }
            else if (!failed && _loaded && page.Lines.Count == 0 && page.Status == _status && page.Complete == _complete)
            {
                return;
            }
            else
            {
                Add(page);
            }

            changed = Renew();
        }

        changed.SetResult();
    }

    private TaskCompletionSource Renew()
    {
        var changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return changed;
    }

    private void Add(LogPage page)
    {
        if (!_loaded && page.Lines is [{ Line: > 1 } first, ..])
        {
            // No line can lie between: all after this are in memory.
            _before = first.Time.PlusNanoseconds(-1);
        }

        _loaded = true;

        // A final status is told with the last line and not before: one whose cursor is ahead would take it for the end.
        // Until then the deployment runs, as far as this knows.
        if (page.Complete || !page.Status.IsFinal())
        {
            _status = page.Status;
        }

        _complete = page.Complete;
        _recent.AddRange(page.Lines);
        _characters += page.Lines.Sum(line => line.Text.Length);
        if (_recent.Count > MaxLines || _characters > MaxCharacters)
        {
            // Half goes at once, so that the list is not moved for every line.
            var drop = 0;
            while (_recent.Count - drop > MaxLines / 2 || (_characters > MaxCharacters / 2 && drop < _recent.Count - 1))
            {
                _characters -= _recent[drop++].Text.Length;
            }

            _before = _recent[drop - 1].Time;
            _recent.RemoveRange(0, drop);
        }
    }

    private int FirstAfter(Instant cursor)
    {
        var (low, high) = (0, _recent.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_recent[middle].Time > cursor)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }

    [LoggerMessage(LogLevel.Warning, "Could not read the log of deployment {DeploymentId} for its followers; trying again")]
    private partial void LogReadFailed(long deploymentId, Exception exception);
}

/// <summary>What a follower finds in a tail.</summary>
internal enum TailState
{
    /// <summary>It has not read yet.</summary>
    NotLoaded,

    /// <summary>There is no such deployment.</summary>
    Gone,

    /// <summary>The store could not be read; it is tried again.</summary>
    Failing,

    /// <summary>The lines wanted are not in memory any more.</summary>
    TooFarBack,

    /// <summary>A page, perhaps an empty one.</summary>
    Page,
}

[StructLayout(LayoutKind.Auto)]
internal readonly record struct TailView(TailState State, LogPage? Page);
