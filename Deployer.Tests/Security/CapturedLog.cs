using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Deployer.Tests.Security;

/// <summary>Keeps what a server logs, with the text of exceptions.</summary>
internal sealed class CapturedLog : ILoggerProvider
{
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The messages.</summary>
    public ConcurrentQueue<string> Messages { get; } = new();

    /// <summary>Waits until there is a message with that text.</summary>
    public async Task WaitForAsync(string text, CancellationToken cancellationToken)
    {
        while (true)
        {
            var more = Volatile.Read(ref _more).Task;
            if (Messages.Any(message => message.Contains(text, StringComparison.Ordinal)))
            {
                return;
            }

            await more.WaitAsync(cancellationToken);
        }
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
        // The test may read on.
    }

    private sealed class Logger(CapturedLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            log.Messages.Enqueue($"{category}: {formatter(state, exception)} {exception}");
            Interlocked.Exchange(ref log._more, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        }
    }
}
