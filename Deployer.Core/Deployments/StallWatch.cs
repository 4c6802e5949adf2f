namespace Deployer.Core.Deployments;

/// <summary>Ends work that makes no progress: counts the time since the last progress, not the time in all.</summary>
internal sealed class StallWatch(TimeSpan limit, TimeProvider time) : IDisposable
{
    private readonly CancellationTokenSource _stalled = new(limit, time);

    /// <summary>How long nothing may happen.</summary>
    public TimeSpan Limit => limit;

    /// <summary>Canceled once nothing has happened for the limit.</summary>
    public CancellationToken Token => _stalled.Token;

    /// <summary>Something happened.</summary>
    public void Progress() => _stalled.CancelAfter(limit);

    /// <summary>Something begins that may rightly take so long without a sign.</summary>
    public void Expect(TimeSpan silence) => _stalled.CancelAfter(limit + silence);

    public void Dispose() => _stalled.Dispose();
}
