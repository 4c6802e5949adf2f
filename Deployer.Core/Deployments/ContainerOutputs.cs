using System.Runtime.CompilerServices;
using Deployer.Core.Data;
using Deployer.Core.Engine;
using Deployer.Core.Logs;
using Deployer.Core.Registries;
using Deployer.Core.Secrets;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Core.Deployments;

/// <summary>A line of a container's output, through the gate: split, made visible, secrets masked.</summary>
/// <param name="Stream">Where it came from; <see cref="LogStream.System"/> for what Deployer says of the container.</param>
/// <param name="Text">The line, as the log of a deployment would hold it.</param>
public sealed record OutputLine(LogStream Stream, string Text);

/// <summary>
/// What the container that serves an app writes now. Nobody keeps it but the engine: each reader begins some lines back
/// and follows.
/// </summary>
public sealed class ContainerOutputs(
    IDbContextFactory<DeployerDb> databases, IContainerEngine engine, SecretBook secrets, RegistryBook registries)
{
    /// <summary>Most lines that one can begin back.</summary>
    public const int MaxTail = 10_000;

    private static readonly LogStream[] Streams = [LogStream.Stdout, LogStream.Stderr];

    /// <summary>Follows a container's output, in batches as the engine gives it, until it stops; ends with a word on how it is.</summary>
    /// <param name="appName">The app.</param>
    /// <param name="tail">How many lines back to begin, 1 to <see cref="MaxTail"/>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="EngineException">The engine does not answer.</exception>
    public async IAsyncEnumerable<IReadOnlyList<OutputLine>> FollowAsync(
        string appName, int tail, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tail, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tail, MaxTail);
        if (await FindServingAsync(appName, cancellationToken) is not { ContainerId: { } containerId } deployment)
        {
            yield return [Say("Nothing runs yet: deploy the app first.")];
            yield break;
        }

        // Output that cannot be masked is not shown.
        Redactor? redactor;
        string? fault;
        (redactor, fault) = await FindRedactorAsync(deployment, cancellationToken);
        if (redactor is null)
        {
            yield return [Say($"The output cannot be shown, because secrets in it could not be masked: {fault}")];
            yield break;
        }

        var gates = Streams.ToDictionary(stream => stream, _ => new LogGate([redactor]));
        var texts = new List<string>();
        await foreach (var chunk in engine.FollowOutputAsync(containerId, tail, cancellationToken))
        {
            gates[chunk.Stream].Take(chunk.Bytes.Span, texts);
            if (texts.Count > 0)
            {
                yield return Lines(chunk.Stream, texts);
            }
        }

        foreach (var stream in Streams)
        {
            gates[stream].EndPartialLine(texts);
            if (texts.Count > 0)
            {
                yield return Lines(stream, texts);
            }
        }

        yield return [Say(await engine.FindContainerAsync(containerId, cancellationToken) switch
        {
            null => "The container is gone.",
            { Status: ContainerStatus.Running } => "The engine ended the output, but the container runs on.",
            { ExitCode: var code } => $"The container stopped with exit code {code}.",
        })];
    }

    private static OutputLine Say(string text) => new(LogStream.System, text);

    private static List<OutputLine> Lines(LogStream stream, List<string> texts)
    {
        List<OutputLine> lines = [.. texts.Select(text => new OutputLine(stream, text))];
        texts.Clear();
        return lines;
    }

    private async Task<Deployment?> FindServingAsync(string appName, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Apps.Where(app => app.Name == appName)
            .Join(db.Deployments.AsNoTracking(), app => app.CurrentDeploymentId, deployment => deployment.Id, (_, deployment) => deployment)
            .FirstOrDefaultAsync(cancellationToken);
    }

    private async Task<(Redactor? Redactor, string? Fault)> FindRedactorAsync(Deployment deployment, CancellationToken cancellationToken)
    {
        try
        {
            var values = secrets.OpenSnapshot(deployment.SealedSecrets).Values.ToList();
            if (ImageReference.TryParse(deployment.Spec.Image, out var image, out _)
                && await registries.FindAsync(image.Domain, cancellationToken) is { } credentials)
            {
                values.Add(credentials.Password);
            }

            return (Redactor.Create(values), null);
        }
        catch (SecretUnreadableException exception)
        {
            return (null, exception.Message);
        }
    }
}
