using System.Net;
using System.Runtime.CompilerServices;
using Deployer.Core.Deployments;
using Docker.DotNet.Models;

namespace Deployer.Core.Engine.Docker;

/// <summary>Looks at images, and pulls them so that the engine can run them.</summary>
internal static class DockerImages
{
    /// <inheritdoc cref="IContainerEngine.PullAsync"/>
    public static async IAsyncEnumerable<PullEvent> PullAsync(
        DockerConnection connection,
        ImageReference image,
        RegistryCredentials? credentials,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var messages = new PullMessages(stop.Token);
        var pull = PullIntoAsync(connection, messages, image, credentials, stop.Token);
        try
        {
            await foreach (var pullEvent in messages.Events.ReadAllAsync(cancellationToken))
            {
                yield return pullEvent;
            }
        }
        finally
        {
            // Also when the caller stops reading: the engine ends its download when the connection closes.
            await stop.CancelAsync();
            await pull;
        }
    }

    /// <summary>Looks at an image the engine holds; <see langword="null"/> when it holds none of that name.</summary>
    public static async Task<ImageDetails?> FindAsync(DockerConnection connection, string reference, CancellationToken cancellationToken)
    {
        try
        {
            return DockerMapping.ToDetails(await connection.AskAsync(
                () => connection.Client.Images.InspectImageAsync(reference, cancellationToken), DockerFailures.OfRequest, cancellationToken));
        }
        catch (EngineException exception) when (DockerConnection.StatusOf(exception) is HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    // Never throws: what went wrong ends the stream of events.
    private static async Task PullIntoAsync(
        DockerConnection connection, PullMessages messages, ImageReference image, RegistryCredentials? credentials, CancellationToken cancellationToken)
    {
        // Beside the pull: the engine takes a while to say what it is.
        var engine = connection.AskAsync(() => connection.Client.System.GetVersionAsync(cancellationToken), DockerFailures.OfRequest, cancellationToken);
        try
        {
            // An empty tag would pull every tag of the repository.
            var request = new ImagesCreateParameters { FromImage = image.Repository, Tag = image.Digest ?? image.Tag ?? ImageReference.DefaultTag };
            var login = credentials is null
                ? null
                : new AuthConfig { Username = credentials.UserName, Password = credentials.Password, ServerAddress = image.Domain };
            await connection.AskAsync(
                () => connection.Client.Images.CreateImageAsync(request, login, messages, cancellationToken),
                DockerFailures.OfPull,
                cancellationToken);
            if (messages.Error is { } error)
            {
                throw new EngineException(DockerFailures.OfPull(status: null, error), error, inner: null);
            }

            if (!messages.IsConfirmed)
            {
                throw new EngineException(
                    FailureCode.EngineUnreachable,
                    $"The container engine at {connection.Endpoint} ended the pull before it was complete: it was stopped or restarted.",
                    inner: null);
            }

            await RequirePlatformAsync(connection, image, await engine, cancellationToken);
            messages.Complete(failure: null);
        }
        catch (Exception exception)
        {
            // What went wrong with the pull tells more than what went wrong beside it.
            await ((Task)engine).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            messages.Complete(exception);
        }
    }

    // An image that names one platform alone is pulled whatever it is made for, and would fail with "exec format error".
    private static async Task RequirePlatformAsync(
        DockerConnection connection, ImageReference image, VersionResponse engine, CancellationToken cancellationToken)
    {
        var name = image.PullName;
        var pulled = await FindAsync(connection, name, cancellationToken)
            ?? throw new EngineException(FailureCode.ImageNotFound, $"The engine pulled {name} but does not hold it: it was removed meanwhile.", inner: null);
        if (!Runs(engine.Os, pulled.OperatingSystem) || !Runs(engine.Arch, pulled.Architecture))
        {
            throw new EngineException(
                FailureCode.PlatformMismatch,
                $"{name} is made for {pulled.OperatingSystem}/{pulled.Architecture}, and the engine runs {engine.Os}/{engine.Arch}.",
                inner: null);
        }
    }

    // Some builders leave the platform empty; the 64-bit processors run programs of their 32-bit forerunners.
    private static bool Runs(string engine, string image) =>
        image.Length == 0 || string.Equals(engine, image, StringComparison.Ordinal) || (engine, image) is ("amd64", "386") or ("arm64", "arm");
}
