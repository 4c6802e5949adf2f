using Deployer.Core.Engine;
using NodaTime;

namespace Deployer.Core.Deployments;

/// <summary>What a deployment that goes no further has to put right.</summary>
/// <param name="Claim">The hold on it.</param>
/// <param name="AppId">Its app.</param>
/// <param name="AppName">Its app's name.</param>
/// <param name="PreviousDeploymentId">Deployment that was current before; <see langword="null"/> where none was.</param>
/// <param name="PreviousContainerId">Container that served before; <see langword="null"/> where none did.</param>
/// <param name="PreviousStoppedAt">When that container was told to stop; <see langword="null"/> where it was not.</param>
/// <param name="Switched">Whether the new container had taken over.</param>
internal sealed record RollBackOrder(
    Claim Claim, long AppId, string AppName, long? PreviousDeploymentId, string? PreviousContainerId, Instant? PreviousStoppedAt, bool Switched);

/// <summary>Makes the old container serve again and removes the new one.</summary>
internal sealed class RollBack(
    IContainerEngine engine, AppContainers containers, Wellness wellness, DeploymentLedger ledger, AppTraffic traffic)
{
    // Who goes back has a cancel waiting, or an app that is not well.
    private static readonly TimeSpan OldReadyLimit = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Whether the old state can still be had: before the switch always, after it as long as the old container is there.
    /// </summary>
    public async Task<bool> IsPossibleAsync(RollBackOrder order, CancellationToken cancellationToken) =>
        !order.Switched
        || order.PreviousContainerId is null
        || await engine.FindContainerAsync(order.PreviousContainerId, cancellationToken) is not null;

    /// <summary>Does it. Safe to repeat, and to begin anywhere in a deployment.</summary>
    public async Task RunAsync(RollBackOrder order, DeploymentLog log, CancellationToken cancellationToken)
    {
        if (order.Switched)
        {
            // The new container serves on until the old one can.
            await StartPreviousAsync(order, log, cancellationToken);
            if (order.PreviousContainerId is { } previous)
            {
                await wellness.WaitAsync(previous, health: null, OldReadyLimit, cancellationToken);
            }

            await ledger.SwitchBackAsync(order.Claim, order.AppId, order.PreviousDeploymentId, cancellationToken);
            await traffic.FollowRecordAsync(order.AppId, cancellationToken);
            await RemoveNewAsync(order, log, cancellationToken);
        }
        else
        {
            // Twice: away from the new container before it goes, and to the old one where that had to be started for it.
            await traffic.FollowRecordAsync(order.AppId, cancellationToken);
            await RemoveNewAsync(order, log, cancellationToken);
            await StartPreviousAsync(order, log, cancellationToken);
            await traffic.FollowRecordAsync(order.AppId, cancellationToken);
        }
    }

    private async Task RemoveNewAsync(RollBackOrder order, DeploymentLog log, CancellationToken cancellationToken)
    {
        foreach (var container in await containers.ListAsync(order.AppName, cancellationToken))
        {
            if (ContainerNames.DeploymentOf(container) == order.Claim.DeploymentId)
            {
                await engine.RemoveContainerAsync(container.Id, cancellationToken);
                await log.TellAsync($"Removed {container.Name}", cancellationToken);
            }
        }
    }

    private async Task StartPreviousAsync(RollBackOrder order, DeploymentLog log, CancellationToken cancellationToken)
    {
        if (order.PreviousContainerId is not { } id)
        {
            return;
        }

        if (await engine.FindContainerAsync(id, cancellationToken) is not { } old)
        {
            await log.TellAsync("The container that served before is gone: somebody else removed it", cancellationToken);
            return;
        }

        if (await containers.EnsureServesAsync(old, order.PreviousStoppedAt, cancellationToken))
        {
            await log.TellAsync($"Started {old.Name} again", cancellationToken);
        }

        await log.TellAsync($"{old.Name} goes on serving", cancellationToken);
    }
}
