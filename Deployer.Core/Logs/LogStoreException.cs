namespace Deployer.Core.Logs;

/// <summary>Why the log store refused or lost the ability to write.</summary>
public enum LogStoreFault
{
    /// <summary>The disk of the database is full.</summary>
    DiskFull,

    /// <summary>Another process held the database's write lock for longer than the store waits.</summary>
    Locked,

    /// <summary>The database cannot be written: read-only file, directory or file system.</summary>
    ReadOnly,

    /// <summary>The deployment's status is final, so its log is closed.</summary>
    Closed,

    /// <summary>There is no such deployment.</summary>
    Unknown,

    /// <summary>Any other fault of the database; the inner exception tells.</summary>
    Failed,

    /// <summary>The store was shut down before the lines could be written.</summary>
    Stopped,
}

/// <summary>
/// Lines could not be stored. Raised to the producer whose lines they were: by the append that finds out, and by every
/// append and flush of that <see cref="LogAppender"/> from then on.
/// </summary>
public sealed class LogStoreException(LogStoreFault fault, string message, Exception? innerException)
    : Exception(message, innerException)
{
    /// <summary>What is wrong.</summary>
    public LogStoreFault Fault { get; } = fault;
}
