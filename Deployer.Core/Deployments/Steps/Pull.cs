using Deployer.Core.Engine;

namespace Deployer.Core.Deployments.Steps;

/// <summary>Pulls the image, records what it resolved to and checks that it is made for the engine's machine.</summary>
internal sealed class Pull(IContainerEngine engine, DeploymentLedger ledger) : IStep
{
    public StepKind Kind => StepKind.Pull;

    public async Task RunAsync(DeploymentRun run, CancellationToken cancellationToken)
    {
        var name = run.Image.PullName;
        await run.Log.SayAsync($"Pulling {name}", cancellationToken);
        await foreach (var happening in engine.PullAsync(run.Image, credentials: null, cancellationToken))
        {
            run.Stall.Progress();
            if (happening.IsMilestone)
            {
                await run.Log.SayAsync(happening.ToLine(), cancellationToken);
            }
        }

        var image = await engine.FindImageAsync(name, cancellationToken)
            ?? throw new DeploymentFailedException(
                FailureCode.ImageNotFound,
                $"The engine pulled {name} but does not hold it any more.",
                "Deploy again, and see whether something else removes images from the engine.");
        var info = await engine.DescribeAsync(cancellationToken);
        if (!string.Equals(image.Architecture, info.Architecture, StringComparison.Ordinal)
            || !string.Equals(image.OperatingSystem, info.OperatingSystem, StringComparison.Ordinal))
        {
            throw new DeploymentFailedException(
                FailureCode.PlatformMismatch,
                $"The image is made for {image.OperatingSystem}/{image.Architecture}, the engine runs {info.OperatingSystem}/{info.Architecture}.",
                $"Build and push {name} for {info.OperatingSystem}/{info.Architecture}, or for several platforms.");
        }

        run.Pulled = image;
        await ledger.RecordImageAsync(run.Claim, image.Id, DigestOf(image, run.Image), cancellationToken);
    }

    // "127.0.0.1:5000/web@sha256:…": an image may have one for each repository from which it was pulled.
    private static string? DigestOf(ImageDetails image, ImageReference reference) =>
        image.RepoDigests
            .Select(text => ImageReference.TryParse(text, out var parsed, out _) ? parsed : null)
            .FirstOrDefault(parsed => parsed?.Repository == reference.Repository)?.Digest
        ?? reference.Digest;
}
