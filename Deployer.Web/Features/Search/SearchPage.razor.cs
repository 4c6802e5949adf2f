using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Logs;
using Microsoft.AspNetCore.Components;

namespace Deployer.Web.Features.Search;

/// <summary>Searches the logs of all deployments. What is looked for stands in the address, so a search can be passed on.</summary>
public sealed partial class SearchPage : IDisposable
{
    private const int PageSize = 50;
    private const int ContextLines = 2;

    private readonly CancellationTokenSource _left = new();
    private SearchForm _form = new();
    private IReadOnlyList<AppView> _apps = [];
    private LogMatchPage? _page;
    private LogHighlights? _highlights;
    private CancellationTokenSource? _search;
    private string? _wrong;
    private string? _asked;
    private bool _searching;

    /// <summary>What is looked for.</summary>
    [SupplyParameterFromQuery(Name = "q")]
    private string? Text { get; set; }

    [SupplyParameterFromQuery(Name = "regex")]
    private string? Regex { get; set; }

    [SupplyParameterFromQuery(Name = "case")]
    private string? Case { get; set; }

    [SupplyParameterFromQuery(Name = "app")]
    private string? App { get; set; }

    [SupplyParameterFromQuery(Name = "environment")]
    private string? Environment { get; set; }

    [SupplyParameterFromQuery(Name = "stream")]
    private string? Stream { get; set; }

    [SupplyParameterFromQuery(Name = "step")]
    private string? Step { get; set; }

    [SupplyParameterFromQuery(Name = "since")]
    private string? Since { get; set; }

    [SupplyParameterFromQuery(Name = "until")]
    private string? Until { get; set; }

    [SupplyParameterFromQuery(Name = "after")]
    private string? After { get; set; }

    [Inject]
    private AppGate Apps { get; set; } = default!;

    [Inject]
    private LogSearch Search { get; set; } = default!;

    [Inject]
    private NavigationManager Navigation { get; set; } = default!;

    private string Status => (_searching, _page) switch
    {
        (true, _) => "Searching…",
        (_, { TimedOut: true, Next: null, Matches.Count: var count }) => $"{Lines(count)} found. Lines on which the expression took too long were passed over.",
        (_, { TimedOut: true, Matches.Count: var count }) => $"{Lines(count)} so far: the search took long and was cut short. The next page goes on.",
        (_, { Next: null, Matches.Count: > 0 and var count }) when After is null => $"{Lines(count)} found.",
        (_, { Next: null, Matches.Count: > 0 and var count }) => $"{Lines(count)} on this page, the last one.",
        (_, { Matches.Count: > 0 and var count }) => $"The {(After is null ? "newest" : "next")} {Lines(count)}; there are more.",
        _ => "",
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        _left.Cancel();
        _left.Dispose();
        _search?.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        var address = Navigation.Uri;
        if (string.Equals(_asked, address, StringComparison.Ordinal))
        {
            return;
        }

        _asked = address;
        _form = SearchForm.Read(Text, Regex, Case, App, Environment, Stream, Step, Since, Until);
        (_wrong, _page, _searching) = (null, null, false);
        var earlier = _search;
        _search = CancellationTokenSource.CreateLinkedTokenSource(_left.Token);
        var stop = _search.Token;
        if (earlier is not null)
        {
            await earlier.CancelAsync();
            earlier.Dispose();
        }

        try
        {
            _apps = await Apps.ListAsync(stop);
            if (_form.Text.Length > 0)
            {
                await SearchAsync(stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The page was left, or another search took this one's place.
        }
        catch (Exception exception) when (DatabaseFault.Explain(exception) is not null)
        {
            (_wrong, _searching) = ("The logs cannot be read just now: Deployer's database does not answer. Try again in a moment.", false);
        }
    }

    private static string Lines(int count) => count == 1 ? "1 line" : $"{count} lines";

    private async Task SearchAsync(CancellationToken stop)
    {
        var query = _form.ToQuery(out var after, After, out _wrong);
        if (query is null)
        {
            return;
        }

        var apps = _apps.Where(app => (_form.App.Length == 0 || app.Name == _form.App) && (_form.Environment.Length == 0 || app.Environment == _form.Environment))
            .Select(app => app.Name).ToList();
        _highlights = new LogHighlights(query);
        _searching = true;
        StateHasChanged();
        var page = await Search.FindAcrossAsync(query, apps, after, PageSize, ContextLines, stop);
        stop.ThrowIfCancellationRequested();
        (_page, _searching) = (page, false);
    }

    private void SubmitAsync()
    {
        var address = Navigation.GetUriWithQueryParameters(Navigation.ToAbsoluteUri("/search").ToString(), _form.ToParameters());
        if (string.Equals(address, Navigation.Uri, StringComparison.Ordinal))
        {
            _asked = null;
        }

        Navigation.NavigateTo(address);
    }

    private string HrefAfter(string? after) => Navigation.GetUriWithQueryParameter("after", after);
}
