using Deployer.Core.Access;
using Deployer.Core.Deployments;
using Deployer.Web.Components.Time;
using Microsoft.AspNetCore.Components;

namespace Deployer.Web.Features.Activity;

/// <summary>All deployments of all apps, newest first.</summary>
public sealed partial class ActivityPage : IAsyncDisposable
{
    private const int Page = 50;

    private IReadOnlyList<DeploymentView>? _deployments;
    private LiveReloadHandle? _live;
    private int _shown = Page;
    private bool _trouble;

    [Inject]
    private DeploymentGate Deployments { get; set; } = default!;

    [Inject]
    private DeploymentFeed Feed { get; set; } = default!;

    [Inject]
    private LiveReload Live { get; set; } = default!;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_live is not null)
        {
            await _live.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    protected override void OnInitialized() => _live = Live.Start(Feed.WatchAll(), LoadAsync, ShowTroubleAsync);

    private async Task LoadAsync(CancellationToken stop)
    {
        var deployments = await Deployments.ListAsync(new DeploymentFilter(App: null, Status: null, Before: null, _shown), stop);
        await InvokeAsync(() =>
        {
            _deployments = deployments;
            StateHasChanged();
        });
    }

    private Task ShowTroubleAsync(bool failing) => InvokeAsync(() =>
    {
        _trouble = failing;
        StateHasChanged();
    });

    private async Task MoreAsync()
    {
        _shown = Math.Min(DeploymentReader.MaxLimit, _shown + Page);
        await LoadAsync(CancellationToken.None);
    }
}
