using Deployer.Core.Engine;
using Deployer.Core.Logs;

namespace Deployer.Core.Deployments;

/// <summary>Carries a container's output into the log, in the background, from its first line on.</summary>
internal sealed class OutputFollower : IAsyncDisposable
{
    // The container was started a moment ago: this is all of its output, and yet a bound.
    private const int Tail = 10_000;

    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(1);

    private readonly IContainerEngine _engine;
    private readonly string _containerId;
    private readonly DeploymentRun _run;
    private readonly TimeProvider _time;
    private readonly LogAppender _appender;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _following;
    private long _chunks;

    private OutputFollower(IContainerEngine engine, DeploymentRun run, string containerId, TimeProvider time)
    {
        _engine = engine;
        _containerId = containerId;
        _run = run;
        _time = time;
        _appender = run.Log.OpenOutput();
        _following = FollowAsync();
    }

    /// <summary>Begins to follow a container that was just started.</summary>
    public static OutputFollower Start(IContainerEngine engine, DeploymentRun run, string containerId, TimeProvider time) =>
        new(engine, run, containerId, time);

    /// <summary>Raises what the log store raised, if it did: a deployment whose log cannot be written must not go on.</summary>
    /// <exception cref="LogStoreException">Output could not be stored.</exception>
    public void ThrowIfFaulted()
    {
        if (_following.IsFaulted)
        {
            _following.GetAwaiter().GetResult();
        }
    }

    /// <summary>
    /// Ends following once the output so far is durable: to its end when the container has stopped, else until it falls
    /// quiet for a moment or a second has passed.
    /// </summary>
    /// <exception cref="LogStoreException">Output could not be stored.</exception>
    public async Task DrainAsync(bool containerStopped, CancellationToken cancellationToken)
    {
        if (containerStopped)
        {
            await _following.WaitAsync(cancellationToken);
        }
        else
        {
            var began = _time.GetTimestamp();
            long seen;
            do
            {
                seen = Interlocked.Read(ref _chunks);
                await Task.WhenAny(_following, Task.Delay(Quiet, _time, cancellationToken));
                cancellationToken.ThrowIfCancellationRequested();
            }
            while (!_following.IsCompleted && Interlocked.Read(ref _chunks) != seen && _time.GetElapsedTime(began) < DrainLimit);
            await _stop.CancelAsync();
            await _following;
        }

        await _appender.FlushAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        await _appender.DisposeAsync();
    }

    private async Task FollowAsync()
    {
        try
        {
            await foreach (var chunk in _engine.FollowOutputAsync(_containerId, Tail, _stop.Token))
            {
                await _appender.AppendAsync(_run.Log.Step, chunk, _stop.Token);
                Interlocked.Increment(ref _chunks);
                _run.Stall.Progress();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
        catch (EngineException)
        {
            // The end of the stream says nothing about the container; whoever watches it looks at the container itself.
        }
    }
}
