using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using Deployer.Core.Logs;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Deployer.Core.Engine.Docker;

/// <summary>Reads what a container writes. A container that is gone has written nothing.</summary>
internal static class DockerOutput
{
    private const int BufferSize = 16 * 1024;

    private static readonly LogStream[] Streams = [LogStream.Stdout, LogStream.Stderr];

    /// <inheritdoc cref="IContainerEngine.FollowOutputAsync"/>
    public static async IAsyncEnumerable<OutputChunk> FollowAsync(
        DockerConnection connection, string containerId, int tail, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var followed = new LineEnds();
        await foreach (var chunk in OutputAsync(connection, containerId, tail, follow: true, cancellationToken))
        {
            followed.Add(chunk);
            yield return chunk;
        }

        // A last line without its end, such as the last words of a crash, is logged while the container ends; following
        // misses it more often than not (github.com/moby/moby/issues/43860), reading again does not. With a tail of 0 and
        // nothing followed it may be older than this call.
        if (tail == 0 && followed.IsEmpty)
        {
            yield break;
        }

        var logged = new LineEnds();
        await foreach (var chunk in OutputAsync(connection, containerId, Streams.Length, follow: false, cancellationToken))
        {
            logged.Add(chunk);
        }

        foreach (var stream in Streams)
        {
            var piece = logged.Unended(stream);
            if (piece.Length > 0 && !followed.Unended(stream).Span.EndsWith(piece.Span))
            {
                yield return new OutputChunk(stream, piece);
            }
        }
    }

    /// <inheritdoc cref="IContainerEngine.ReadOutputAsync"/>
    public static IAsyncEnumerable<OutputChunk> ReadAsync(
        DockerConnection connection, string containerId, int tail, CancellationToken cancellationToken) =>
        OutputAsync(connection, containerId, tail, follow: false, cancellationToken);

    private static async IAsyncEnumerable<OutputChunk> OutputAsync(
        DockerConnection connection, string containerId, int tail, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var output = await OpenAsync(connection, containerId, tail, follow, cancellationToken);
        if (output is null)
        {
            yield break;
        }

        var buffer = new byte[BufferSize];
        while (true)
        {
            var read = await connection.AskAsync(
                () => output.ReadOutputAsync(buffer, 0, buffer.Length, cancellationToken), DockerFailures.OfRequest, cancellationToken);
            if (read.EOF)
            {
                yield break;
            }

            var stream = read.Target == MultiplexedStream.TargetStream.StandardError ? LogStream.Stderr : LogStream.Stdout;
            yield return new OutputChunk(stream, buffer.AsMemory(0, read.Count));
        }
    }

    private static async Task<MultiplexedStream?> OpenAsync(
        DockerConnection connection, string containerId, int tail, bool follow, CancellationToken cancellationToken)
    {
        // Without a tail the engine reads all there is: 22 s for a million lines.
        ArgumentOutOfRangeException.ThrowIfNegative(tail);
        var parameters = new ContainerLogsParameters
        {
            ShowStdout = true,
            ShowStderr = true,
            Follow = follow,
            Tail = tail.ToString(CultureInfo.InvariantCulture),
        };
        try
        {
            return await connection.AskAsync(
                () => connection.Client.Containers.GetContainerLogsAsync(containerId, parameters, cancellationToken),
                DockerFailures.OfRequest,
                cancellationToken);
        }
        catch (EngineException exception) when (DockerConnection.StatusOf(exception) is HttpStatusCode.NotFound)
        {
            return null;
        }
    }
}
