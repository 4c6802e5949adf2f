using System.Buffers;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using Deployer.Core.Access;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Web.Features.Deployments;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;
using NodaTime;

namespace Deployer.Web.Features.Logs;

/// <summary>Where a deployment stands, as an event of its log's stream.</summary>
/// <param name="Status">The deployment's status.</param>
/// <param name="Complete">Whether it has ended and its last line was sent: nothing will follow.</param>
internal sealed record LogStatusJson(DeploymentStatus Status, bool Complete);

/// <summary>The log of a deployment as a stream: server-sent events, and the whole as text.</summary>
public static class LogStreamApi
{
    private const int PageLines = 1000;
    private const string LastEventId = "Last-Event-ID";

    // Proxies on the way cut connections on which nothing moves, often after a minute or half of one.
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    /// <summary>Maps the endpoints.</summary>
    public static void MapLogStreamApi(this IEndpointRouteBuilder routes)
    {
        var logs = routes.MapGroup("/api/deployments/{id}").WithTags("Logs");
        logs.MapGet("/logs/stream", StreamAsync)
            .WithName("StreamLogs").RequireAccess(AccessRole.Viewer, AccessScope.Deployment)
            .WithSummary("Follow a deployment's log as server-sent events")
            .WithDescription(
                "Events of type line hold a line as GET …/logs gives it; their id is the cursor, so a client that reconnects with Last-Event-ID goes "
                + "on where it was. Events of type status hold status and complete; they come when the status changes, every 15 seconds without a "
                + "line, and last of all with complete true. That last one has the cursor as its id, too, or 1970-01-01T00:00:00.000000000Z where there "
                + "was neither a line nor after: a reconnect with it is answered 204, which tells an EventSource to stay closed.")
            .WithQuery("after", "Lines after this instant; left out: from the beginning. Last-Event-ID goes before it.", Rfc3339.Example)
            .Produces(StatusCodes.Status200OK, contentType: "text/event-stream").Produces(StatusCodes.Status204NoContent)
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound);
        logs.MapGet("/logs.txt", TextAsync)
            .WithName("DownloadLog").RequireAccess(AccessRole.Viewer, AccessScope.Deployment)
            .WithSummary("Download what there is of a deployment's log as text")
            .WithQuery("timestamps", "true puts the time and a space before each line.", "true")
            .Produces(StatusCodes.Status200OK, contentType: "text/plain")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> StreamAsync(
        string id, HttpRequest request, DeploymentGate deployments, LogStore logs, StandingAccess standing, TimeProvider time,
        CancellationToken cancellationToken)
    {
        var query = new QueryReader(request, "after");
        var after = query.Instant("after");
        var resumed = request.Headers[LastEventId].ToString();
        if (resumed.Length > 0)
        {
            if (Rfc3339.TryParse(resumed, out var cursor, out var error))
            {
                after = cursor;
            }
            else
            {
                query.Refuse(LastEventId, $"{LastEventId} is not an instant: {error} It is the id of an event of this stream, e.g. {Rfc3339.Example}.");
            }
        }

        if (query.Problem is { } problem)
        {
            return problem;
        }

        if (await FindAsync(id, deployments, logs, cancellationToken) is not { } found)
        {
            return Problem.UnknownDeployment(id);
        }

        if (resumed.Length > 0 && found.Extent.Status.IsFinal() && (found.Extent.LastTime is null || after >= found.Extent.LastTime))
        {
            return TypedResults.NoContent();
        }

        // The connection belongs to this reader alone; buffers on the way would hold lines back.
        request.HttpContext.Response.Headers["X-Accel-Buffering"] = "no";
        var over = await standing.WatchAsync(request.HttpContext.User, found.DeploymentId);
        return TypedResults.ServerSentEvents(Events(logs, found.DeploymentId, after, time, over, cancellationToken));
    }

    /// <summary>The events. Ends without complete when <paramref name="over"/> says that the reader may not go on.</summary>
    internal static async IAsyncEnumerable<SseItem<object>> Events(
        LogStore logs, long deploymentId, Instant? after, TimeProvider time, CancellationToken over, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over, cancellationToken);
        await using var pages = logs.FollowAsync(deploymentId, after, PageLines, either.Token).GetAsyncEnumerator(either.Token);
        var next = Task.FromResult(false);
        LogStatusJson? sent = null;
        try
        {
            while (true)
            {
                next = NextAsync(pages, over);
                while (!await HasComeAsync(next, time))
                {
                    yield return Status(sent!);
                }

                if (!await next)
                {
                    yield break;
                }

                foreach (var line in pages.Current.Lines)
                {
                    if (over.IsCancellationRequested)
                    {
                        yield break;
                    }

                    yield return new SseItem<object>(LogLineJson.Of(line), "line") { EventId = Rfc3339.Format(line.Time) };
                }

                var status = new LogStatusJson(pages.Current.Status, pages.Current.Complete);
                if (status != sent)
                {
                    sent = status;
                    yield return status.Complete ? End(status, pages.Current.NextAfter) : Status(status);
                }
            }
        }
        finally
        {
            // Who leaves at a sign of life leaves the next page under way, and pages cannot be disposed while it is.
            await either.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<bool> NextAsync(IAsyncEnumerator<LogPage> pages, CancellationToken over)
    {
        try
        {
            return await pages.MoveNextAsync();
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            return false;
        }
    }

    private static SseItem<object> Status(LogStatusJson status) => new(status, "status");

    // An EventSource that was sent no id would ask without one again, and for ever: only one that resumes is told to stay closed.
    private static SseItem<object> End(LogStatusJson status, Instant? cursor) =>
        new(status, "status") { EventId = Rfc3339.Format(cursor ?? NodaConstants.UnixEpoch) };

    /// <summary>Whether the task ended before it was time for a sign of life.</summary>
    private static async Task<bool> HasComeAsync(Task task, TimeProvider time)
    {
        if (!task.IsCompleted)
        {
            // The end of the request ends the task. It must not end the delay before, as if it had passed.
            using var passed = new CancellationTokenSource();
            await Task.WhenAny(task, Task.Delay(KeepAlive, time, passed.Token));
            await passed.CancelAsync();
        }

        return task.IsCompleted;
    }

    private static async Task<IResult> TextAsync(
        string id, HttpRequest request, DeploymentGate deployments, LogStore logs, StandingAccess standing, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request, "timestamps");
        var timestamps = query.Text("timestamps") is { } text && ReadBoolean(query, "timestamps", text);
        if (query.Problem is { } problem)
        {
            return problem;
        }

        if (await FindAsync(id, deployments, logs, cancellationToken) is not { } found)
        {
            return Problem.UnknownDeployment(id);
        }

        if (!await deployments.TakeLogAsync(found.DeploymentId, cancellationToken))
        {
            return Problem.UnknownDeployment(id);
        }

        var over = await standing.WatchAsync(request.HttpContext.User, found.DeploymentId);
        return TypedResults.Stream(
            target => WriteAsync(logs, found.DeploymentId, found.Extent.Lines, timestamps, target, over, cancellationToken), "text/plain; charset=utf-8",
            $"deployment-{found.DeploymentId}.txt");
    }

    /// <summary>Writes page by page, so that memory does not grow with the log.</summary>
    private static async Task WriteAsync(
        LogStore logs, long deploymentId, long promised, bool timestamps, Stream target, CancellationToken over, CancellationToken cancellationToken)
    {
        var written = 0L;
        var buffer = new ArrayBufferWriter<byte>();
        await foreach (var page in logs.ReadAllAsync(deploymentId, PageLines, cancellationToken))
        {
            if (over.IsCancellationRequested)
            {
                throw new IOException($"Whoever was sent the log of deployment {deploymentId} may not read it any more.");
            }

            foreach (var line in page.Lines)
            {
                if (timestamps)
                {
                    Encoding.UTF8.GetBytes(Rfc3339.Format(line.Time), buffer);
                    buffer.Write(" "u8);
                }

                Encoding.UTF8.GetBytes(line.Text, buffer);
                buffer.Write("\n"u8);
            }

            await target.WriteAsync(buffer.WrittenMemory, cancellationToken);
            buffer.ResetWrittenCount();
            written += page.Lines.Count;
        }

        if (written < promised)
        {
            // Cut the connection: a download that ends as if it were whole would be believed.
            throw new IOException($"The log of deployment {deploymentId} was removed while it was sent: {written} of {promised} lines went out.");
        }
    }

    /// <summary>Reads <c>true</c> or <c>false</c>.</summary>
    internal static bool ReadBoolean(QueryReader query, string name, string text)
    {
        if (text is not ("true" or "false"))
        {
            query.Refuse(name, $"'{name}' is true or false.");
        }

        return text == "true";
    }

    private static async Task<(long DeploymentId, LogExtent Extent)?> FindAsync(
        string id, DeploymentGate deployments, LogStore logs, CancellationToken cancellationToken) =>
        DeploymentsApi.TryParseId(id, out var deploymentId) && await deployments.MaySeeAsync(deploymentId, cancellationToken)
            && await logs.GetExtent(deploymentId, cancellationToken) is { } extent
            ? (deploymentId, extent)
            : null;
}
