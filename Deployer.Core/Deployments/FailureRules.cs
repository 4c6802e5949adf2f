using Deployer.Core.Engine;
using Deployer.Core.Logs;

namespace Deployer.Core.Deployments;

/// <summary>Says of what went wrong: which kind of failure, the cause in plain words, and the remedy.</summary>
internal static class FailureRules
{
    // Exit codes: 126 and 127 are the shell's and the engine's (command cannot be run, is not there); above 128 is the signal.
    private const long CannotRun = 126;
    private const long NotThere = 127;
    private const long Killed = 137;

    /// <summary>The failure that an exception of a step means.</summary>
    public static DeploymentFailure Explain(Exception exception, DeploymentRun run, FailureEvidence? evidence) => exception switch
    {
        DeploymentFailedException failed => new(failed.Code, failed.Message, failed.Remedy, evidence),
        EngineException engine => Explain(engine, run, evidence),
        LogStoreException store => new(
            store.Fault is LogStoreFault.DiskFull ? FailureCode.DiskFull : FailureCode.Internal,
            $"The deployment's log could not be written: {store.Message}",
            "See that the disk of Data:Directory has room and can be written, then deploy again.",
            evidence),
        _ => new(
            FailureCode.Internal,
            "Deployer itself failed.",
            "The server's log holds the details under this deployment's id; deploy again, and report it if it comes back.",
            evidence),
    };

    /// <summary>Nothing happened for longer than the limit.</summary>
    public static DeploymentFailure Stalled(StepKind step, TimeSpan limit, FailureEvidence? evidence) => new(
        FailureCode.TimedOut,
        $"{Name(step)} made no progress for {Words(limit)}.",
        step switch
        {
            StepKind.Pull => "See whether the registry and the engine's network are slow or stuck, then deploy again; Runner:StallLimit sets the limit.",
            StepKind.HealthCheck => "See from the container's lines what it waits for, and whether the health check asks the right port; Runner:StallLimit sets the limit.",
            _ => "See whether the engine answers, then deploy again; Runner:StallLimit sets the limit.",
        },
        evidence);

    /// <summary>Deployer was stopped before the deployment could end.</summary>
    public static DeploymentFailure Interrupted(StepKind? step, FailureEvidence? evidence) => new(
        FailureCode.Interrupted,
        step is { } during ? $"Deployer stopped during the step {Name(during)}." : "Deployer stopped before the deployment began.",
        "Deploy again.",
        evidence);

    /// <summary>The new container does not keep running.</summary>
    public static DeploymentFailedException Exited(ContainerDetails container)
    {
        var (cause, remedy) = container switch
        {
            { OutOfMemory: true } => (
                "The new container was killed because it ran out of memory.",
                "Raise the app's memory limit, or make it need less."),
            { ExitCode: NotThere or CannotRun } => (
                $"The new container's command could not be run (exit code {container.ExitCode}).",
                "Correct the app's command, or the image's: the program is missing or may not be executed."),
            { ExitCode: 0 } => (
                "The new container ended at once, without an error (exit code 0).",
                "Give the app a command that keeps running; a program that goes into the background ends its container."),
            { ExitCode: Killed } => (
                "The new container was killed (exit code 137).",
                "See whether somebody or the machine's memory killer ended it; its last lines may tell."),
            _ => (
                $"The new container exited with code {container.ExitCode}.",
                "Read its last lines for the reason, correct the app or its environment, and deploy again."),
        };
        return new DeploymentFailedException(FailureCode.ContainerExited, cause, remedy);
    }

    /// <summary>What the step is called on screen.</summary>
    public static string Name(StepKind step) => step switch
    {
        StepKind.HealthCheck => "Health check",
        StepKind.SwitchOver => "Switch over",
        StepKind.CleanUp => "Clean up",
        _ => step.ToString(),
    };

    private static DeploymentFailure Explain(EngineException exception, DeploymentRun run, FailureEvidence? evidence)
    {
        var image = run.Image;
        var (cause, remedy) = exception.Code switch
        {
            FailureCode.ImageNotFound => (
                $"{image.Domain} has no image {image.PullName}.",
                "Check the repository and the tag for a slip, and whether the image was pushed."),
            FailureCode.AccessDenied => (
                $"{image.Domain} refused access to {image.Path}.",
                $"Add credentials for {image.Domain}, or correct them, and see that they may pull {image.Path}."),
            FailureCode.RegistryUnreachable => (
                $"The registry {image.Domain} did not answer the engine.",
                $"See whether {image.Domain} is spelt right, is up, and can be reached from the engine's machine."),
            FailureCode.RateLimited => (
                $"The registry {image.Domain} refuses more pulls for now.",
                $"Wait, or add credentials for {image.Domain} with a higher limit."),
            FailureCode.PlatformMismatch => (
                $"The image is not made for the engine's processor or operating system: {exception.Message}",
                "Build and push it for the engine's platform, or for several."),
            FailureCode.PortInUse => (
                $"A host port that the app asks for is taken: {exception.Message}",
                "Stop what holds the port, or give the app another host port."),
            FailureCode.ContainerExited => (
                $"The new container could not be started: {exception.Message}",
                "Correct the app's command, or the image's."),
            FailureCode.EngineUnreachable => (
                exception.Message,
                "Start the engine, or set Engine:Endpoint to where it is, and deploy again."),
            FailureCode.DiskFull => (
                "The engine's disk is full.",
                "Make room on the engine's machine, for instance by removing unused images, and deploy again."),
            _ => ($"The engine refused: {exception.Message}", "See the engine's words; correct the app's spec if they are about it."),
        };
        return new DeploymentFailure(exception.Code, cause, remedy, evidence);
    }

    private static string Words(TimeSpan time) =>
        time.TotalSeconds < 120 ? $"{time.TotalSeconds:0.#} seconds" : $"{time.TotalMinutes:0.#} minutes";
}
