namespace Deployer.Core.Logs;

/// <summary>How long a search may go on. For one search in one thread.</summary>
internal sealed class LogScanLimit(TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
{
    private readonly long _started = time.GetTimestamp();
    private bool _hasLooked;

    /// <summary>Whether the time was up before all was seen.</summary>
    public bool IsUp { get; private set; }

    /// <summary>
    /// Asked before more is looked at: whether there is time. There always is until something was: a search that goes on
    /// where one was cut short must get further.
    /// </summary>
    /// <exception cref="OperationCanceledException">Nobody waits for the search any more.</exception>
    public bool HasTime()
    {
        cancellationToken.ThrowIfCancellationRequested();
        IsUp |= _hasLooked && time.GetElapsedTime(_started) >= limit;
        return !IsUp;
    }

    /// <summary>Told when a line, or a run of them, was looked at.</summary>
    public void Looked() => _hasLooked = true;
}
