using System.Globalization;
using Deployer.Core.Data;
using Deployer.Core.Logs;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.WebUtilities;

namespace Deployer.Web.Features.Console;

/// <summary>The pane's search: the bar, the matches, errors, and what of it stands in the address.</summary>
public sealed partial class LogConsole
{
    private FindBar? _bar;
    private LogQuery? _query;
    private FoundLine? _found;
    private string? _outcome;
    private bool _finding;
    private bool _help;

    [Inject]
    private NavigationManager Navigation { get; set; } = default!;

    /// <summary>Shows a line in the middle of the pane and marks it.</summary>
    internal Task ShowLineAsync(long line) => GoToAsync(line);

    // The search that an address brings along, e.g. …/deployments/7?find=error&regex=1&case=1
    private void ReadAddress()
    {
        var values = QueryHelpers.ParseQuery(new Uri(Navigation.Uri).Query);
        if (values.TryGetValue("find", out var text) && text.ToString() is { Length: > 0 } find)
        {
            var query = new LogQuery(find, values.ContainsKey("regex"), values.ContainsKey("case"));
            _query = query.IsValid(out _) ? query : null;
            _finding = _query is not null;
        }

        // …?stream=stderr&step=health_check
        _filter = LineFilter.Parse(values.GetValueOrDefault("stream"), values.GetValueOrDefault("step"));
        _filtering = _filter != LineFilter.All;
    }

    private async Task OpenFindAsync()
    {
        _finding = true;
        StateHasChanged();
        if (_bar is not null)
        {
            await _bar.FocusAsync();
        }
    }

    private async Task CloseFindAsync()
    {
        _finding = false;
        await SetQueryAsync(null);
        await CallAsync("focus");
    }

    // An address that names a line too opens there; the search then only says how many there are.
    private async Task RestoreFindAsync(LogQuery query)
    {
        var namesLine = new Uri(Navigation.Uri).Fragment.StartsWith("#L", StringComparison.Ordinal);
        await HighlightAsync(query);
        await FindAsync(_marked?.From ?? 1, backwards: false, goThere: !namesLine);
    }

    private async Task SetQueryAsync(LogQuery? query)
    {
        await HighlightAsync(query);
        if (query is not null)
        {
            await FindAsync(await TopLineAsync(), backwards: false, goThere: true);
        }
    }

    private async Task HighlightAsync(LogQuery? query)
    {
        _query = query;
        _found = null;
        _outcome = null;
        await CallAsync("find", query is null ? null : Wire(query));
    }

    private async Task StepAsync(bool backwards)
    {
        if (_query is not null)
        {
            var from = _found?.Line ?? await TopLineAsync();
            await FindAsync(_found is null ? from : backwards ? from - 1 : from + 1, backwards, goThere: true);
        }
    }

    private async Task FindAsync(long from, bool backwards, bool goThere)
    {
        // What was looked for may have been taken away while the browser was asked where the reader is.
        if (_query is not { } query)
        {
            return;
        }

        var found = await TrySearchAsync(() => SearchAsync(query, from < 1 && backwards ? long.MaxValue : from, backwards));
        if (query != _query)
        {
            return;
        }

        // A search that was cut short says nothing of where the next match is: the reader stays at this one.
        // Nor does one that failed.
        _found = found is { Failed: true } or { Value.Line: 0 } ? _found : found.Value;
        _outcome = found switch
        {
            { Failed: true } => "Cannot search now",
            { Value: null } => "No match",
            { Value.Line: 0 } => "Took too long",
            { Value: { } line } => string.Create(CultureInfo.InvariantCulture, $"{line.Index:N0} of {line.Total:N0}{(line.TimedOut ? "+" : "")}"),
        };
        if (found.Value is { Line: > 0 and var there } && goThere)
        {
            await GoToAsync(there);
        }

        StateHasChanged();
    }

    // Where nobody keeps the lines, the browser searches those that it holds.
    private async Task<FoundLine?> SearchAsync(LogQuery query, long from, bool backwards) =>
        Source.Stored is { } stored
            ? await stored.FindAsync(query with { Stream = _filter.Stream, Step = _filter.Step }, from, backwards, _stopping)
            : _pane is null ? null : await AskAsync(stop => _pane.InvokeAsync<FoundLine?>("findHeld", stop, [Wire(query), from, backwards]));

    private static object Wire(LogQuery query) => new { text = query.Text, regex = query.IsRegex, matchCase = query.MatchCase };

    private async Task GoToErrorAsync(bool backwards)
    {
        var here = _marked?.From ?? (backwards ? await TopLineAsync() : await TopLineAsync() - 1);
        var from = backwards ? here - 1 : here + 1;
        from = from < 1 && backwards ? long.MaxValue : from;
        var found = await TrySearchAsync(async () => Source.Stored is { } stored
            ? await stored.FindErrorAsync(_filter, from, backwards, _stopping)
            : (await SearchAsync(LogFinder.Complaint, from, backwards))?.Line);
        if (found.Value is { } line and > 0)
        {
            await GoToAsync(line);
        }
        else
        {
            _announcement = found switch
            {
                { Failed: true } => "The log cannot be searched just now",
                { Value: null } => "No error in this log",
                _ => "The search for errors took too long and was cut short",
            };
            StateHasChanged();
        }
    }

    private static async Task<(T? Value, bool Failed)> TrySearchAsync<T>(Func<Task<T?>> search)
    {
        try
        {
            return (await search(), Failed: false);
        }
        catch (Exception exception) when (DatabaseFault.Explain(exception) is not null)
        {
            return (default, Failed: true);
        }
    }

    private async Task<long> TopLineAsync() => _pane is null ? 1 : await AskAsync(stop => _pane.InvokeAsync<long>("topLine", stop, []));
}
