using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.Extensions.Logging;

namespace Deployer.Core.Runner;

/// <summary>Why a running deployment is told to stop.</summary>
internal enum StopReason
{
    /// <summary>It is not.</summary>
    None,

    /// <summary>A person asked.</summary>
    Canceled,

    /// <summary>Nothing happened for too long.</summary>
    Stalled,

    /// <summary>Deployer shuts down.</summary>
    ShuttingDown,

    /// <summary>The claim is lost: another worker may hold the deployment.</summary>
    ClaimLost,
}

/// <summary>
/// Watches over a running deployment from beside: renews its lease, looks for a person's cancel, and says by
/// <see cref="Token"/> when it has to stop. The first reason counts.
/// </summary>
internal sealed partial class RunGuard : IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly Claim _claim;
    private readonly DeploymentLedger _ledger;
    private readonly DeploymentFeed _feed;
    private readonly TimeSpan _lease;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _end = new();
    private readonly CancellationTokenRegistration _onStall;
    private readonly CancellationTokenRegistration _onShutdown;
    private readonly Task _watching;
    private int _reason;

    /// <summary>Begins to watch.</summary>
    public RunGuard(
        Claim claim, StallWatch stall, DeploymentLedger ledger, DeploymentFeed feed, TimeSpan lease, TimeProvider time,
        ILogger logger, CancellationToken shutdown)
    {
        _claim = claim;
        _ledger = ledger;
        _feed = feed;
        _lease = lease;
        _time = time;
        _logger = logger;
        _onStall = stall.Token.Register(() => Stop(StopReason.Stalled));
        _onShutdown = shutdown.Register(() => Stop(StopReason.ShuttingDown));
        _watching = WatchAsync(_end.Token);
    }

    /// <summary>Canceled when the deployment has to stop.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>Why it has to stop.</summary>
    public StopReason Reason => (StopReason)Volatile.Read(ref _reason);

    /// <summary>Who asked to cancel, where that is the reason.</summary>
    public string? Canceler { get; private set; }

    /// <summary>Canceled when the claim is lost; what puts things right after a stop goes by this alone.</summary>
    public CancellationToken ClaimLost => _claimLost.Token;

    private readonly CancellationTokenSource _claimLost = new();

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watching;
        await _onStall.DisposeAsync();
        await _onShutdown.DisposeAsync();
        _end.Dispose();
        _stop.Dispose();
        _claimLost.Dispose();
    }

    private void Stop(StopReason reason)
    {
        Interlocked.CompareExchange(ref _reason, (int)reason, (int)StopReason.None);
        _stop.Cancel();
    }

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        using var bell = _feed.WatchAll();
        var renewed = _time.GetTimestamp();
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (_time.GetElapsedTime(renewed) >= _lease / 3)
                {
                    var now = _time.GetTimestamp();
                    await _ledger.RenewAsync(_claim, _lease, cancellationToken);
                    renewed = now;
                }

                if (Reason == StopReason.None && await _ledger.FindCancelerAsync(_claim.DeploymentId, cancellationToken) is { } canceler)
                {
                    Canceler = canceler;
                    Stop(StopReason.Canceled);
                }

                await bell.WaitAsync(LookInterval < _lease / 3 ? LookInterval : _lease / 3, _time, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (ClaimLostException)
            {
                LoseClaim();
                return;
            }
            catch (Exception exception)
            {
                LogWatchFailed(exception, _claim.DeploymentId);
                if (_time.GetElapsedTime(renewed) >= _lease)
                {
                    LoseClaim();
                    return;
                }

                await Task.Delay(LookInterval, _time, CancellationToken.None);
            }
        }
    }

    private void LoseClaim()
    {
        Stop(StopReason.ClaimLost);
        _claimLost.Cancel();
    }

    [LoggerMessage(LogLevel.Warning, "Deployment {DeploymentId}: could not look after its lease; trying again")]
    private partial void LogWatchFailed(Exception exception, long deploymentId);
}
