using System.Globalization;
using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Microsoft.AspNetCore.WebUtilities;
using NodaTime;

namespace Deployer.Web.Features.Home;

/// <summary>By what the home page is sorted.</summary>
internal enum AppOrder
{
    /// <summary>By name.</summary>
    Name,

    /// <summary>What needs attention first, then what is being deployed.</summary>
    State,

    /// <summary>By the newest deployment, the newest first.</summary>
    Last,

    /// <summary>By environment, then by name.</summary>
    Environment,
}

/// <summary>What a reader of the home page looks for. Lives in the address.</summary>
/// <param name="Search">Words that name, environment or image must hold; empty for none.</param>
/// <param name="Environment">One environment; <see langword="null"/> for all.</param>
/// <param name="Group">Which apps.</param>
/// <param name="Order">By what they are sorted.</param>
/// <param name="IsReversed">Whether the order is turned round.</param>
/// <param name="Page">Page, from 1.</param>
internal sealed record HomeView(string Search, string? Environment, AppGroup Group, AppOrder Order, bool IsReversed, int Page)
{
    /// <summary>How many apps a page has.</summary>
    public const int PageSize = 50;

    /// <summary>All apps by name.</summary>
    public static HomeView Default { get; } = new("", null, AppGroup.All, AppOrder.Name, IsReversed: false, 1);

    /// <summary>Whether it leaves apps out.</summary>
    public bool IsNarrowed => Search.Length > 0 || Environment is not null || Group != AppGroup.All;

    /// <summary>Reads an address.</summary>
    public static HomeView Read(Uri address)
    {
        var query = QueryHelpers.ParseQuery(address.Query);
        return Read(query.GetValueOrDefault("q"), query.GetValueOrDefault("env"), query.GetValueOrDefault("show"), query.GetValueOrDefault("sort"),
            int.TryParse(query.GetValueOrDefault("page"), CultureInfo.InvariantCulture, out var page) ? page : null);
    }

    /// <summary>Reads the address's parameters; what cannot be read is as if it were not there.</summary>
    public static HomeView Read(string? search, string? environment, string? group, string? order, int? page) => new(
        search ?? "",
        string.IsNullOrEmpty(environment) ? null : environment,
        Enum.TryParse<AppGroup>(group, ignoreCase: true, out var known) ? known : AppGroup.All,
        Enum.TryParse<AppOrder>(order?.TrimStart('-'), ignoreCase: true, out var by) ? by : AppOrder.Name,
        order?.StartsWith('-') ?? false,
        Math.Max(1, page ?? 1));

    /// <summary>The address's parameters, <see langword="null"/> where they say what holds without them.</summary>
    public IReadOnlyDictionary<string, object?> Write() => new Dictionary<string, object?>(StringComparer.Ordinal)
    {
        ["q"] = Search.Length == 0 ? null : Search,
        ["env"] = Environment,
        ["show"] = Group == AppGroup.All ? null : Lower(Group.ToString()),
        ["sort"] = Order == AppOrder.Name && !IsReversed ? null : (IsReversed ? "-" : "") + Lower(Order.ToString()),
        ["page"] = Page == 1 ? null : Page,
    };

    /// <summary>Chooses and sorts.</summary>
    public HomeRows Choose(IReadOnlyList<AppOverview> apps)
    {
        var words = Search.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var found = apps.Where(app => (Environment is null || app.Environment == Environment) && words.All(word => Holds(app, word))).ToList();
        var counts = AppGroups.All.ToDictionary(group => group, group => found.Count(app => group.Has(app)));
        var chosen = found.Where(app => Group.Has(app));
        var sorted = (Order switch
        {
            AppOrder.State => chosen.OrderBy(Urgency),
            AppOrder.Last => chosen.OrderByDescending(app => app.Last?.CreatedAt ?? Instant.MinValue),
            AppOrder.Environment => chosen.OrderBy(app => app.Environment, StringComparer.Ordinal),
            _ => chosen.OrderBy(_ => 0),
        }).ThenBy(app => app.Name, StringComparer.Ordinal).ToList();
        if (IsReversed)
        {
            sorted.Reverse();
        }

        var pages = Math.Max(1, (sorted.Count + PageSize - 1) / PageSize);
        var page = Math.Min(Page, pages);
        return new HomeRows([.. sorted.Skip((page - 1) * PageSize).Take(PageSize)], sorted.Count, page, pages, counts);
    }

    private static bool Holds(AppOverview app, string word) =>
        app.Name.Contains(word, StringComparison.OrdinalIgnoreCase)
        || app.Environment.Contains(word, StringComparison.OrdinalIgnoreCase)
        || (app.Serving?.Image ?? app.Image).Contains(word, StringComparison.OrdinalIgnoreCase);

    private static int Urgency(AppOverview app) => app switch
    {
        _ when AppGroups.IsBad(app.State) => 0,
        { Last.Status: DeploymentStatus.Failed } => 1,
        _ when AppGroups.IsDeploying(app) => 2,
        { State: AppState.Unknown or AppState.Paused or AppState.Starting } => 3,
        { State: AppState.Running } => 4,
        { State: AppState.Stopped } => 5,
        _ => 6,
    };

    private static string Lower(string name) => name.ToLower(CultureInfo.InvariantCulture);
}

/// <summary>What of the apps is shown.</summary>
/// <param name="Apps">Those of the page.</param>
/// <param name="Total">How many there are on all pages.</param>
/// <param name="Page">The page, from 1.</param>
/// <param name="Pages">How many pages there are, at least 1.</param>
/// <param name="Counts">How many apps each group has, with search and environment applied.</param>
internal sealed record HomeRows(
    IReadOnlyList<AppOverview> Apps, int Total, int Page, int Pages, IReadOnlyDictionary<AppGroup, int> Counts)
{
    /// <summary>Number of the page's first app, from 1; 0 where there is none.</summary>
    public int First => Total == 0 ? 0 : ((Page - 1) * HomeView.PageSize) + 1;
}
