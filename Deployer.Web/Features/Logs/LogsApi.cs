using Deployer.Core.Access;
using Deployer.Core.Data;
using Deployer.Core.Logs;
using Deployer.Web.Features.Deployments;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;
using NodaTime;

namespace Deployer.Web.Features.Logs;

/// <summary>The API of the log of a deployment, read in pages.</summary>
public static class LogsApi
{
    /// <summary>Lines of a page unless the caller asks for another number.</summary>
    internal const int DefaultLimit = 500;

    /// <summary>The most lines of a page.</summary>
    internal const int MaxLimit = 5000;

    /// <summary>The longest wait for a line, in seconds.</summary>
    internal const int MaxWait = 60;

    private static readonly string[] Ways = ["after", "from_line", "tail"];
    private static readonly Instant Earliest = InstantNanoseconds.FromUnixTimeNanoseconds(long.MinValue);
    private static readonly Instant Latest = InstantNanoseconds.FromUnixTimeNanoseconds(long.MaxValue);

    /// <summary>Maps the endpoint.</summary>
    public static void MapLogsApi(this IEndpointRouteBuilder routes) =>
        routes.MapGroup("/api/deployments/{id}/logs").WithTags("Logs")
            .MapGet("/", ReadAsync)
            .WithName("GetLogs").RequireAccess(AccessRole.Viewer, AccessScope.Deployment).WithSummary("Read a page of a deployment's log")
            .WithDescription(
                "By cursor (after), by line number (from_line) or from the end (tail); one of the three. To follow a log, pass next_after as after "
                + "until complete is true: every line comes exactly once, in order.")
            .WithQuery("after", "Lines after this instant, RFC 3339 with any offset and up to nine fractional digits; left out: from the beginning.", Rfc3339.Example)
            .WithQuery("from_line", "Lines from this number on.", "1")
            .WithQuery("tail", $"So many last lines, 1 to {MaxLimit}.", "100")
            .WithQuery("limit", $"At most so many lines, 1 to {MaxLimit}; default {DefaultLimit}. Not with tail.", "500")
            .WithQuery("wait", $"Waits so many seconds, 0 to {MaxWait}, for a line or the end before it gives an empty page. Not with from_line or tail.", "20")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound);

    private static async Task<Results<Ok<LogPageJson>, ProblemHttpResult>> ReadAsync(
        string id, HttpRequest request, DeploymentGate deployments, LogStore logs, StandingAccess standing, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request, "after", "from_line", "tail", "limit", "wait");
        var after = query.Instant("after");
        var fromLine = query.Number("from_line", 1, long.MaxValue);
        var tail = query.Number("tail", 1, MaxLimit);
        var limit = (int)(query.Number("limit", 1, MaxLimit) ?? DefaultLimit);
        var wait = TimeSpan.FromSeconds(query.Number("wait", 0, MaxWait) ?? 0);
        RefuseMixtures(query);
        if (query.Problem is { } problem)
        {
            return problem;
        }

        if (!DeploymentsApi.TryParseId(id, out var deploymentId) || !await deployments.MaySeeAsync(deploymentId, cancellationToken))
        {
            return Problem.UnknownDeployment(id);
        }

        var over = wait > TimeSpan.Zero ? await standing.WatchAsync(request.HttpContext.User, deploymentId) : CancellationToken.None;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over, cancellationToken);
        LogPage? page;
        try
        {
            page = await ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            return Problem.Of(
                StatusCodes.Status401Unauthorized, "sign_in_required",
                "The token or session with which the wait began has ended, or its role was taken. Sign in again, or use another token.");
        }

        return page is null ? Problem.UnknownDeployment(id) : TypedResults.Ok(LogPageJson.Of(deploymentId, page));

        async Task<LogPage?> ReadAsync(CancellationToken still) => (tail, fromLine) switch
        {
            ({ } count, _) => await logs.GetLogsTail(deploymentId, (int)count, still),
            (_, { } first) => await logs.GetLogsRange(deploymentId, first, limit, still),
            _ => await GetLogsAfter(logs, deploymentId, after, limit, wait, still),
        };
    }

    private static async Task<LogPage?> GetLogsAfter(
        LogStore logs, long deploymentId, Instant? after, int limit, TimeSpan wait, CancellationToken cancellationToken)
    {
        // Instants that no stored time can have (before 1678, after 2261) are as good as the ends of the store's range.
        Instant? within = after is { } cursor ? Instant.Max(Earliest, Instant.Min(Latest, cursor)) : null;
        var page = await logs.GetLogsAfter(deploymentId, within, limit, wait, cancellationToken);
        return page?.Lines.Count == 0 ? page with { NextAfter = after } : page;
    }

    private static void RefuseMixtures(QueryReader query)
    {
        string[] ways = [.. Ways.Where(query.Has)];
        foreach (var way in ways.Skip(1))
        {
            query.Refuse(way, $"'{way}' cannot stand beside '{ways[0]}'; give one of after, from_line and tail.");
        }

        if (query.Has("wait") && (query.Has("tail") || query.Has("from_line")))
        {
            query.Refuse("wait", "'wait' stands beside 'after' alone, or by itself.");
        }

        if (query.Has("tail") && query.Has("limit"))
        {
            query.Refuse("limit", "'limit' cannot stand beside 'tail', which is itself the number of lines.");
        }
    }
}
