namespace Deployer.Core.Logs;

/// <summary>Whose lines they are: what the writer needs to know of an appender.</summary>
internal sealed class LogProducer(long deploymentId)
{
    private LogStoreException? _fault;

    public long DeploymentId => deploymentId;

    /// <summary>
    /// Why lines of this producer could not be stored. Once set, the writer takes none of its lines any more: a later line
    /// without an earlier one would hide the loss.
    /// </summary>
    public LogStoreException? Fault => Volatile.Read(ref _fault);

    public void Fail(LogStoreException fault) => Interlocked.CompareExchange(ref _fault, fault, null);
}
