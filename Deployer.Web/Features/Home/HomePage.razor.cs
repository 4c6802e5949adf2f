using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Web.Components.Layout;
using Deployer.Web.Components.Time;
using Deployer.Web.Features.Deploy;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;

namespace Deployer.Web.Features.Home;

/// <summary>The home page: every app with its state, its last deployments, and what can be done with it.</summary>
public sealed partial class HomePage : IAsyncDisposable
{
    private static readonly (AppOrder? Order, string Name)[] Columns =
        [(AppOrder.Name, "App"), (AppOrder.State, "State"), (null, "Version"), (AppOrder.Last, "Last deployment")];

    private static readonly (AppOrder Order, string Name)[] Orders =
    [
        (AppOrder.Name, "By name"), (AppOrder.State, "Attention first"), (AppOrder.Last, "Last deployed first"), (AppOrder.Environment, "By environment"),
    ];

    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private Overview? _overview;
    private HomeView _view = HomeView.Default;
    private HomeRows _rows = HomeView.Default.Choose([]);
    private IReadOnlyList<string> _environments = [];
    private Uri _here = new("http://localhost/");
    private long _minute;
    private LiveReloadHandle? _live;
    private bool _trouble;

    [Inject]
    private OverviewGate Overviews { get; set; } = default!;

    [Inject]
    private DeploymentFeed Feed { get; set; } = default!;

    [Inject]
    private LiveReload Live { get; set; } = default!;

    [Inject]
    private AppAddress Addresses { get; set; } = default!;

    [Inject]
    private DeployLauncher Launcher { get; set; } = default!;

    [Inject]
    private NavigationManager Navigation { get; set; } = default!;

    [Inject]
    private TimeProvider Clock { get; set; } = default!;

    private int Deploying => _overview?.Apps.Count(AppGroups.IsDeploying) ?? 0;

    private int InTrouble => _overview?.Apps.Count(app => AppGroup.Trouble.Has(app)) ?? 0;

    private string Title => (Deploying, InTrouble) switch
    {
        ( > 0, _) => $"▶ {Deploying} deploying · Apps · Deployer",
        (_, > 0) => $"✗ {InTrouble} {(InTrouble == 1 ? "needs" : "need")} attention · Apps · Deployer",
        _ => "Apps · Deployer",
    };

    private TabMood Mood => (Deploying, InTrouble) switch
    {
        ( > 0, _) => TabMood.Busy,
        (_, > 0) => TabMood.Bad,
        _ => TabMood.Calm,
    };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Navigation.LocationChanged -= Moved;
        if (_live is not null)
        {
            await _live.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    protected override void OnInitialized()
    {
        _here = new Uri(Navigation.BaseUri);
        _view = HomeView.Read(new Uri(Navigation.Uri));
        Navigation.LocationChanged += Moved;
        _live = Live.Start(Feed.WatchAll(), LoadAsync, ShowTroubleAsync);
    }

    private static string? Chosen(ChangeEventArgs choice) => choice.Value is string { Length: > 0 } value ? value : null;

    private async Task LoadAsync(CancellationToken stop)
    {
        var overview = await Overviews.ReadAsync(stop);
        var minute = Clock.Now().ToUnixTimeSeconds() / 60;
        await InvokeAsync(() =>
        {
            if (_overview is { } before && minute == _minute && before.Actor.Grants.SequenceEqual(overview.Actor.Grants)
                && before.Apps.SequenceEqual(overview.Apps, ReferenceEqualityComparer.Instance))
            {
                return;
            }

            _overview = overview;
            _minute = minute;
            _environments = [.. overview.Apps.Select(app => app.Environment).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
            Choose();
            StateHasChanged();
        });
    }

    private Task ShowTroubleAsync(bool failing) => InvokeAsync(() =>
    {
        _trouble = failing;
        StateHasChanged();
    });

    private void Choose() => _rows = _view.Choose(_overview?.Apps ?? []);

    private void Find(string? search) => Show(_view with { Search = search ?? "", Page = 1 });

    private void Sort(AppOrder by, bool turn) =>
        Show(_view with { Order = by, IsReversed = turn && _view.Order == by && !_view.IsReversed, Page = 1 });

    // The address is what a reader reloads, keeps and passes on; a search leaves no trail of letters in the history.
    private void Show(HomeView view)
    {
        _view = view;
        Choose();
        var address = Navigation.GetUriWithQueryParameters(view.Write());
        _told.Add(address);
        Navigation.NavigateTo(address, replace: true);
    }

    // What the page itself put into the address comes back while the reader types on: that is old news.
    private void Moved(object? sender, LocationChangedEventArgs where) => _ = InvokeAsync(() =>
    {
        var address = new Uri(where.Location);
        if (!_told.Remove(where.Location) && address.AbsolutePath == _here.AbsolutePath)
        {
            _view = HomeView.Read(address);
            Choose();
            StateHasChanged();
        }
    });

    private Task DeployAsync(AppOverview app) => Launcher.DeployAsync(app.Name);

    private Task RestoreAsync(AppOverview app) => Launcher.RestoreAsync(app.Name, deploymentId: null);
}
