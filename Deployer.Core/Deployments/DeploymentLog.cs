using Deployer.Core.Engine;
using Deployer.Core.Logs;
using Microsoft.Extensions.Logging;

namespace Deployer.Core.Deployments;

/// <summary>The log of a running deployment, as its steps write it.</summary>
internal sealed partial class DeploymentLog(
    LogStore store, long deploymentId, IReadOnlyCollection<string> secrets, ILogger logger) : IAsyncDisposable
{
    private readonly LogAppender _system = store.Open(deploymentId, secrets);

    /// <summary>The step whose lines these are.</summary>
    public StepKind Step { get; set; }

    /// <summary>Deployer says something.</summary>
    /// <exception cref="LogStoreException">The log cannot be written.</exception>
    public ValueTask SayAsync(string text, CancellationToken cancellationToken) =>
        _system.AppendAsync(LogStream.System, Step, text, cancellationToken);

    /// <summary>
    /// Deployer says something while it puts things right: a log that cannot be written is then no reason to stop.
    /// </summary>
    public async ValueTask TellAsync(string text, CancellationToken cancellationToken)
    {
        try
        {
            await SayAsync(text, cancellationToken);
        }
        catch (LogStoreException exception)
        {
            LogLineLost(exception, deploymentId, text);
        }
    }

    /// <summary>A producer of its own for a container's output, which comes beside what Deployer says.</summary>
    public LogAppender OpenOutput() => store.Open(deploymentId, secrets);

    /// <summary>Completes when everything said is durable.</summary>
    /// <exception cref="LogStoreException">The log cannot be written.</exception>
    public Task FlushAsync(CancellationToken cancellationToken) => _system.FlushAsync(cancellationToken);

    /// <summary>As <see cref="FlushAsync"/>, when the deployment ends badly anyway.</summary>
    public async Task TryFlushAsync(CancellationToken cancellationToken)
    {
        try
        {
            await FlushAsync(cancellationToken);
        }
        catch (LogStoreException exception)
        {
            LogLineLost(exception, deploymentId, "the last lines");
        }
    }

    /// <summary>The container's last lines as they were stored, oldest first.</summary>
    public async Task<IReadOnlyList<string>> LastOutputAsync(int count, CancellationToken cancellationToken)
    {
        // Deployer's own lines lie between the container's: look back a little further.
        var page = await store.GetLogsTail(deploymentId, count * 2, cancellationToken);
        return page is null ? [] : [.. page.Lines.Where(line => line.Stream != LogStream.System).TakeLast(count).Select(line => line.Text)];
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _system.DisposeAsync();
        }
        catch (LogStoreException exception)
        {
            LogLineLost(exception, deploymentId, "the last lines");
        }
    }

    [LoggerMessage(LogLevel.Error, "Deployment {DeploymentId}: its log could not take: {Text}")]
    private partial void LogLineLost(Exception exception, long deploymentId, string text);
}
