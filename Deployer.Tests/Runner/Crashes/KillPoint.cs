using System.Text.RegularExpressions;
using Deployer.Core.Deployments;

namespace Deployer.Tests.Runner.Crashes;

/// <summary>What hits a deployment on its way.</summary>
public enum Blow
{
    /// <summary>Deployer is killed.</summary>
    DeployerKilled,

    /// <summary>The container engine is killed, and the containers with it.</summary>
    EngineKilled,

    /// <summary>Both are; Deployer comes back first.</summary>
    BothKilled,

    /// <summary>Deployer is asked to stop, and the deployment does not end within the grace.</summary>
    DeployerStopped,

    /// <summary>A person cancels it.</summary>
    Canceled,
}

/// <summary>What keeps a deployment at a kill point.</summary>
internal enum Halt
{
    /// <summary>A call to the engine that does not reach it.</summary>
    Before,

    /// <summary>A call whose answer does not come back.</summary>
    After,

    /// <summary>A slow registry, and an answer that breaks off in the midst of its layers.</summary>
    SlowPull,

    /// <summary>A container that takes for ever to start.</summary>
    SlowStart,

    /// <summary>A request to the old container that takes for ever.</summary>
    SlowRequest,

    /// <summary>An old container that does not stop.</summary>
    SlowStop,
}

/// <summary>A point on the way of a deployment at which it is hit.</summary>
/// <param name="Name">Name of the app whose deployment is kept there.</param>
/// <param name="Step">The step.</param>
/// <param name="Halt">What keeps it there.</param>
/// <param name="Verb">The held call; empty for none.</param>
internal sealed partial record KillPoint(string Name, StepKind Step, Halt Halt, string Verb)
{
    /// <summary>Whether nothing of the old container is left there.</summary>
    public bool TooLateToGoBack => this is { Verb: "remove", Halt: Halt.After };

    /// <summary>Whether the app writes to a volume, so that its old container stops first.</summary>
    public bool StopFirst => Name.StartsWith("only-one-", StringComparison.Ordinal);

    /// <summary>Whether the old container was told to stop by then, so that going back starts it again.</summary>
    public bool OldIsStopped => Step == StepKind.CleanUp || (StopFirst && Step >= StepKind.Start);

    /// <summary>Whether the engine brings the app's container back by itself when it starts again.</summary>
    public bool Restarts => Halt is not (Halt.SlowPull or Halt.After) && Name is not "only-one-list";

    /// <summary>Whether the image has a health check of its own, and not the app.</summary>
    public bool ImageChecksHealth => Name is "update" or "remove";

    /// <summary>Every point: at least one in each step, for apps that overlap and for those that stop first.</summary>
    public static IReadOnlyList<KillPoint> All { get; } =
    [
        new("list", StepKind.Prepare, Halt.Before, "list"),
        new("pull", StepKind.Pull, Halt.SlowPull, "pull"),
        new("created", StepKind.Start, Halt.After, "create"),
        new("start", StepKind.Start, Halt.Before, "start"),
        new("health", StepKind.HealthCheck, Halt.SlowStart, ""),
        new("update", StepKind.HealthCheck, Halt.Before, "update"),
        new("switch", StepKind.SwitchOver, Halt.Before, "inspect"),
        new("drain", StepKind.SwitchOver, Halt.SlowRequest, ""),
        new("stop", StepKind.CleanUp, Halt.SlowStop, ""),
        new("remove", StepKind.CleanUp, Halt.Before, "remove"),
        new("removed", StepKind.CleanUp, Halt.After, "remove"),
        new("only-one-list", StepKind.Prepare, Halt.Before, "list"),
        new("only-one-pull", StepKind.Pull, Halt.SlowPull, "pull"),
        new("only-one-stop", StepKind.Start, Halt.SlowStop, ""),
        new("only-one-start", StepKind.Start, Halt.Before, "start"),
        new("only-one-started", StepKind.Start, Halt.After, "start"),
        new("only-one-health", StepKind.HealthCheck, Halt.SlowStart, ""),
        new("only-one-switch", StepKind.SwitchOver, Halt.Before, "inspect"),
        new("only-one-remove", StepKind.CleanUp, Halt.Before, "remove"),
    ];

    /// <summary>The call to hold while deployment <paramref name="number"/> runs; <see langword="null"/> for none.</summary>
    /// <param name="number">The deployment that is to be halted.</param>
    /// <param name="serving">The deployment whose container serves.</param>
    public Hold? HoldFor(int number, int serving) => Verb switch
    {
        "" => null,
        "list" => new Hold(new EngineCall(Verb, Name), AfterTheDeed: false, Since: null),

        // The engine may hold the layers by then, of the other app's pull, and says the digest at once.
        "pull" => new Hold(new EngineCall(Verb, "big"), AfterTheDeed: true, Since: null) { LetThrough = PullBegun() },
        "remove" => new Hold(new EngineCall(Verb, $"deployer-{Name}-{serving}"), Halt == Halt.After, Since: null),

        // The health check looks at the container as well; its last word is the restart policy.
        "inspect" => new Hold(new EngineCall(Verb, $"deployer-{Name}-{number}"), AfterTheDeed: false, Since: new EngineCall("update", $"deployer-{Name}-{number}")),
        _ => new Hold(new EngineCall(Verb, $"deployer-{Name}-{number}"), Halt == Halt.After, Since: null),
    };

    /// <summary>The app's settings, so that it says a version.</summary>
    /// <param name="registry">Where images come from.</param>
    /// <param name="slowRegistry">Where they come from slowly.</param>
    /// <param name="version">What it answers.</param>
    /// <param name="halts">Whether this is the version that is to be halted by its image or its container.</param>
    /// <param name="serves">Whether this is the version that serves meanwhile.</param>
    public object Settings(string registry, string slowRegistry, string version, bool halts, bool serves) => new
    {
        name = Name,
        image = halts && Halt == Halt.SlowPull ? $"{slowRegistry}/big:latest" : ImageChecksHealth ? $"{registry}/patient:latest" : $"{registry}/nohealth:v1",
        command = halts && Halt == Halt.SlowPull ? new[] { "/bin/web" } : [],
        env = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["VERSION"] = version,
            ["PORT"] = "8080",
            ["BOOT_DELAY"] = halts && Halt == Halt.SlowStart ? "600" : "0",
            ["DRAIN"] = serves && Halt == Halt.SlowStop ? "600" : "0",
        },
        ports = new[] { new { container = 8080, host = (int?)null } },
        volumes = StopFirst ? [new { name = $"kill-{Name}", path = "/data" }] : Array.Empty<object>(),
        health = ImageChecksHealth ? null : new { path = "/healthz", port = 8080, interval_seconds = 1, timeout_seconds = 10, retries = 3 },
        hosts = new[] { Host },
        restart = Restarts ? "unless_stopped" : "no",

        // The old container stops by the new one's settings.
        stop_grace_seconds = halts && Halt == Halt.SlowStop ? 300 : 1,
    };

    /// <summary>The app's host.</summary>
    public string Host => $"{Name}.kill.test";

    // {"status":"Pulling fs layer","progressDetail":{},"id":"2c8ad7b4aa5e"}
    [GeneratedRegex("(?:Pulling fs layer|Digest:)[^\n]*\n?")]
    private static partial Regex PullBegun();
}
