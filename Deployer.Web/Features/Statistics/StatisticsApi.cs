using Deployer.Core.Access;
using Deployer.Core.Data;
using Deployer.Core.Statistics;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;
using NodaTime;

namespace Deployer.Web.Features.Statistics;

/// <summary>The API of figures about deploying: <c>/api/statistics</c>.</summary>
public static class StatisticsApi
{
    private const int DefaultDays = 30;
    private const int MaxSliceDays = 366;

    /// <summary>Maps the endpoint.</summary>
    public static void MapStatisticsApi(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/statistics", ReadAsync).WithTags("Statistics")
            .WithName("GetStatistics").RequireAccess(AccessRole.Viewer, AccessScope.Anywhere).WithSummary("See how deploying goes")
            .WithDescription(
                "How often deployments succeed and fail, how long they take, and how long it is from a failure to the next success: in all, for each "
                + "app, and for each slice of the range. A deployment counts where it ended, a recovery where it was over.")
            .WithQuery("app", "Of this app alone.", "web")
            .WithQuery("environment", "Of apps of this environment alone.", "production")
            .WithQuery("since", $"Ended at this instant or later; default {DefaultDays} days before until.", Rfc3339.Example)
            .WithQuery("until", "Ended before this instant; default now.", Rfc3339.Example)
            .WithQuery("slice_days", $"Days of a slice, 1 to {MaxSliceDays}; default 1. At most {StatisticsQuery.MaxSlices} slices make a range.", "7")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound);

    private static async Task<Results<Ok<DeploymentStatistics>, ProblemHttpResult>> ReadAsync(
        HttpRequest request, AppGate apps, StatisticsGate statistics, TimeProvider time, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request, "app", "environment", "since", "until", "slice_days");
        var app = query.Text("app");
        var until = (query.Instant("until") ?? time.Now()).WithinDatabase();
        var since = (query.Instant("since") ?? until.Minus(Duration.FromDays(DefaultDays))).WithinDatabase();
        var wanted = new StatisticsQuery(app is null ? null : [app], since, until, Duration.FromDays(query.Number("slice_days", 1, MaxSliceDays) ?? 1));
        if (until <= since)
        {
            query.Refuse("since", "'since' is not before 'until'; give an earlier one.");
        }
        else if (wanted.Slices > StatisticsQuery.MaxSlices)
        {
            query.Refuse("slice_days", $"The range has {wanted.Slices} slices; at most {StatisticsQuery.MaxSlices} are given. Ask for longer slices or a shorter range.");
        }

        if (query.Problem is { } problem)
        {
            return problem;
        }

        if (app is not null && await apps.FindAsync(app, cancellationToken) is null)
        {
            return Problem.UnknownApp(app);
        }

        return TypedResults.Ok(await statistics.ReadAsync(wanted, query.Text("environment"), cancellationToken));
    }
}
