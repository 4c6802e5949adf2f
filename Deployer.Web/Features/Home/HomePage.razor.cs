using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Web.Components.Time;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace Deployer.Web.Features.Home;

/// <summary>The home page: every app with its state and a Deploy button.</summary>
public sealed partial class HomePage : IAsyncDisposable
{
    private IReadOnlyList<AppView>? _apps;
    private LiveReloadHandle? _live;
    private bool _trouble;

    [Inject]
    private AppGate Catalog { get; set; } = default!;

    [Inject]
    private DeploymentGate Deployments { get; set; } = default!;

    [Inject]
    private DeploymentFeed Feed { get; set; } = default!;

    [Inject]
    private LiveReload Live { get; set; } = default!;

    [Inject]
    private NavigationManager Navigation { get; set; } = default!;

    [Inject]
    private ISnackbar Snackbar { get; set; } = default!;

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
        var apps = await Catalog.ListAsync(stop);
        await InvokeAsync(() =>
        {
            _apps = apps;
            StateHasChanged();
        });
    }

    private Task ShowTroubleAsync(bool failing) => InvokeAsync(() =>
    {
        _trouble = failing;
        StateHasChanged();
    });

    private async Task DeployAsync(AppView app)
    {
        var request = new DeploymentRequest(Image: null, Reason: null, RequestedBy: null, IdempotencyKey: null);
        if (await Deployments.EnqueueAsync(app.Name, request, CancellationToken.None) is EnqueueResult.Queued queued)
        {
            Navigation.NavigateTo($"/deployments/{queued.Deployment.Id}");
        }
        else
        {
            Snackbar.Add($"{app.Name} was removed meanwhile.", Severity.Warning);
        }
    }
}
