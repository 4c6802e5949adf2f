using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Microsoft.Extensions.Logging;

namespace Deployer.Core.Apps;

/// <summary>
/// What the containers of all apps do, asked in one go and at most every few seconds for all who want to know. An engine
/// that answers late keeps nobody: what it says is told when it comes.
/// </summary>
public sealed partial class ContainerGlance : IDisposable
{
    /// <summary>How long an answer is good for.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(4);

    /// <summary>How long a reader waits for the engine.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly IContainerEngine _engine;
    private readonly InstanceIdentity _instance;
    private readonly DeploymentFeed _feed;
    private readonly TimeProvider _time;
    private readonly ILogger<ContainerGlance> _logger;
    private readonly SemaphoreSlim _one = new(1, 1);
    private Task? _asking;
    private ContainersSeen _seen = ContainersSeen.Nothing;
    private long? _askedAt;

    internal ContainerGlance(IContainerEngine engine, InstanceIdentity instance, DeploymentFeed feed, TimeProvider time, ILogger<ContainerGlance> logger)
    {
        _engine = engine;
        _instance = instance;
        _feed = feed;
        _time = time;
        _logger = logger;
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    /// <summary>The containers as they were a moment ago.</summary>
    /// <param name="anew">Whether to ask now, because something was changed.</param>
    internal async Task<ContainersSeen> LookAsync(bool anew)
    {
        await _one.WaitAsync();
        try
        {
            if (_asking is null && (anew || _askedAt is not { } then || _time.GetElapsedTime(then) >= Freshness))
            {
                _askedAt = _time.GetTimestamp();
                _asking = AskAsync();
            }

            if (_asking is { } asking)
            {
                try
                {
                    await asking.WaitAsync(Patience, _time);
                    _asking = null;
                }
                catch (TimeoutException)
                {
                    _ = asking.ContinueWith(_ => Tell(asking), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
                }
            }

            return _seen;
        }
        finally
        {
            _one.Release();
        }
    }

    private void Tell(Task asked)
    {
        if (Interlocked.CompareExchange(ref _asking, null, asked) == asked)
        {
            _feed.PublishApps();
        }
    }

    // Never throws.
    private async Task AskAsync()
    {
        using var limit = new CancellationTokenSource(Limit, _time);
        try
        {
            var containers = await _engine.GlanceAsync(ContainerNames.OfInstance(_instance.Id), limit.Token);
            _seen = new ContainersSeen(isKnown: true, containers);
        }
        catch (Exception exception) when (exception is EngineException or OperationCanceledException)
        {
            // The banner tells that the engine does not answer; what its containers do is not known then.
            _seen = ContainersSeen.Nothing;
        }
        catch (Exception exception)
        {
            // Whatever it is: the apps can be shown without, and the next look asks again.
            _seen = ContainersSeen.Nothing;
            LogFailed(exception);
        }
    }

    [LoggerMessage(LogLevel.Error, "Could not look at the containers of all apps; what they do is shown as unknown")]
    private partial void LogFailed(Exception exception);
}

/// <summary>Containers that the engine told of.</summary>
internal sealed class ContainersSeen
{
    private readonly Dictionary<long, ContainerSketch> _byDeployment = [];

    /// <summary>Takes what the engine said.</summary>
    public ContainersSeen(bool isKnown, IReadOnlyList<ContainerSketch> containers)
    {
        IsKnown = isKnown;
        foreach (var container in containers)
        {
            if (ContainerNames.DeploymentOf(container.Labels) is { } id)
            {
                _byDeployment[id] = container;
            }
        }
    }

    /// <summary>Nothing is known.</summary>
    public static ContainersSeen Nothing { get; } = new(isKnown: false, []);

    /// <summary>Whether the engine told.</summary>
    public bool IsKnown { get; }

    /// <summary>The container that a deployment made; <see langword="null"/> where there is none, or where nothing is known.</summary>
    public ContainerSketch? Find(long deploymentId) => _byDeployment.GetValueOrDefault(deploymentId);
}
