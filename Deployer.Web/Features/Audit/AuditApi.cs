using System.Text.Json;
using Deployer.Core.Access;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Deployer.Web.Features.Problems;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Http.HttpResults;
using NodaTime;

namespace Deployer.Web.Features.Audit;

/// <summary>An entry of the audit log.</summary>
internal sealed record AuditEntryJson(
    long Id, Instant At, ActorKind ActorKind, string ActorId, string ActorName, string? Address, string Action, string Subject,
    string? Environment, JsonElement? Before, JsonElement? After, string? Note)
{
    /// <summary>As the API shows an entry.</summary>
    public static AuditEntryJson Of(AuditEntry entry) => new(
        entry.Id, entry.At, entry.ActorKind, entry.ActorId, entry.ActorName, entry.Address, entry.Action, entry.Subject, entry.Environment,
        Read(entry.Before), Read(entry.After), entry.Note);

    private static JsonElement? Read(string? state) => state is null ? null : JsonSerializer.Deserialize<JsonElement>(state);
}

/// <summary>A page of the audit log, newest first.</summary>
/// <param name="Entries">The entries.</param>
/// <param name="NextBefore">Pass it as <c>before</c> for the next page; <see langword="null"/> when this is the last.</param>
internal sealed record AuditPageJson(IReadOnlyList<AuditEntryJson> Entries, long? NextBefore);

/// <summary>The API of the audit log: <c>/api/audit</c>, and its export.</summary>
public static class AuditApi
{
    private const int DefaultLimit = 100;
    private const int MaxTextLength = 200;

    private static readonly string[] Filters = ["text", "action", "subject", "environment", "from", "until"];

    /// <summary>Maps the endpoints.</summary>
    public static void MapAuditApi(this IEndpointRouteBuilder routes)
    {
        var audit = routes.MapGroup("/api/audit").WithTags("Audit").RequireAccess(AccessRole.Owner, AccessScope.Everywhere);
        WithFilters(audit.MapGet("/", SearchAsync).WithName("SearchAudit").WithSummary("Search the audit log, newest first"))
            .WithQuery("before", "Older than this id: next_before of the page before.", "1000")
            .WithQuery("limit", $"At most so many, 1 to {AuditGate.MaxLimit}; default {DefaultLimit}.", "100")
            .ProducesValidationProblem();
        WithFilters(audit.MapGet("/export", ExportAsync).WithName("ExportAudit").WithSummary("Export the audit log, oldest first"))
            .WithDescription("Streamed, as JSON lines or CSV; the export is itself an entry, the last of the file.")
            .WithQuery("format", "jsonl or csv; default jsonl.", "csv")
            .Produces(StatusCodes.Status200OK, contentType: "application/x-ndjson", additionalContentTypes: "text/csv").ProducesValidationProblem();
    }

    private static RouteHandlerBuilder WithFilters(RouteHandlerBuilder endpoint) => endpoint
        .WithQuery("text", "Part of the caller's name or address, the subject, the action or the note; capitals do not matter.", "olga")
        .WithQuery("action", "An action, or a family of them.", "app.changed")
        .WithQuery("subject", "What it was done to.", "app:web")
        .WithQuery("environment", "The environment it concerns.", "production")
        .WithQuery("from", "From this instant on, RFC 3339.", Rfc3339.Example)
        .WithQuery("until", "Before this instant, RFC 3339.", Rfc3339.Example);

    private static async Task<Results<Ok<AuditPageJson>, ProblemHttpResult>> SearchAsync(
        HttpRequest request, AuditGate audit, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request, [.. Filters, "before", "limit"]);
        var wanted = Read(query) with { Before = query.Number("before", 1, long.MaxValue) };
        var limit = (int)(query.Number("limit", 1, AuditGate.MaxLimit) ?? DefaultLimit);
        if (query.Problem is { } problem)
        {
            return problem;
        }

        var page = await audit.SearchAsync(wanted, limit, cancellationToken);
        return TypedResults.Ok(new AuditPageJson([.. page.Select(AuditEntryJson.Of)], page.Count == limit ? page[^1].Id : null));
    }

    private static async Task<IResult> ExportAsync(HttpRequest request, AuditGate audit, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request, [.. Filters, "format"]);
        var wanted = Read(query);
        var format = query.Text("format") ?? "jsonl";
        if (format is not ("jsonl" or "csv"))
        {
            query.Refuse("format", "'format' is jsonl or csv.");
        }

        if (query.Problem is { } problem)
        {
            return problem;
        }

        var entries = await audit.ExportAsync(wanted, format, cancellationToken);
        return format == "csv"
            ? TypedResults.Stream(target => AuditFile.WriteCsvAsync(entries, target, cancellationToken), "text/csv; charset=utf-8; header=present", "audit.csv")
            : TypedResults.Stream(target => AuditFile.WriteJsonLinesAsync(entries, target, cancellationToken), "application/x-ndjson", "audit.jsonl");
    }

    private static AuditQuery Read(QueryReader query)
    {
        foreach (var name in Filters.Where(name => query.Text(name) is { Length: > MaxTextLength }))
        {
            query.Refuse(name, $"'{name}' has more than {MaxTextLength} characters; shorten it.");
        }

        return new AuditQuery(
            query.Text("text"), query.Text("action"), query.Text("subject"), query.Text("environment"),
            query.Instant("from"), query.Instant("until"), Before: null);
    }
}
