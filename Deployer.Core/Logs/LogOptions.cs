using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

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

    /// <summary>Which logs are kept. Section <c>Logs:Retention</c>.</summary>
    [ValidateObjectMembers]
    public LogRetentionOptions Retention { get; set; } = new();
}

/// <summary>
/// Which logs are kept. A log is removed as soon as one of the limits wants it; the deployment itself stays in the
/// history. The log of the deployment that serves, of one that has not ended, and of a pinned one are always kept.
/// </summary>
public sealed class LogRetentionOptions
{
    /// <summary>
    /// Days after the end of its deployment for which a log is kept; <see langword="null"/> for no limit. Configuration
    /// key <c>Logs:Retention:MaxAgeDays</c>.
    /// </summary>
    [Range(1, 36500, ErrorMessage = "Logs:Retention:MaxAgeDays must be between 1 and 36500 days.")]
    public int? MaxAgeDays { get; set; }

    /// <summary>
    /// How many of an app's newest deployments keep their log; <see langword="null"/> for no limit. Configuration key
    /// <c>Logs:Retention:MaxPerApp</c>.
    /// </summary>
    [Range(1, 1_000_000, ErrorMessage = "Logs:Retention:MaxPerApp must be between 1 and 1000000 deployments.")]
    public int? MaxPerApp { get; set; }

    /// <summary>
    /// Megabytes (10⁶ bytes) that all logs together may take as stored; the oldest go first. <see langword="null"/> for no
    /// limit. Configuration key <c>Logs:Retention:MaxTotalMegabytes</c>.
    /// </summary>
    [Range(1, 100_000_000, ErrorMessage = "Logs:Retention:MaxTotalMegabytes must be between 1 and 100000000 megabytes.")]
    public long? MaxTotalMegabytes { get; set; } = 10_000;
}
