using Deployer.Core.Engine;

namespace Deployer.Core.Deployments.Steps;

/// <summary>Looks at the engine and at what serves the app now, and decides how the new container takes over.</summary>
internal sealed class Prepare(IContainerEngine engine, AppContainers containers, OwnContainer own, DeploymentLedger ledger) : IStep
{
    public StepKind Kind => StepKind.Prepare;

    public async Task RunAsync(DeploymentRun run, CancellationToken cancellationToken)
    {
        await run.Log.SayAsync($"Deploying {run.AppName} #{run.Number}: image {run.Spec.Image}", cancellationToken);
        RequireSecrets(run);
        var info = await engine.DescribeAsync(cancellationToken);
        await run.Log.SayAsync(
            $"Engine {info.Version} at {engine.Endpoint}, {info.OperatingSystem}/{info.Architecture}", cancellationToken);

        await containers.PutRightAsync(run.AppName, run.Id, run.Log.SayAsync, cancellationToken);
        run.Previous = await FindServingAsync(run, cancellationToken);
        if (run.Previous is { } serving && string.Equals(serving.Id, own.Id, StringComparison.Ordinal))
        {
            throw new DeploymentFailedException(
                FailureCode.OwnContainer,
                $"{serving.Name} is the container in which this Deployer runs: to replace it would end Deployer in the midst of the deployment.",
                "Update Deployer from outside: stop its container, and start the new version on the same data directory.");
        }

        run.Looked = true;
        await ledger.RecordPreviousAsync(run.Claim, run.PreviousDeploymentId, run.PreviousContainerId, cancellationToken);
        run.StopFirst = run.Previous is not null && WhyStopFirst(run) is not null;
        await run.Log.SayAsync(
            run.Previous is null ? "No container of this app runs yet"
            : run.PreviousContainerId is null ? $"The app was stopped, though {run.Previous.Name} still runs; whatever comes of this deployment, it is not started again"
            : run.StopFirst ? $"{run.Previous.Name} serves now; it stops before the new container starts, because {WhyStopFirst(run)}"
            : $"{run.Previous.Name} serves now and goes on until the new container is healthy",
            cancellationToken);
    }

    private static void RequireSecrets(DeploymentRun run)
    {
        if (run.Secrets.Fault is { } fault)
        {
            throw new DeploymentFailedException(FailureCode.SecretMissing, fault, "Restore the keys, or store the app's secrets and the registry's password again.");
        }

        var missing = run.Spec.Secrets.Except(run.Secrets.Values.Keys, StringComparer.Ordinal).ToList();
        if (missing.Count > 0)
        {
            throw new DeploymentFailedException(
                FailureCode.SecretMissing,
                $"No value was stored for the secret {string.Join(", ", missing)} when the deployment was asked for.",
                "Store a value for it under the app's secrets, or take it out of the app's settings, and deploy again.");
        }
    }

    private async Task<ContainerDetails?> FindServingAsync(DeploymentRun run, CancellationToken cancellationToken) =>
        run.PreviousDeploymentId is { } previous
        && await containers.FindAsync(run.AppName, previous, cancellationToken) is { } container
        && container.IsUp()
            ? container
            : null;

    private static string? WhyStopFirst(DeploymentRun run) => TakeOver.WhyStopFirst(run.Spec);
}
