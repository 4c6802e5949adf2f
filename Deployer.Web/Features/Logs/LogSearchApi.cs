using System.ComponentModel;
using System.Globalization;
using Deployer.Core.Access;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Web.Features.Deployments;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.Web.Features.Logs;

/// <summary>A line in which something was found.</summary>
internal sealed record LogMatchJson
{
    [Description("The app.")]
    public string? App { get; init; }

    [Description("The deployment.")]
    public required long DeploymentId { get; init; }

    [Description("Its number within the app.")]
    public int? Number { get; init; }

    [Description("Its status.")]
    public required DeploymentStatus Status { get; init; }

    [Description("Address of the line on the dashboard.")]
    public required string Link { get; init; }

    [Description("The line.")]
    public required LogLineJson Line { get; init; }

    [Description("Lines before it, ascending.")]
    public required IReadOnlyList<LogLineJson> Before { get; init; }

    [Description("Lines after it, ascending.")]
    public required IReadOnlyList<LogLineJson> After { get; init; }

    /// <summary>The match as it goes over the wire.</summary>
    public static LogMatchJson Of(string? app, long deploymentId, int? number, DeploymentStatus status, LogMatch match) => new()
    {
        App = app,
        DeploymentId = deploymentId,
        Number = number,
        Status = status,
        Link = string.Create(CultureInfo.InvariantCulture, $"/deployments/{deploymentId}#L{match.Line.Line}"),
        Line = LogLineJson.Of(match.Line),
        Before = [.. match.Before.Select(LogLineJson.Of)],
        After = [.. match.After.Select(LogLineJson.Of)],
    };
}

/// <summary>What was found in one deployment.</summary>
internal sealed record DeploymentMatchesJson
{
    [Description("How many lines match in all.")]
    public required long Total { get; init; }

    [Description("How many matching lines come before the first one here.")]
    public required long Skipped { get; init; }

    [Description("The matches, ascending.")]
    public required IReadOnlyList<LogMatchJson> Matches { get; init; }

    [Description("Whether lines were left out: the search took too long and was cut short, or a line took too long by itself; total counts the others.")]
    public required bool TimedOut { get; init; }
}

/// <summary>What was found across deployments, newest deployment first, lines ascending.</summary>
internal sealed record LogMatchPageJson
{
    [Description("The matches.")]
    public required IReadOnlyList<LogMatchJson> Matches { get; init; }

    [Description("Pass it as after for the next page; null when all was searched.")]
    public required string? Next { get; init; }

    [Description("Whether the page was cut short because the search took long, where next goes on; or a line took too long by itself and was passed over.")]
    public required bool TimedOut { get; init; }
}

/// <summary>The API that searches logs, and says what they take.</summary>
public static class LogSearchApi
{
    private const int DefaultLimit = 50;

    private static readonly string[] QueryNames = ["q", "regex", "case", "stream", "step", "since", "until", "limit", "context"];

    /// <summary>Maps the endpoints.</summary>
    public static void MapLogSearchApi(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api").WithTags("Logs");
        WithQueryNames(api.MapGet("/deployments/{id}/logs/search", FindAsync)
            .WithName("SearchLog").RequireAccess(AccessRole.Viewer, AccessScope.Deployment).WithSummary("Search a deployment's log")
            .WithDescription("Counts all lines that match and returns those from a line on, or backwards up to it: next and previous."))
            .WithQuery("from_line", "Matches from this line on; with backwards=true, up to it. Left out: from the beginning, or from the end.", "1")
            .WithQuery("backwards", "true returns the last matches up to from_line.", "true")
            .ProducesProblem(StatusCodes.Status404NotFound);
        WithQueryNames(api.MapGet("/logs/search", FindAcrossAsync)
            .WithName("SearchLogs").RequireAccess(AccessRole.Viewer, AccessScope.Anywhere).WithSummary("Search the logs of all deployments")
            .WithDescription("Where has this been before? Newest deployment first, in pages; running deployments are searched too."))
            .WithQuery("app", "In this app alone.", "web")
            .WithQuery("after", "next of the page before.", "1000:25");
        api.MapGet("/logs/usage", UsageAsync)
            .WithName("GetLogUsage").RequireAccess(AccessRole.Viewer, AccessScope.Anywhere).WithSummary("What the logs of each app take: lines and bytes");
    }

    private static RouteHandlerBuilder WithQueryNames(RouteHandlerBuilder endpoint) => endpoint
        .WithQuery("q", $"What to look for: part of a line as it is shown, or an expression; at most {LogQuery.MaxLength} characters.", "error")
        .WithQuery("regex", "true takes q as a .NET regular expression, matched line by line.", "true")
        .WithQuery("case", "true tells upper from lower case.", "true")
        .WithQuery("stream", "Lines of this stream alone: system, stdout or stderr.", "stderr")
        .WithQuery("step", "Lines of this step alone: prepare, pull, start, health_check, switch_over or clean_up.", "pull")
        .WithQuery("since", "Lines of this instant or later.", Rfc3339.Example)
        .WithQuery("until", "Lines before this instant.", Rfc3339.Example)
        .WithQuery("limit", $"At most so many matches, 1 to {LogSearch.MaxMatches}; default {DefaultLimit}.", "50")
        .WithQuery("context", $"So many lines around each match, on each side, 0 to {LogSearch.MaxContext}; default 0.", "2")
        .ProducesValidationProblem();

    private static async Task<Results<Ok<DeploymentMatchesJson>, ProblemHttpResult>> FindAsync(
        string id, HttpRequest request, DeploymentGate deployments, LogSearch search, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request, [.. QueryNames, "from_line", "backwards"]);
        var wanted = ReadQuery(query);
        var (limit, context) = ReadExtent(query);
        var backwards = Flag(query, "backwards");
        var from = query.Number("from_line", 1, long.MaxValue) ?? (backwards ? long.MaxValue : 1);
        if (query.Problem is { } problem)
        {
            return problem;
        }

        if (!DeploymentsApi.TryParseId(id, out var deploymentId) || !await deployments.MaySeeAsync(deploymentId, cancellationToken)
            || await search.FindAsync(deploymentId, wanted, from, backwards, limit, context, cancellationToken) is not { } found)
        {
            return Problem.UnknownDeployment(id);
        }

        return TypedResults.Ok(new DeploymentMatchesJson
        {
            Total = found.Total,
            Skipped = found.Before,
            Matches = [.. found.Matches.Select(match => LogMatchJson.Of(app: null, deploymentId, number: null, found.Status, match))],
            TimedOut = found.TimedOut,
        });
    }

    private static async Task<Results<Ok<LogMatchPageJson>, ProblemHttpResult>> FindAcrossAsync(
        HttpRequest request, AppGate apps, LogSearch search, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request, [.. QueryNames, "app", "after"]);
        var wanted = ReadQuery(query);
        var (limit, context) = ReadExtent(query);
        var after = ReadCursor(query);
        if (query.Problem is { } problem)
        {
            return problem;
        }

        var visible = (await apps.ListAsync(cancellationToken)).Select(app => app.Name).ToHashSet(StringComparer.Ordinal);
        if (query.Text("app") is { } app)
        {
            if (!visible.Contains(app))
            {
                return Problem.UnknownApp(app);
            }

            visible = [app];
        }

        var page = await search.FindAcrossAsync(wanted, visible, after, limit, context, cancellationToken);
        return TypedResults.Ok(new LogMatchPageJson
        {
            Matches = [.. page.Matches.Select(match => LogMatchJson.Of(match.App, match.DeploymentId, match.Number, match.Status, match.Match))],
            Next = page.Next is { } next ? string.Create(CultureInfo.InvariantCulture, $"{next.DeploymentId}:{next.Line}") : null,
            TimedOut = page.TimedOut,
        });
    }

    private static async Task<Ok<IReadOnlyList<AppLogUsage>>> UsageAsync(AppGate apps, LogUsage usage, CancellationToken cancellationToken)
    {
        var visible = (await apps.ListAsync(cancellationToken)).Select(app => app.Name).ToHashSet(StringComparer.Ordinal);
        IReadOnlyList<AppLogUsage> list = [.. (await usage.ListAsync(cancellationToken)).Where(app => visible.Contains(app.App))];
        return TypedResults.Ok(list);
    }

    private static LogQuery ReadQuery(QueryReader query)
    {
        var wanted = new LogQuery(query.Text("q") ?? "", Flag(query, "regex"), Flag(query, "case"))
        {
            Stream = query.Word<LogStream>("stream"),
            Step = query.Word<StepKind>("step"),
            Since = query.Instant("since"),
            Until = query.Instant("until"),
        };
        if (!wanted.IsValid(out var wrong))
        {
            query.Refuse("q", wrong);
        }

        return wanted;
    }

    private static (int Limit, int Context) ReadExtent(QueryReader query) =>
        ((int)(query.Number("limit", 1, LogSearch.MaxMatches) ?? DefaultLimit), (int)(query.Number("context", 0, LogSearch.MaxContext) ?? 0));

    private static bool Flag(QueryReader query, string name) =>
        query.Text(name) is { } text && LogStreamApi.ReadBoolean(query, name, text);

    private static LogSearchCursor? ReadCursor(QueryReader query)
    {
        if (query.Text("after") is not { } text)
        {
            return null;
        }

        if (text.Split(':') is [var deployment, var line]
            && long.TryParse(deployment, NumberStyles.None, CultureInfo.InvariantCulture, out var deploymentId)
            && long.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return new LogSearchCursor(deploymentId, number);
        }

        query.Refuse("after", "'after' is the next of a page of this search, e.g. after=1000:25.");
        return null;
    }
}
