using Deployer.Core.Deployments;
using NodaTime;

namespace Deployer.Core.Logs;

/// <summary>Appends and reads deployment logs.</summary>
public sealed class LogStore
{
    /// <summary>Stores text as one line (several where it holds line ends). Completes when it is durable.</summary>
    /// <exception cref="LogStoreException">It could not be stored.</exception>
    public Task AppendLog(long deploymentId, LogStream stream, StepKind step, string text, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Opens a producer's handle for a deployment.</summary>
    /// <param name="deploymentId">The deployment.</param>
    /// <param name="secrets">Values that must never be stored in the clear, nor base64- or URL-encoded.</param>
    public LogAppender Open(long deploymentId, IReadOnlyCollection<string> secrets) => throw new NotSupportedException();

    /// <summary>The lines after a cursor.</summary>
    /// <param name="deploymentId">The deployment.</param>
    /// <param name="after">Time of the last line seen; <see langword="null"/> for the beginning.</param>
    /// <param name="limit">Most lines to return, at least 1.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <returns>The page; <see langword="null"/> when there is no such deployment.</returns>
    public Task<LogPage?> GetLogsAfter(long deploymentId, Instant? after, int limit, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>The lines after a cursor; on an empty page of a log that may still grow, waits for a line or a change of status.</summary>
    public Task<LogPage?> GetLogsAfter(
        long deploymentId, Instant? after, int limit, TimeSpan wait, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>The lines from a number on. <see cref="LogPage.Complete"/> when the status is final and the page reached the end.</summary>
    public Task<LogPage?> GetLogsRange(long deploymentId, long fromLine, int limit, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>The last lines.</summary>
    public Task<LogPage?> GetLogsTail(long deploymentId, int count, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>How far the log reaches now.</summary>
    public Task<LogExtent?> GetExtent(long deploymentId, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}
