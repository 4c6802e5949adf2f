using System.Globalization;
using Deployer.Core.Access;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Deployer.Core.Environments;
using Microsoft.AspNetCore.Components;
using NodaTime;

namespace Deployer.Web.Features.Audit;

/// <summary>Who did what to what: searched, filtered, and taken away as a file. The filters are in the address.</summary>
public sealed partial class AuditPage
{
    private const int Page = 100;

    private readonly List<AuditEntry> _found = [];
    private IReadOnlyList<AuditEntry>? _entries;
    private IReadOnlyList<string> _environments = [];
    private string? _text;
    private string? _family;
    private string? _environment;
    private DateOnly? _from;
    private DateOnly? _until;
    private bool _more;

    /// <summary>Text to look for, from the address.</summary>
    [SupplyParameterFromQuery(Name = "text")]
    public string? QueryText { get; set; }

    /// <summary>Family of actions, from the address.</summary>
    [SupplyParameterFromQuery(Name = "action")]
    public string? QueryAction { get; set; }

    /// <summary>Environment, from the address.</summary>
    [SupplyParameterFromQuery(Name = "environment")]
    public string? QueryEnvironment { get; set; }

    /// <summary>First day, from the address.</summary>
    [SupplyParameterFromQuery(Name = "from")]
    public DateOnly? QueryFrom { get; set; }

    /// <summary>Last day, from the address.</summary>
    [SupplyParameterFromQuery(Name = "until")]
    public DateOnly? QueryUntil { get; set; }

    [Inject]
    private AuditGate Audit { get; set; } = default!;

    [Inject]
    private EnvironmentBook Environments { get; set; } = default!;

    [Inject]
    private ICurrentActor Current { get; set; } = default!;

    [Inject]
    private NavigationManager Navigation { get; set; } = default!;

    private AuditQuery Query => new(QueryText, QueryAction, Subject: null, QueryEnvironment, Start(QueryFrom), Start(QueryUntil?.AddDays(1)), Before: null);

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        (_text, _family, _environment, _from, _until) = (QueryText, QueryAction, QueryEnvironment, QueryFrom, QueryUntil);
        _environments =
        [
            .. (await Environments.ListAsync(await Current.GetAsync(CancellationToken.None), CancellationToken.None)).Select(environment => environment.Name)
                .Union(QueryEnvironment is null ? [] : [QueryEnvironment], StringComparer.Ordinal),
        ];
        _found.Clear();
        await ReadAsync();
    }

    private static string? Day(DateOnly? day) => day?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static Instant? Start(DateOnly? day) => day is { } given ? LocalDate.FromDateOnly(given).AtMidnight().InUtc().ToInstant() : null;

    private async Task ReadAsync()
    {
        var before = _found.Count > 0 ? _found[^1].Id : (long?)null;
        var page = await Audit.SearchAsync(Query with { Before = before }, Page, CancellationToken.None);
        _found.AddRange(page);
        _more = page.Count == Page;
        _entries = _found;
    }

    private Task MoreAsync() => ReadAsync();

    private void Search() => Navigation.NavigateTo(Navigation.GetUriWithQueryParameters("/audit", new Dictionary<string, object?>(StringComparer.Ordinal)
    {
        ["text"] = string.IsNullOrWhiteSpace(_text) ? null : _text.Trim(),
        ["action"] = _family,
        ["environment"] = _environment,
        ["from"] = Day(_from),
        ["until"] = Day(_until),
    }));

    private string Export(string format) => Navigation.GetUriWithQueryParameters("/api/audit/export", new Dictionary<string, object?>(StringComparer.Ordinal)
    {
        ["format"] = format,
        ["text"] = QueryText,
        ["action"] = QueryAction,
        ["environment"] = QueryEnvironment,
        ["from"] = Start(QueryFrom) is { } from ? Rfc3339.Format(from) : null,
        ["until"] = Start(QueryUntil?.AddDays(1)) is { } until ? Rfc3339.Format(until) : null,
    });
}
