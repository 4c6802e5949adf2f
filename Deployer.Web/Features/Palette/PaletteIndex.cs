using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Web.Components.Layout;
using MudBlazor;

namespace Deployer.Web.Features.Palette;

/// <summary>What an entry of the palette does.</summary>
internal enum PaletteVerb
{
    /// <summary>Goes to an address.</summary>
    Go,

    /// <summary>Opens the dialog to deploy an app.</summary>
    Deploy,

    /// <summary>Opens the dialog to restore an app.</summary>
    Restore,
}

/// <summary>An entry of the palette.</summary>
/// <param name="Verb">What it does.</param>
/// <param name="Target">The address or the app.</param>
/// <param name="Text">What it is called.</param>
/// <param name="Hint">More about it, in a word.</param>
/// <param name="Icon">Its sign.</param>
internal sealed record PaletteEntry(PaletteVerb Verb, string Target, string Text, string Hint, string Icon);

/// <summary>Finds entries by what somebody types.</summary>
internal static class PaletteIndex
{
    /// <summary>How many entries are offered for a text, with the search of the logs. Without one, no page is left out.</summary>
    public const int Offered = 9;

    private const int NoMatch = int.MaxValue;

    /// <summary>The best entries for a text, the best first.</summary>
    public static IReadOnlyList<PaletteEntry> Find(string text, Overview? overview, IReadOnlyList<Place> places)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var canSearch = places.Any(place => place.Href == "/search");
        var found = Entries(overview, places)
            .Select(entry => (entry.Entry, Score: words.Sum(word => (long)Score(word, entry.Name, entry.Other)), entry.Name))
            .Where(entry => entry.Score < NoMatch)
            .OrderBy(entry => entry.Score).ThenBy(entry => words.Length == 0 ? 0 : entry.Name.Length)
            .Select(entry => entry.Entry)
            .Take(words.Length == 0 ? Math.Max(Offered, places.Count) : canSearch ? Offered - 1 : Offered).ToList();
        if (words.Length > 0 && canSearch)
        {
            var query = text.Trim();
            found.Add(new PaletteEntry(
                PaletteVerb.Go, $"/search?q={Uri.EscapeDataString(query)}", $"Search all logs for “{query}”", "Logs", Icons.Material.Outlined.ManageSearch));
        }

        return found;
    }

    private static IEnumerable<(PaletteEntry Entry, string Name, string Other)> Entries(Overview? overview, IReadOnlyList<Place> places)
    {
        foreach (var place in places)
        {
            yield return (new PaletteEntry(PaletteVerb.Go, place.Href, place.Name, "Page", place.Icon), place.Name, "go open page");
        }

        if (overview is null)
        {
            yield break;
        }

        if (overview.Actor.MayAnywhere(AccessRole.Admin))
        {
            yield return (new PaletteEntry(PaletteVerb.Go, "/apps/new", "Add an app", "Page", Icons.Material.Filled.Add), "Add an app", "new create");
        }

        foreach (var app in overview.Apps)
        {
            yield return (
                new PaletteEntry(PaletteVerb.Go, $"/apps/{app.Name}", app.Name, app.Environment, Icons.Material.Outlined.Widgets), app.Name, $"go open app {app.Environment}");
            if (!overview.MayDeploy(app))
            {
                continue;
            }

            yield return (
                new PaletteEntry(PaletteVerb.Deploy, app.Name, $"Deploy {app.Name}…", app.Environment, Icons.Material.Outlined.RocketLaunch), app.Name, $"deploy {app.Environment}");
            if (app.Serving is not null)
            {
                yield return (
                    new PaletteEntry(PaletteVerb.Restore, app.Name, $"Restore {app.Name}…", app.Environment, Icons.Material.Outlined.SettingsBackupRestore),
                    app.Name,
                    $"restore roll back {app.Environment}");
            }
        }
    }

    // The name first, then parts of it, then what the entry does and where.
    private static int Score(string word, string name, string other)
    {
        if (name.Equals(word, StringComparison.OrdinalIgnoreCase))
        {
            return 0;
        }

        if (name.StartsWith(word, StringComparison.OrdinalIgnoreCase))
        {
            return 1;
        }

        if (name.Split('-', ' ').Any(part => part.StartsWith(word, StringComparison.OrdinalIgnoreCase)))
        {
            return 2;
        }

        if (other.Split(' ').Any(part => part.StartsWith(word, StringComparison.OrdinalIgnoreCase)))
        {
            return 3;
        }

        return name.Contains(word, StringComparison.OrdinalIgnoreCase) ? 4 : NoMatch;
    }
}
