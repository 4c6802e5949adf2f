namespace Deployer.Core.Deployments.Steps;

/// <summary>What a step of a deployment does.</summary>
internal interface IStep
{
    /// <summary>Which step it is.</summary>
    StepKind Kind { get; }

    /// <summary>Does it. Returns when it is done well; raises otherwise.</summary>
    /// <exception cref="DeploymentFailedException">The deployment cannot go on.</exception>
    /// <exception cref="Engine.EngineException">The engine refused or does not answer.</exception>
    Task RunAsync(DeploymentRun run, CancellationToken cancellationToken);
}
