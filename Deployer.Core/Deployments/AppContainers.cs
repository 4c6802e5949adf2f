using Deployer.Core.Engine;
using NodaTime;

namespace Deployer.Core.Deployments;

/// <summary>The containers of an app, told apart by the labels that Deployer gives them.</summary>
internal sealed class AppContainers(
    IContainerEngine engine, InstanceIdentity instance, DeploymentLedger ledger, AppTraffic traffic)
{
    /// <summary>Names of the apps that have containers in the engine.</summary>
    public async Task<IReadOnlyList<string>> ListAppsAsync(CancellationToken cancellationToken) =>
        [.. (await engine.ListContainersAsync(ContainerNames.OfInstance(instance.Id), cancellationToken))
            .Select(container => container.Labels.GetValueOrDefault(ContainerNames.AppLabel))
            .OfType<string>()
            .Distinct(StringComparer.Ordinal)];

    /// <summary>All containers of an app, running or not.</summary>
    public Task<IReadOnlyList<ContainerDetails>> ListAsync(string appName, CancellationToken cancellationToken) =>
        engine.ListContainersAsync(ContainerNames.OfApp(instance.Id, appName), cancellationToken);

    /// <summary>The container that a deployment made; <see langword="null"/> when there is none (any more).</summary>
    public async Task<ContainerDetails?> FindAsync(string appName, long deploymentId, CancellationToken cancellationToken) =>
        (await ListAsync(appName, cancellationToken)).FirstOrDefault(container => ContainerNames.DeploymentOf(container) == deploymentId);

    /// <summary>Makes a container run that has to, also when it is on its way out.</summary>
    /// <param name="container">The container as it was just seen.</param>
    /// <param name="toldToStopAt">When Deployer last told it to stop, if it did.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>Whether it had to be started.</returns>
    public async Task<bool> EnsureServesAsync(ContainerDetails container, Instant? toldToStopAt, CancellationToken cancellationToken)
    {
        if (container.Stays(toldToStopAt))
        {
            return false;
        }

        if (container.IsUp())
        {
            // It was given time to end, and nobody can take that back: a start would find it running, and then it ends.
            await engine.StopContainerAsync(container.Id, TimeSpan.Zero, cancellationToken);
        }

        await engine.StartContainerAsync(container.Id, cancellationToken);
        return true;
    }

    /// <summary>
    /// Removes what ended deployments of an app left behind, and nothing else; starts the container that serves where an
    /// ended deployment could not. Does nothing while a deployment of the app runs, unless it is the one that asks.
    /// </summary>
    /// <param name="appName">The app.</param>
    /// <param name="asking">Running deployment that asks; <see langword="null"/> for none.</param>
    /// <param name="say">Takes what was done.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task PutRightAsync(
        string appName, long? asking, Func<string, CancellationToken, ValueTask> say, CancellationToken cancellationToken)
    {
        // The containers first, then what is known of them: one that comes meanwhile is not touched.
        var found = await ListAsync(appName, cancellationToken);
        if (await ledger.ReadAppAsync(appName, cancellationToken) is not { } app || (app.Running is not null && app.Running != asking))
        {
            return;
        }

        foreach (var container in found)
        {
            if (ContainerNames.DeploymentOf(container) is { } owner && owner != app.Current && app.Ended.Contains(owner))
            {
                await engine.RemoveContainerAsync(container.Id, cancellationToken);
                await say($"Removed {container.Name}, left over from an earlier deployment", cancellationToken);
            }
        }

        foreach (var container in found)
        {
            if (ContainerNames.DeploymentOf(container) == app.Current
                && app.ToServe.TryGetValue(container.Id, out var stoppedAt)
                && await EnsureServesAsync(container, stoppedAt, cancellationToken))
            {
                await say($"Started {container.Name} again, which an earlier deployment had stopped", cancellationToken);
            }
        }

        if (app.Debts.Count > 0)
        {
            await traffic.FollowRecordAsync(app.AppId, cancellationToken);
            await ledger.PayDebtsAsync(app.Debts, cancellationToken);
        }
    }
}

/// <summary>Questions about a container.</summary>
internal static class ContainerQuestions
{
    /// <summary>Whether it runs, or the engine keeps bringing it back.</summary>
    public static bool IsUp(this ContainerDetails container) =>
        container.Status is ContainerStatus.Running or ContainerStatus.Restarting or ContainerStatus.Paused;

    /// <summary>Whether it is up and stays so: one that was told to stop after its start may still run, but not for long.</summary>
    public static bool Stays(this ContainerDetails container, Instant? toldToStopAt) =>
        container.IsUp() && (toldToStopAt is null || container.StartedAt > toldToStopAt);
}
