using Microsoft.Data.Sqlite;

namespace Deployer.Core.Logs;

/// <summary>What SQLite's errors mean to a producer. Codes: https://sqlite.org/rescode.html.</summary>
internal static class LogFaults
{
    private const int Busy = 5;
    private const int TableLocked = 6;
    private const int ReadOnly = 8;
    private const int IoError = 10;
    private const int Full = 13;
    private const int CannotOpen = 14;

    /// <summary>Whether the same write may succeed a little later.</summary>
    public static bool MayPass(Exception exception) =>
        exception is SqliteException { SqliteErrorCode: Busy or TableLocked or IoError or Full or CannotOpen };

    public static LogStoreException Of(Exception exception) => (exception as SqliteException)?.SqliteErrorCode switch
    {
        Full => new(LogStoreFault.DiskFull, "The log could not be written: the disk of the database is full.", exception),
        Busy or TableLocked => new(
            LogStoreFault.Locked, "The log could not be written: another process keeps the database locked.", exception),
        ReadOnly or CannotOpen => new(
            LogStoreFault.ReadOnly, "The log could not be written: the database or its directory cannot be written.", exception),
        _ => new(LogStoreFault.Failed, $"The log could not be written: {exception.Message}", exception),
    };

    public static LogStoreException Closed(long deploymentId) => new(
        LogStoreFault.Closed, $"The log of deployment {deploymentId} is closed: its status is final.", innerException: null);

    public static LogStoreException Unknown(long deploymentId) => new(
        LogStoreFault.Unknown, $"There is no deployment {deploymentId}.", innerException: null);

    public static LogStoreException Stopped() => new(
        LogStoreFault.Stopped, "The log could not be written: the log store has shut down.", innerException: null);
}
