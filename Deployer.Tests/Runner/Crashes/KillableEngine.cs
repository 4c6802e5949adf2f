using System.Diagnostics;
using System.Globalization;
using System.Text;
using Deployer.Core.Apps;
using Deployer.Core.Engine;
using Deployer.Tests.Engine.Docker;

namespace Deployer.Tests.Runner.Crashes;

/// <summary>A real engine of the test's own, which can be killed and comes back with its containers.</summary>
/// <param name="root">Its root directory.</param>
internal sealed class KillableEngine(string root) : IAsyncDisposable
{
    private IContainerEngine? _engine;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Its socket.</summary>
    public string Socket { get; } = $"{root}/docker.sock";

    /// <summary>Starts it.</summary>
    public async Task UpAsync()
    {
        await TestEngine.RunScriptAsync(root, "up");
        _engine = TestEngine.Connect($"unix://{Socket}");
    }

    /// <summary>Kills it as a crash does.</summary>
    public async Task KillAsync()
    {
        var pid = int.Parse(await File.ReadAllTextAsync($"{root}/dockerd.pid", Stop), CultureInfo.InvariantCulture);
        using var engine = Process.GetProcessById(pid);
        engine.Kill();
        await engine.WaitForExitAsync(Stop);
    }

    /// <summary>Starts it again as its machine would; its containers are still there.</summary>
    public Task ResumeAsync() => TestEngine.RunScriptAsync(root, "resume");

    /// <summary>Lets it forget an image that no container uses.</summary>
    public Task ForgetAsync(string image) => _engine!.RemoveImageAsync(image, Stop);

    /// <summary>The containers that carry the app's label.</summary>
    public Task<IReadOnlyList<ContainerDetails>> ContainersAsync(string app) => _engine!.ListContainersAsync(
        new Dictionary<string, string>(StringComparer.Ordinal) { ["deployer.app"] = app }, Stop);

    /// <summary>Whether the container was told to stop since its last start: it answers, but not for long.</summary>
    public async Task<bool> IsEndingAsync(ContainerDetails container)
    {
        var output = new StringBuilder();
        await foreach (var chunk in _engine!.ReadOutputAsync(container.Id, tail: 20, Stop))
        {
            output.Append(Encoding.UTF8.GetString(chunk.Bytes.Span));
        }

        var text = output.ToString();
        return text.LastIndexOf("SIGTERM", StringComparison.Ordinal) > text.LastIndexOf("starting on port", StringComparison.Ordinal);
    }

    /// <summary>How long the engine itself takes here and now to stop a container and start it again: the longest of three times.</summary>
    public async Task<TimeSpan> MeasureRestartAsync()
    {
        var spec = new AppSpec { Image = $"{TestEngine.Registry}/nohealth:v1", Restart = RestartMode.No };
        var none = new Dictionary<string, string>(StringComparer.Ordinal);
        var id = await _engine!.CreateContainerAsync(new ContainerPlan("kill-yardstick", spec.Image, spec, none, none, Network: null), Stop);
        await _engine.StartContainerAsync(id, Stop);
        var longest = TimeSpan.Zero;
        for (var round = 0; round < 3; round++)
        {
            var began = TimeProvider.System.GetTimestamp();
            await _engine.StopContainerAsync(id, TimeSpan.Zero, Stop);
            await _engine.StartContainerAsync(id, Stop);
            var took = TimeProvider.System.GetElapsedTime(began);
            longest = took > longest ? took : longest;
        }

        await _engine.RemoveContainerAsync(id, Stop);
        return longest;
    }

    /// <summary>Stops it and deletes all that it holds.</summary>
    public async ValueTask DisposeAsync()
    {
        ((IDisposable?)_engine)?.Dispose();
        await TestEngine.RunScriptAsync(root, "purge");
    }
}
