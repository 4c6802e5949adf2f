using System.ComponentModel.DataAnnotations;

namespace Deployer.Core.Logs;

/// <summary>How logs are written. Configuration section <c>Logs</c>.</summary>
public sealed class LogOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Logs";

    /// <summary>
    /// Seconds for which a write that a full disk or another process keeps from succeeding is tried again, while the
    /// producers wait. After that they get a <see cref="LogStoreException"/>. Configuration key
    /// <c>Logs:WritePatienceSeconds</c>.
    /// </summary>
    [Range(0, 3600, ErrorMessage = "Logs:WritePatienceSeconds must be between 0 and 3600 seconds.")]
    public int WritePatienceSeconds { get; set; } = 30;
}
