using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Deployer.Core.Deployments;
using Deployer.Core.Diagnostics;
using Docker.DotNet;

namespace Deployer.Core.Engine.Docker;

/// <summary>
/// The way to an engine's HTTP API. No API version is asked for: the engine then speaks the newest it knows, whereas any
/// one version is refused by some engine in use.
/// </summary>
/// <param name="endpoint">Address, e.g. <c>unix:///var/run/docker.sock</c>.</param>
internal sealed class DockerConnection(Uri endpoint) : IDisposable
{
    /// <summary>Address of the engine, as shown to people.</summary>
    public string Endpoint { get; } = endpoint.OriginalString;

    /// <summary>The library's client; every request through it is wrapped in <c>AskAsync</c>.</summary>
    public DockerClient Client { get; } = new DockerClientBuilder().WithEndpoint(endpoint).Build();

    /// <summary>HTTP status of the refusal that an exception of <c>AskAsync</c> is about, if it is about one.</summary>
    public static HttpStatusCode? StatusOf(EngineException exception) => (exception.InnerException as DockerApiException)?.StatusCode;

    /// <inheritdoc cref="AskAsync{T}"/>
    public async Task AskAsync(
        Func<Task> request, Func<HttpStatusCode?, string, FailureCode> classify, CancellationToken cancellationToken)
    {
        await AskAsync(
            async () =>
            {
                await request();
                return true;
            },
            classify,
            cancellationToken);
    }

    /// <summary>Sends a request and turns whatever goes wrong into our exceptions.</summary>
    /// <param name="request">Sends it.</param>
    /// <param name="classify">Tells what a refusal means, from its HTTP status and the engine's message.</param>
    /// <param name="cancellationToken">The caller's token, which <paramref name="request"/> heeds.</param>
    /// <exception cref="EngineException">The engine refused.</exception>
    /// <exception cref="EngineUnreachableException">It does not answer, or broke off its answer, or what answers is no engine.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was canceled.</exception>
    public async Task<T> AskAsync<T>(
        Func<Task<T>> request, Func<HttpStatusCode?, string, FailureCode> classify, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        var outcome = "canceled";
        try
        {
            var answer = await request();
            outcome = "ok";
            return answer;
        }
        catch (DockerApiException exception)
        {
            outcome = "refused";
            var message = DockerFailures.MessageOf(exception);
            throw new EngineException(classify(exception.StatusCode, message), message, exception);
        }
        catch (Exception exception) when (cancellationToken.IsCancellationRequested)
        {
            // A connection that is closed by our cancel also shows as an I/O error.
            throw new OperationCanceledException("The request to the engine was canceled.", exception, cancellationToken);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or SocketException or OperationCanceledException or TimeoutException or JsonException)
        {
            // A cancel that is not the caller's is the library's time limit.
            outcome = "unreachable";
            throw new EngineUnreachableException(Endpoint, exception);
        }
        finally
        {
            DeployerTelemetry.EngineCalls.Record(TimeProvider.System.GetElapsedTime(began).TotalSeconds, new KeyValuePair<string, object?>("outcome", outcome));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Client.Dispose();
}
