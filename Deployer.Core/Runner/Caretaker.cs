using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Runner;

/// <summary>
/// Looks after what nobody else holds: settles deployments whose worker is gone, puts right what ended deployments could
/// not, and removes their stray containers.
/// </summary>
internal sealed partial class Caretaker(
    LeftoverSettler settler, Withdrawals withdrawals, AppContainers containers, AppOperations operations, DeploymentLedger ledger,
    IOptions<RunnerOptions> options, TimeProvider time, ILogger<Caretaker> logger) : BackgroundService
{
    private readonly SemaphoreSlim _sweeping = new(1);
    private int _settling;

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _sweeping.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        RepeatAsync(LookAsync, stoppingToken),

        // Whether a container is well may take minutes to know. What ended deployments left does not wait for that.
        RepeatAsync(stop => Volatile.Read(ref _settling) == 0 ? Task.CompletedTask : TryAsync(SweepAsync, stop), stoppingToken));

    /// <summary>One round. Raises nothing.</summary>
    internal Task LookAsync(CancellationToken cancellationToken) => TryAsync(LookAtAllAsync, cancellationToken);

    private async Task LookAtAllAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref _settling, 1);
        try
        {
            await withdrawals.EndLeftoversAsync(cancellationToken);
            await settler.SettleAsync(cancellationToken);
        }
        finally
        {
            Volatile.Write(ref _settling, 0);
        }

        await SweepAsync(cancellationToken);
    }

    private async Task RepeatAsync(Func<CancellationToken, Task> round, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.CareInterval, time);
        do
        {
            await round(stoppingToken);
        }
        while (await TickAsync(timer, stoppingToken));
    }

    private async Task TryAsync(Func<CancellationToken, Task> round, CancellationToken cancellationToken)
    {
        try
        {
            await round(cancellationToken);
        }
        catch (EngineUnreachableException exception)
        {
            LogEngineAway(exception.Message);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogRoundFailed(exception);
        }
        catch (OperationCanceledException)
        {
            // The host stops; the next start goes on here.
        }
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        await _sweeping.WaitAsync(cancellationToken);
        try
        {
            await PutRightAsync(cancellationToken);
            await FinishRestartsAsync(cancellationToken);
        }
        finally
        {
            _sweeping.Release();
        }
    }

    private async Task PutRightAsync(CancellationToken cancellationToken)
    {
        var apps = await containers.ListAppsAsync(cancellationToken);
        foreach (var app in apps.Union(await ledger.FindAppsWithDebtsAsync(cancellationToken), StringComparer.Ordinal))
        {
            try
            {
                await containers.PutRightAsync(app, asking: null, (text, _) => { LogPutRight(app, text); return ValueTask.CompletedTask; }, cancellationToken);
            }
            catch (EngineException exception) when (exception is not EngineUnreachableException)
            {
                // Say its host port was taken meanwhile. The other apps must not suffer for it.
                LogNotPutRight(exception, app);
            }
        }
    }

    private async Task FinishRestartsAsync(CancellationToken cancellationToken)
    {
        foreach (var cut in await operations.ListCutRestartsAsync(cancellationToken))
        {
            try
            {
                await operations.FinishRestartAsync(cut, cancellationToken);
                LogPutRight(cut.AppName, "its restart, which was cut short, is finished");
            }
            catch (EngineException exception) when (exception is not EngineUnreachableException)
            {
                LogNotPutRight(exception, cut.AppName);
            }
        }
    }

    private static async Task<bool> TickAsync(PeriodicTimer timer, CancellationToken cancellationToken)
    {
        try
        {
            return await timer.WaitForNextTickAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    [LoggerMessage(LogLevel.Information, "App {App}: {Text}")]
    private partial void LogPutRight(string app, string text);

    [LoggerMessage(LogLevel.Warning, "App {App} could not be put right; trying again")]
    private partial void LogNotPutRight(Exception exception, string app);

    [LoggerMessage(LogLevel.Debug, "{Message} Looking again later")]
    private partial void LogEngineAway(string message);

    [LoggerMessage(LogLevel.Error, "A round of care-taking failed; the next follows")]
    private partial void LogRoundFailed(Exception exception);
}
