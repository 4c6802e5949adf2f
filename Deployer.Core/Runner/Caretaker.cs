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
    LeftoverSettler settler, Withdrawals withdrawals, AppContainers containers, DeploymentLedger ledger, IOptions<RunnerOptions> options,
    TimeProvider time, ILogger<Caretaker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.CareInterval, time);
        do
        {
            await LookAsync(stoppingToken);
        }
        while (await TickAsync(timer, stoppingToken));
    }

    /// <summary>One round. Raises nothing but a cancel.</summary>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            await withdrawals.EndLeftoversAsync(cancellationToken);
            await settler.SettleAsync(cancellationToken);
            await SweepAsync(cancellationToken);
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
