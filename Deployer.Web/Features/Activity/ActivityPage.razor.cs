using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Statistics;
using Deployer.Web.Components.Time;
using Microsoft.AspNetCore.Components;
using NodaTime;

namespace Deployer.Web.Features.Activity;

/// <summary>What runs and waits now, how deploying goes, and all deployments. The filters stand in the address.</summary>
public sealed partial class ActivityPage : IAsyncDisposable
{
    // The figures change slowly and cost more than a page of deployments.
    private static readonly Duration FiguresStay = Duration.FromSeconds(30);

    private ActivityFilter _filter = ActivityFilter.None;
    private IReadOnlyList<AppView> _apps = [];
    private IReadOnlyList<DeploymentView> _now = [];
    private IReadOnlyList<DeploymentView>? _deployments;
    private DeploymentStatistics? _statistics;
    private (StatisticsQuery? Query, string? Environment, Instant At) _counted;
    private LiveReloadHandle? _live;
    private bool _trouble;

    [SupplyParameterFromQuery(Name = "app")]
    private string? App { get; set; }

    [SupplyParameterFromQuery(Name = "environment")]
    private string? Environment { get; set; }

    [SupplyParameterFromQuery(Name = "status")]
    private string? Status { get; set; }

    [SupplyParameterFromQuery(Name = "by")]
    private string? By { get; set; }

    [SupplyParameterFromQuery(Name = "since")]
    private string? Since { get; set; }

    [SupplyParameterFromQuery(Name = "until")]
    private string? Until { get; set; }

    [SupplyParameterFromQuery(Name = "before")]
    private string? Before { get; set; }

    [SupplyParameterFromQuery(Name = "days")]
    private string? Days { get; set; }

    [Inject]
    private AppGate Catalog { get; set; } = default!;

    [Inject]
    private DeploymentGate Deployments { get; set; } = default!;

    [Inject]
    private StatisticsGate Figures { get; set; } = default!;

    [Inject]
    private DeploymentFeed Feed { get; set; } = default!;

    [Inject]
    private LiveReload Live { get; set; } = default!;

    [Inject]
    private NavigationManager Navigation { get; set; } = default!;

    [Inject]
    private TimeProvider Clock { get; set; } = default!;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_live is not null)
        {
            await _live.DisposeAsync();
            _live = null;
        }
    }

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        var filter = ActivityFilter.Read(App, Environment, Status, By, Since, Until, Before, Days);
        if (_live is not null && filter == _filter)
        {
            return;
        }

        _filter = filter;
        await DisposeAsync();
        _live = Live.Start(Feed.WatchAll(), stop => LoadAsync(filter, stop), ShowTroubleAsync);
    }

    private async Task LoadAsync(ActivityFilter filter, CancellationToken stop)
    {
        var apps = await Catalog.ListAsync(stop);
        var deployments = await Deployments.ListAsync(filter.ToQuery(), stop);
        var running = await Deployments.ListAsync(filter.Unfinished(DeploymentStatus.Running), stop);
        var queued = await Deployments.ListAsync(filter.Unfinished(DeploymentStatus.Queued), stop);
        var statistics = await CountAsync(filter, stop);
        await InvokeAsync(() =>
        {
            if (filter == _filter)
            {
                (_apps, _deployments, _statistics) = (apps, deployments, statistics);
                _now = [.. running.Reverse(), .. queued.OrderBy(deployment => deployment.Waiting?.Position ?? int.MaxValue)];
                StateHasChanged();
            }
        });
    }

    private async Task<DeploymentStatistics?> CountAsync(ActivityFilter filter, CancellationToken stop)
    {
        var now = Clock.Now();
        var query = filter.Range.ToQuery(filter.App, now);
        if (_statistics is { } known && _counted.Environment == filter.Environment && now - _counted.At < FiguresStay
            && _counted.Query is { } before && before.Since == query.Since && before.Slice == query.Slice && before.Apps?.FirstOrDefault() == filter.App)
        {
            return known;
        }

        var statistics = await Figures.ReadAsync(query, filter.Environment, stop);
        _counted = (query, filter.Environment, now);
        return statistics;
    }

    private Task ShowTroubleAsync(bool failing) => InvokeAsync(() =>
    {
        _trouble = failing;
        StateHasChanged();
    });

    private string Href(string name, object? value)
    {
        var parameters = new Dictionary<string, object?>(StringComparer.Ordinal) { ["before"] = null, [name] = value };
        return Navigation.GetUriWithQueryParameters(parameters);
    }

    private void Choose(string name, ChangeEventArgs change) =>
        Navigation.NavigateTo(Href(name, change.Value as string is { Length: > 0 } text ? text : null), replace: true);
}
