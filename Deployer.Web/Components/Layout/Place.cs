using System.Reflection;
using Deployer.Core.Access;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;
using MudBlazor;

namespace Deployer.Web.Components.Layout;

/// <summary>A page that the navigation leads to.</summary>
/// <param name="Name">Its name, in a word or two.</param>
/// <param name="Href">Its address.</param>
/// <param name="Icon">Its sign.</param>
/// <param name="IsMain">Whether it stands in the bar of a phone; the others are behind "More" there.</param>
internal sealed record Place(string Name, string Href, string Icon, bool IsMain)
{
    /// <summary>
    /// Every place, in order. A new page of general interest gets a line here and nothing else: it is shown when a page
    /// has that address and the reader's roles open it.
    /// </summary>
    public static IReadOnlyList<Place> All { get; } =
    [
        new("Apps", "/", Icons.Material.Outlined.Widgets, IsMain: true),
        new("Activity", "/activity", Icons.Material.Outlined.History, IsMain: true),
        new("Search", "/search", Icons.Material.Outlined.ManageSearch, IsMain: true),
        new("Environments", "/environments", Icons.Material.Outlined.Dns, IsMain: false),
        new("Registries", "/registries", Icons.Material.Outlined.Inventory2, IsMain: false),
        new("People", "/people", Icons.Material.Outlined.Group, IsMain: false),
        new("Tokens", "/tokens", Icons.Material.Outlined.Key, IsMain: false),
        new("Notifications", "/notifications", Icons.Material.Outlined.NotificationsNone, IsMain: false),
        new("Diagnostics", "/diagnostics", Icons.Material.Outlined.MonitorHeart, IsMain: false),
        new("Audit", "/audit", Icons.Material.Outlined.FactCheck, IsMain: false),
    ];

    private static readonly Dictionary<string, AccessAttribute?> Pages = typeof(Place).Assembly.GetTypes()
        .SelectMany(page => page.GetCustomAttributes<RouteAttribute>().Select(route => (route.Template, Page: page)))
        .ToDictionary(route => route.Template, route => route.Page.GetCustomAttribute<AccessAttribute>(), StringComparer.Ordinal);

    /// <summary>When the place counts as the one where the reader is.</summary>
    public NavLinkMatch Match => Href == "/" ? NavLinkMatch.All : NavLinkMatch.Prefix;

    /// <summary>The places that somebody may go to.</summary>
    public static IReadOnlyList<Place> For(Actor actor) => [.. All.Where(place => place.IsOpenTo(actor))];

    // The rule stands on the page alone, as for its address.
    private bool IsOpenTo(Actor actor) => Pages.TryGetValue(Href, out var access) && access switch
    {
        null => true,
        { Scope: AccessScope.Anywhere } => actor.MayAnywhere(access.Role),
        _ => actor.MayEverywhere(access.Role),
    };
}
