using Deployer.Core.Access;
using Deployer.Core.Diagnostics;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.Web.Features.Diagnostics;

/// <summary>What a look at the installation showed.</summary>
/// <param name="State">The worst of the findings.</param>
/// <param name="Findings">A finding a part.</param>
internal sealed record DiagnosticsJson(FindingState State, IReadOnlyList<Finding> Findings);

/// <summary><c>GET /api/diagnostics</c>: what is well and what to do about the rest.</summary>
public static class DiagnosticsApi
{
    /// <summary>Maps the endpoint.</summary>
    public static void MapDiagnosticsApi(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/diagnostics", LookAsync)
            .WithName("GetDiagnostics").WithTags("Health").RequireAccess(AccessRole.Admin, AccessScope.Everywhere)
            .WithSummary("Look at every part of the installation")
            .WithDescription("Database, engine, registries, disk, clock, keys and proxy, each with what to do when it is not well.");

    private static async Task<Ok<DiagnosticsJson>> LookAsync(DiagnosticsGate gate, CancellationToken cancellationToken)
    {
        var findings = await gate.LookAsync(cancellationToken);
        return TypedResults.Ok(new DiagnosticsJson(findings.Max(finding => finding.State), findings));
    }
}
