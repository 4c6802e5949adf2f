using System.ComponentModel.DataAnnotations;

namespace Deployer.Core.Runner;

/// <summary>How the runner works. Configuration section <c>Runner</c>.</summary>
public sealed class RunnerOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Runner";

    /// <summary>Most deployments that run at the same time in this process. Configuration key <c>Runner:MaxConcurrent</c>.</summary>
    [Range(1, 256, ErrorMessage = "Runner:MaxConcurrent must be 1–256: how many deployments may run at the same time.")]
    public int MaxConcurrent { get; set; } = 4;

    /// <summary>How long a claim holds unless it is renewed. Configuration key <c>Runner:Lease</c>.</summary>
    [Range(typeof(TimeSpan), "00:00:03", "01:00:00", ErrorMessage = "Runner:Lease must be between 00:00:03 and 01:00:00.")]
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest wait between two looks at the queue. Configuration key <c>Runner:PollInterval</c>.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00", ErrorMessage = "Runner:PollInterval must be between 00:00:00.1 and 00:05:00.")]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long a deployment may go without any progress before it fails. Configuration key <c>Runner:StallLimit</c>.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ErrorMessage = "Runner:StallLimit must be between 00:00:01 and 1.00:00:00.")]
    public TimeSpan StallLimit { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long a container without any health check must keep running to count as healthy. Configuration key
    /// <c>Runner:StaysRunning</c>.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00", ErrorMessage = "Runner:StaysRunning must be between 00:00:00 and 00:10:00.")]
    public TimeSpan StaysRunning { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// How long an app with host names and no health check may take until it accepts connections, before its deployment
    /// fails. Configuration key <c>Runner:ListensWithin</c>.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00", ErrorMessage = "Runner:ListensWithin must be between 00:00:00 and 01:00:00.")]
    public TimeSpan ListensWithin { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long running deployments may go on after the stop signal before they are interrupted and undone. Configuration
    /// key <c>Runner:ShutdownGrace</c>.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00", ErrorMessage = "Runner:ShutdownGrace must be between 00:00:00 and 01:00:00.")]
    public TimeSpan ShutdownGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How often the engine is looked over for what crashed or failed deployments left. Configuration key
    /// <c>Runner:CareInterval</c>.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ErrorMessage = "Runner:CareInterval must be between 00:00:01 and 01:00:00.")]
    public TimeSpan CareInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How many images of an app stay in the engine, so that earlier deployments can be restored without the registry.
    /// Configuration key <c>Runner:KeepImages</c>.
    /// </summary>
    [Range(1, 100, ErrorMessage = "Runner:KeepImages must be 1–100: how many images of each app stay in the engine.")]
    public int KeepImages { get; set; } = 5;
}
