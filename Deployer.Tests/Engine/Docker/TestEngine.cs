using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Deployer.Core.Apps;
using Deployer.Core.Engine;
using Deployer.Core.Engine.Docker;
using Deployer.Core.Logs;

namespace Deployer.Tests.Engine.Docker;

/// <summary>The engine and the registries that <c>./test.sh</c> brings up, and what tests make in them.</summary>
public sealed class TestEngine : IAsyncDisposable
{
    public const string Label = "deployer.test";

    private readonly string _owner = Guid.NewGuid().ToString("N")[..8];
    private readonly ConcurrentBag<string> _containers = [];

    public TestEngine() => Engine = Connect(Setting("DOCKER_HOST"));

    public IContainerEngine Engine { get; }

    public static string Registry => Setting("REGISTRY");

    public static string RegistryWithPassword => Setting("REGISTRY_AUTH");

    public static string ThrottledRegistry => Setting("REGISTRY_SLOW");

    public static RegistryCredentials Credentials => new(Setting("REGISTRY_USER"), Setting("REGISTRY_PASSWORD"));

    public static IContainerEngine Connect(string endpoint) => new DockerEngine(new Uri(endpoint), TimeProvider.System);

    public static ImageReference Image(string path, string tag) => ImageAt(Registry, path, tag);

    public static ImageReference ImageAt(string registry, string path, string tag) => ImageReference.Parse($"{registry}/{path}:{tag}");

    /// <summary>Runs <c>eng/engine.sh</c> for an engine of a root directory of its own.</summary>
    public static async Task RunScriptAsync(string root, string command)
    {
        var start = new ProcessStartInfo(Setting("ENGINE_SCRIPT"), [command, "bare"]) { RedirectStandardError = true, UseShellExecute = false };
        start.Environment["DEPLOYER_ENGINE_ROOT"] = root;
        using var script = Process.Start(start)!;
        var errors = await script.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await script.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(script.ExitCode == 0, $"engine.sh {command} failed: {errors}");
    }

    /// <summary>Pulls an image and gives its milestones as lines.</summary>
    public async Task<IReadOnlyList<string>> PullAsync(ImageReference image) => await PullAsync(image, credentials: null);

    public async Task<IReadOnlyList<string>> PullAsync(ImageReference image, RegistryCredentials? credentials)
    {
        var lines = new List<string>();
        await foreach (var pullEvent in Engine.PullAsync(image, credentials, TestContext.Current.CancellationToken))
        {
            if (pullEvent.IsMilestone)
            {
                lines.Add(pullEvent.ToLine());
            }
        }

        return lines;
    }

    /// <summary>A plan for a container of this test class, of an image of the open registry, which is pulled.</summary>
    public async Task<ContainerPlan> PlanAsync(string path, string tag, params string[] command)
    {
        var image = Image(path, tag);
        if (await Engine.FindImageAsync(image.PullName, TestContext.Current.CancellationToken) is null)
        {
            await PullAsync(image);
        }

        return new ContainerPlan(
            $"{Label}-{Guid.NewGuid():N}",
            image.PullName,
            new AppSpec { Image = image.PullName, Command = command, Restart = RestartMode.No },
            new Dictionary<string, string>(StringComparer.Ordinal),
            new Dictionary<string, string>(StringComparer.Ordinal) { [Label] = _owner },
            Network: null);
    }

    public async Task<string> CreateAsync(ContainerPlan plan)
    {
        var id = await Engine.CreateContainerAsync(plan, TestContext.Current.CancellationToken);
        _containers.Add(id);
        return id;
    }

    public async Task<string> StartAsync(ContainerPlan plan)
    {
        var id = await CreateAsync(plan);
        await Engine.StartContainerAsync(id, TestContext.Current.CancellationToken);
        return id;
    }

    /// <summary>
    /// Waits until the engine describes the container so. Asks again and again, since the engine's verbs have no signal
    /// for it; the test's own time limit ends it.
    /// </summary>
    public async Task<ContainerDetails> WaitForAsync(string id, Func<ContainerDetails, bool> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        while (true)
        {
            var container = await Engine.FindContainerAsync(id, TestContext.Current.CancellationToken);
            if (container is not null && condition(container))
            {
                return container;
            }

            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Reads a container's output to its end: all of stdout, and all of stderr.</summary>
    public async Task<(string Stdout, string Stderr)> FollowToEndAsync(string id)
    {
        using var stdout = new MemoryStream();
        using var stderr = new MemoryStream();
        await foreach (var chunk in Engine.FollowOutputAsync(id, tail: 1000, TestContext.Current.CancellationToken))
        {
            (chunk.Stream == LogStream.Stderr ? stderr : stdout).Write(chunk.Bytes.Span);
        }

        return (Encoding.UTF8.GetString(stdout.ToArray()), Encoding.UTF8.GetString(stderr.ToArray()));
    }

    /// <summary>Removes the containers made so far. Each test does so at its end: one that runs on slows the others down.</summary>
    public async ValueTask TidyUpAsync()
    {
        while (_containers.TryTake(out var container))
        {
            await Engine.RemoveContainerAsync(container, CancellationToken.None);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await TidyUpAsync();
        ((IDisposable)Engine).Dispose();
    }

    private static string Setting(string name) =>
        Environment.GetEnvironmentVariable($"DEPLOYER_TEST_{name}") is { Length: > 0 } value
            ? value
            : throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture,
                $"DEPLOYER_TEST_{name} is not set: this test needs a real engine. Run ./test.sh, or eval \"$(eng/engine.sh env test)\" after eng/engine.sh up test."));
}

/// <summary>The tests of one engine run one after the other: they pull and remove the same images.</summary>
[CollectionDefinition(Name)]
public sealed class DockerTests : ICollectionFixture<TestEngine>
{
    public const string Name = "Docker";
}
