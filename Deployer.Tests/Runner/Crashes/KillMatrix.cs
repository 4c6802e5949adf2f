using System.Net;
using System.Text.Json;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Tests.Engine.Docker;
using Xunit.Sdk;

namespace Deployer.Tests.Runner.Crashes;

/// <summary>
/// The kill matrix, driven once for all its tests: the real program as a process of its own over an engine of its own, an
/// app for each kill point, and for each blow one round: every app is deployed anew, every deployment is halted at its
/// point, the blow falls, and who is down comes back. What each app is like then is kept for the test of that cell.
/// </summary>
public sealed class KillMatrix : IAsyncLifetime
{
    private readonly Dictionary<(Blow, string), string> _faults = [];
    private readonly HashSet<(Blow, string)> _judged = [];
    private readonly Dictionary<string, MatrixApp> _apps = KillPoint.All.ToDictionary(point => point.Name, point => new MatrixApp(point), StringComparer.Ordinal);
    private string _root = "";
    private EngineRelay? _relay;
    private KillableEngine? _engine;
    private DeployerProcess? _deployer;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private DeployerProcess Deployer => _deployer!;

    private KillableEngine Engine => _engine!;

    /// <summary>What is wrong in a cell; empty when nothing is.</summary>
    internal string FaultOf(Blow blow, string point) =>
        _faults.TryGetValue((blow, point), out var fault) ? fault : _judged.Contains((blow, point)) ? "" : "Nobody looked at this cell.";

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _root = Directory.CreateTempSubdirectory("deployer-kill-").FullName;
        _engine = new KillableEngine(Path.Combine(_root, "engine"));
        await _engine.UpAsync();
        var relay = Path.Combine(_root, "relay.sock");
        _relay = new EngineRelay(relay, _engine.Socket);
        _deployer = new DeployerProcess(_root, $"unix://{relay}", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Runner:MaxConcurrent"] = "32",
            ["Runner:CareInterval"] = "00:00:03",
            ["Runner:StaysRunning"] = "00:00:01",
            ["Runner:ShutdownGrace"] = "00:00:01",
            ["Proxy:DrainSeconds"] = "600",
        });
        await Deployer.StartAsync(Stop);
        await DeployAllAsync(add: true);
        foreach (var blow in Enum.GetValues<Blow>())
        {
            try
            {
                await GoRoundAsync(blow);
            }
            catch (Exception exception) when (!Stop.IsCancellationRequested)
            {
                // The rounds before stand; this one and those to come are lost.
                foreach (var lost in Enum.GetValues<Blow>().Where(other => other >= blow))
                {
                    foreach (var app in _apps.Values)
                    {
                        _faults.TryAdd((lost, app.Point.Name), $"The round {blow} broke off: {exception.GetType().Name}: {exception.Message}");
                    }
                }

                return;
            }
        }
    }

    private async Task GoRoundAsync(Blow blow)
    {
        var began = TimeProvider.System.GetTimestamp();
        await Engine.ForgetAsync($"{TestEngine.ThrottledRegistry}/big:latest");
        await HaltAllAsync(blow);
        var halted = TimeProvider.System.GetElapsedTime(began);
        await StrikeAsync(blow);
        foreach (var app in _apps.Values)
        {
            await app.GiveUp.CancelAsync();
            await app.Request;
            app.GiveUp.Dispose();
            app.GiveUp = new CancellationTokenSource();
        }

        foreach (var app in _apps.Values)
        {
            await JudgeAsync(blow, app);
        }

        var judged = TimeProvider.System.GetElapsedTime(began);
        await DeployAllAsync(add: false);
        foreach (var app in _apps.Values.Where(app => !_faults.ContainsKey((blow, app.Point.Name))))
        {
            await NoteAsync(blow, app, () => CheckServesAsync(app, app.Version));
        }

        Say($"{blow}: halted after {halted.TotalSeconds:0.0} s, judged after {judged.TotalSeconds:0.0} s, next deployed after {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0.0} s");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_deployer is not null)
        {
            await _deployer.DisposeAsync();
        }

        if (_relay is not null)
        {
            await _relay.DisposeAsync();
        }

        if (_engine is not null)
        {
            await _engine.DisposeAsync();
        }

        if (Environment.GetEnvironmentVariable("DEPLOYER_TEST_ARTIFACTS") is { Length: > 0 } artifacts)
        {
            await File.WriteAllTextAsync(Path.Combine(artifacts, "kill-matrix.log"), _deployer?.Output);
        }

        Directory.Delete(_root, recursive: true);
    }

    /// <summary>Every app gets a new version that nothing halts.</summary>
    private async Task DeployAllAsync(bool add)
    {
        foreach (var app in _apps.Values)
        {
            app.Version = Version();
            var settings = app.Point.Settings(TestEngine.Registry, TestEngine.ThrottledRegistry, app.Version, halts: false, serves: true);
            await (add
                ? Deployer.SendAsync(HttpMethod.Post, "/api/apps", settings, HttpStatusCode.Created, Stop)
                : Deployer.SendAsync(HttpMethod.Put, $"/api/apps/{app.Point.Name}", settings, HttpStatusCode.OK, Stop));
            await BeginAsync(app);
        }

        foreach (var app in _apps.Values)
        {
            var ended = await Patience.UntilAsync($"{app.Point.Name} #{app.Number} ends", () => ReadAsync(app), IsFinal);
            Assert.True(Text(ended, "status") == "succeeded", $"{app.Point.Name} #{app.Number} was not halted, and yet it {Text(ended, "status")}: {await LogAsync(app)}");
            app.Serving = app.Number;
            app.ServingContainer = Text(ended, "container_id")!;
        }
    }

    /// <summary>Every app gets a new version, whose deployment is halted at the app's point.</summary>
    private async Task HaltAllAsync(Blow blow)
    {
        foreach (var app in _apps.Values)
        {
            app.Hold = app.Point.HoldFor(app.Number + 1, app.Serving);
        }

        _relay!.Arm(_apps.Values.Select(app => app.Hold).OfType<Hold>());
        foreach (var app in _apps.Values)
        {
            if (app.Point.Halt == Halt.SlowRequest)
            {
                app.Request = SlowRequestAsync(app.Point.Host, app.GiveUp.Token);
            }

            app.Before = app.Version;
            app.Version = Version();
            await Deployer.SendAsync(
                HttpMethod.Put,
                $"/api/apps/{app.Point.Name}",
                app.Point.Settings(TestEngine.Registry, TestEngine.ThrottledRegistry, app.Version, halts: true, serves: false),
                HttpStatusCode.OK,
                Stop);
            await BeginAsync(app);
        }

        foreach (var app in _apps.Values)
        {
            await NoteAsync(blow, app, () => CheckHaltedAsync(app));
        }
    }

    private async Task CheckHaltedAsync(MatrixApp app)
    {
        var point = $"{app.Point.Name} #{app.Number} is halted in {app.Point.Step}";
        await Patience.UntilAsync(point, () => ReadAsync(app), deployment =>
        {
            Assert.False(IsFinal(deployment), $"Never: {point}. It ended: {deployment}");
            return app.Hold is not { Reached.IsCompleted: false } && Steps(deployment).Any(step => step == (Word(app.Point.Step), "running"));
        });
        if (Sign(app.Point.Halt) is { } sign)
        {
            await Patience.UntilAsync($"{point} and says '{sign}'", () => LogAsync(app), log => log.Contains(sign, StringComparison.Ordinal));
        }
    }

    private async Task SlowRequestAsync(string host, CancellationToken giveUp)
    {
        try
        {
            await Deployer.AskAsync(host, "/cgi-bin/slow?600", giveUp);
        }
        catch (OperationCanceledException)
        {
            // It was needed no longer.
        }
    }

    /// <summary>The last line before a deployment is halted by what it deals with.</summary>
    private static string? Sign(Halt halt) => halt switch
    {
        Halt.SlowPull => "Pulling from big",
        Halt.SlowStart => "Not healthy yet",
        Halt.SlowRequest => "for requests under way",
        _ => null,
    };

    private async Task StrikeAsync(Blow blow)
    {
        if (blow == Blow.Canceled)
        {
            var restart = await Engine.MeasureRestartAsync();
            Say($"The engine takes {restart.TotalMilliseconds:0} ms to stop a container and start it again");
            foreach (var app in _apps.Values)
            {
                await NoteAsync(blow, app, () => CancelAsync(app, TimeSpan.FromSeconds(2) + (app.Point.OldIsStopped ? restart : TimeSpan.Zero)));
            }

            await _relay!.CutAsync();
            return;
        }

        if (blow == Blow.DeployerStopped)
        {
            Assert.Equal(0, await Deployer.StopAsync(Stop));
        }

        if (blow is Blow.DeployerKilled or Blow.BothKilled)
        {
            await Deployer.KillAsync(Stop);
        }

        if (blow is Blow.EngineKilled or Blow.BothKilled)
        {
            await Engine.KillAsync();
        }

        await _relay!.CutAsync();
        if (blow != Blow.EngineKilled)
        {
            await Deployer.StartAsync(Stop);
        }

        if (blow is Blow.EngineKilled or Blow.BothKilled)
        {
            await Engine.ResumeAsync();
        }
    }

    /// <summary>
    /// Cancels, and looks at the engine: the old container runs and, before the switch, alone, within two seconds besides what
    /// the engine itself needs to start a container that was stopped.
    /// </summary>
    private async Task CancelAsync(MatrixApp app, TimeSpan limit)
    {
        if (app.Hold is { } hold)
        {
            // What undoes the deployment may make the call.
            _relay!.Disarm(hold);
        }

        var asked = TimeProvider.System.GetTimestamp();
        await Deployer.SendAsync(HttpMethod.Post, $"/api/deployments/{app.Id}/cancel", new { }, HttpStatusCode.Accepted, Stop);
        if (app.Point.TooLateToGoBack)
        {
            return;
        }

        await Patience.UntilAsync(
            "the old container runs on",
            async () =>
            {
                var containers = await Engine.ContainersAsync(app.Point.Name);
                var old = containers.FirstOrDefault(container => container.Id == app.ServingContainer);
                return (containers.Count, Serves: old is { Status: ContainerStatus.Running } && !await Engine.IsEndingAsync(old));
            },
            now => now.Serves && (app.Point.Step >= StepKind.SwitchOver || now.Count == 1));
        var took = TimeProvider.System.GetElapsedTime(asked);
        Say($"{app.Point.Name}: canceled at the engine after {took.TotalMilliseconds:0} ms");
        Assert.InRange(took, TimeSpan.Zero, limit);

        // Else the next one's time would have the rest of this one's work in it.
        await Patience.UntilAsync($"#{app.Number} ends", () => ReadAsync(app), IsFinal);
    }

    private Task JudgeAsync(Blow blow, MatrixApp app) => NoteAsync(blow, app, async () =>
    {
        var ended = await Patience.UntilAsync($"#{app.Number} ends", () => ReadAsync(app), IsFinal);
        var succeeded = Text(ended, "status") == "succeeded";
        if (blow == Blow.Canceled)
        {
            Assert.Equal(app.Point.TooLateToGoBack ? "succeeded" : "canceled", Text(ended, "status"));
        }
        else if (!succeeded)
        {
            Assert.Equal("failed", Text(ended, "status"));
            Assert.Contains(Text(ended.GetProperty("failure"), "code"), new[] { "interrupted", "engine_unreachable" });
        }

        Assert.DoesNotContain(Steps(ended), step => step.State is "running" or "pending");
        await CheckServesAsync(app, succeeded ? app.Version : app.Before);
        if (!succeeded)
        {
            Assert.Equal(app.ServingContainer, (await Engine.ContainersAsync(app.Point.Name)).Single().Id);
        }

        await CheckLogAsync(app);
        _judged.Add((blow, app.Point.Name));
    });

    private async Task NoteAsync(Blow blow, MatrixApp app, Func<Task> check)
    {
        try
        {
            await check();
        }
        catch (Exception exception) when (exception is XunitException or KeyNotFoundException or InvalidOperationException)
        {
            _faults[(blow, app.Point.Name)] = _faults.GetValueOrDefault((blow, app.Point.Name), "") + $"{exception.Message}\nThe log of #{app.Number}:\n{await LogAsync(app)}";
        }
    }

    /// <summary>One container of the app, running, and it answers with the version; nothing else carries the app's label.</summary>
    private async Task CheckServesAsync(MatrixApp app, string version)
    {
        var seen = "";
        await Patience.UntilAsync(
            $"{app.Point.Name} is served by {version} alone",
            async () =>
            {
                var containers = await Engine.ContainersAsync(app.Point.Name);
                var answer = await Deployer.AskAsync(app.Point.Host, "/", Stop);
                var ending = containers is [var only] && await Engine.IsEndingAsync(only);
                seen = $"{string.Join(", ", containers.Select(container => $"{container.Name} {container.Status}"))}; the proxy answers {answer ?? "nothing"}{(ending ? "; it was told to stop" : "")}";
                return (containers, answer, ending);
            },
            now => now is { containers: [{ Status: ContainerStatus.Running }], ending: false, answer: var answer } && answer == $"hello from {version}",
            () => seen);
    }

    /// <summary>The log is complete, its lines are numbered densely and their times increase.</summary>
    private async Task CheckLogAsync(MatrixApp app)
    {
        var page = await Deployer.GetAsync($"/api/deployments/{app.Id}/logs?limit=5000", Stop);
        Assert.True(page.GetProperty("complete").GetBoolean(), "The log is not complete.");
        var lines = page.GetProperty("logs").EnumerateArray().ToList();
        Assert.NotEmpty(lines);
        Assert.Equal(Enumerable.Range(1, lines.Count), lines.Select(line => line.GetProperty("line").GetInt32()));
        var times = lines.ConvertAll(line => Text(line, "created_at")!);
        Assert.Equal(times.Order(StringComparer.Ordinal).Distinct(StringComparer.Ordinal), times);
    }

    private async Task BeginAsync(MatrixApp app)
    {
        var queued = await Deployer.SendAsync(HttpMethod.Post, $"/api/apps/{app.Point.Name}/deployments", new { }, HttpStatusCode.Accepted, Stop);
        app.Id = queued.GetProperty("id").GetInt64();
        app.Number = queued.GetProperty("number").GetInt32();
    }

    private Task<JsonElement> ReadAsync(MatrixApp app) => Deployer.GetAsync($"/api/deployments/{app.Id}", Stop);

    private async Task<string> LogAsync(MatrixApp app)
    {
        var page = await Deployer.GetAsync($"/api/deployments/{app.Id}/logs?limit=5000", Stop);
        return string.Join('\n', page.GetProperty("logs").EnumerateArray().Select(line => $"  {Text(line, "step")}: {Text(line, "output")}"));
    }

    private static bool IsFinal(JsonElement deployment) => Text(deployment, "status") is not ("queued" or "running");

    private static IEnumerable<(string? Kind, string? State)> Steps(JsonElement deployment) =>
        deployment.GetProperty("steps").EnumerateArray().Select(step => (Text(step, "kind"), Text(step, "state")));

    private static string Word(StepKind step) => JsonNamingPolicy.SnakeCaseLower.ConvertName(step.ToString());

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();

    private static void Say(string text) => TestContext.Current.SendDiagnosticMessage(text);

    private static string Version() => Guid.NewGuid().ToString("N")[..8];
}
