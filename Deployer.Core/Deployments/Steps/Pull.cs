using Deployer.Core.Engine;

namespace Deployer.Core.Deployments.Steps;

/// <summary>Pulls the image, and records what it resolved to.</summary>
internal sealed class Pull(IContainerEngine engine, PullBoard board, DeploymentLedger ledger) : IStep
{
    public StepKind Kind => StepKind.Pull;

    public async Task RunAsync(DeploymentRun run, CancellationToken cancellationToken)
    {
        var name = run.Image.PullName;
        run.Pulled = run.Image.Digest is null ? null : await engine.FindImageAsync(name, cancellationToken);
        if (run.Pulled is not null)
        {
            // A digest names the same bytes for ever: what the engine holds needs no registry.
            await run.Log.SayAsync($"The engine holds {name} already", cancellationToken);
        }
        else
        {
            await PullAsync(run, name, cancellationToken);
            run.Pulled = await engine.FindImageAsync(name, cancellationToken)
                ?? throw new DeploymentFailedException(
                    FailureCode.ImageNotFound,
                    $"The engine pulled {name} but does not hold it any more.",
                    "Deploy again, and see whether something else removes images from the engine.");
        }

        await ledger.RecordImageAsync(run.Claim, run.Pulled.Id, DigestOf(run.Pulled, run.Image), cancellationToken);
    }

    private async Task PullAsync(DeploymentRun run, string name, CancellationToken cancellationToken)
    {
        await run.Log.SayAsync(
            run.Secrets.Credentials is { } credentials ? $"Pulling {name} as {credentials.UserName}" : $"Pulling {name}", cancellationToken);
        try
        {
            await foreach (var happening in engine.PullAsync(run.Image, run.Secrets.Credentials, cancellationToken))
            {
                run.Stall.Progress();
                board.Report(run.Id, happening);
                if (happening.IsMilestone)
                {
                    await run.Log.SayAsync(happening.ToLine(), cancellationToken);
                }
            }
        }
        finally
        {
            board.Clear(run.Id);
        }
    }

    // "127.0.0.1:5000/web@sha256:…": an image may have one for each repository from which it was pulled.
    private static string? DigestOf(ImageDetails image, ImageReference reference) =>
        image.RepoDigests
            .Select(text => ImageReference.TryParse(text, out var parsed, out _) ? parsed : null)
            .FirstOrDefault(parsed => parsed?.Repository == reference.Repository)?.Digest
        ?? reference.Digest;
}
