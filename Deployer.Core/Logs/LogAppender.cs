using Deployer.Core.Deployments;
using Deployer.Core.Engine;

namespace Deployer.Core.Logs;

/// <summary>
/// A producer's way into the log of one deployment. What it takes passes the gate (line splitting, sanitising,
/// redaction) and is stored in the order in which it was given. Several may be open for one deployment.
/// </summary>
public sealed class LogAppender : IAsyncDisposable
{
    internal LogAppender()
    {
    }

    /// <summary>Takes text: one line, or several where it holds line ends. Waits while the store is behind.</summary>
    /// <exception cref="LogStoreException">Earlier lines of this appender could not be stored.</exception>
    public ValueTask AppendAsync(LogStream stream, StepKind step, string text, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Takes a piece of engine output as it came. A last line without its end waits for the next piece or a flush.</summary>
    /// <exception cref="LogStoreException">Earlier lines of this appender could not be stored.</exception>
    public ValueTask AppendAsync(StepKind step, OutputChunk chunk, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Completes when everything taken so far is durable, a last line without its end included.</summary>
    /// <exception cref="LogStoreException">Lines of this appender could not be stored.</exception>
    public Task FlushAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>Flushes and closes. A fault of the store is raised here too, unless an append or flush raised it before.</summary>
    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
