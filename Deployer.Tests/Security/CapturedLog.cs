using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Deployer.Tests.Security;

/// <summary>Keeps what a server logs, with the text of exceptions.</summary>
internal sealed class CapturedLog : ILoggerProvider
{
    /// <summary>The messages.</summary>
    public ConcurrentQueue<string> Messages { get; } = new();

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

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Messages.Enqueue($"{category}: {formatter(state, exception)} {exception}");
    }
}
