using Deployer.Core.Engine;

namespace Deployer.Web.Features.Engines;

/// <summary>Whether the engine answers, asked at most once every few seconds for all who want to know.</summary>
internal sealed partial class EngineProbe(IContainerEngine engine, TimeProvider time, ILogger<EngineProbe> logger) : IDisposable
{
    /// <summary>How long an answer is good for.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private EngineState? _last;
    private long _askedAt;

    /// <summary>The engine's state, at most <see cref="Freshness"/> old.</summary>
    public async Task<EngineState> LookAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_last is null || time.GetElapsedTime(_askedAt) >= Freshness)
            {
                _last = await AskAsync(cancellationToken);
                _askedAt = time.GetTimestamp();
            }

            return _last;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    private async Task<EngineState> AskAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return new EngineState(engine.Endpoint, await engine.DescribeAsync(either.Token), Refusal: null);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new EngineState(engine.Endpoint, Info: null, Refusal: null);
        }
        catch (EngineUnreachableException)
        {
            return new EngineState(engine.Endpoint, Info: null, Refusal: null);
        }
        catch (EngineException exception)
        {
            LogRefused(exception, engine.Endpoint);
            return new EngineState(engine.Endpoint, Info: null, exception.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The engine at {Endpoint} answers, but with an error")]
    private partial void LogRefused(Exception exception, string endpoint);
}

/// <summary>What was learned of an engine.</summary>
/// <param name="Endpoint">Its address, as shown to people.</param>
/// <param name="Info">What it says of itself; <see langword="null"/> when it does not answer or refuses.</param>
/// <param name="Refusal">Its words when it refuses.</param>
internal sealed record EngineState(string Endpoint, EngineInfo? Info, string? Refusal);
