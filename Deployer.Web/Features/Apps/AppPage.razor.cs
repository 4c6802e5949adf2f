using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Web.Components.Time;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace Deployer.Web.Features.Apps;

/// <summary>One app: what it is, what serves, and its deployments.</summary>
public sealed partial class AppPage : IAsyncDisposable
{
    private const int Page = 25;

    private AppView? _app;
    private IReadOnlyList<DeploymentView> _history = [];
    private LiveReloadHandle? _live;
    private string? _shownName;
    private int _shown = Page;
    private bool _missing;
    private bool _trouble;
    private bool _busy;

    /// <summary>The app's name, from the address.</summary>
    [Parameter]
    public string Name { get; set; } = "";

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

    [Inject]
    private IDialogService Dialogs { get; set; } = default!;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_live is not null)
        {
            await _live.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        if (_shownName == Name)
        {
            return;
        }

        _shownName = Name;
        await DisposeAsync();
        _app = null;
        _missing = false;
        _shown = Page;
        var name = Name;
        _live = Live.Start(Feed.WatchAll(), stop => LoadAsync(name, stop), ShowTroubleAsync);
    }

    private static string PortText(PortSpec port) => port.Host switch
    {
        null => $"{port.Container} (not published)",
        0 => $"{port.Container} on a free host port",
        var host => $"{port.Container} on host port {host}",
    };

    private async Task LoadAsync(string name, CancellationToken stop)
    {
        var app = await Catalog.FindAsync(name, stop);
        var history = app is null ? [] : await Deployments.ListAsync(new DeploymentFilter(name, Status: null, Before: null, _shown), stop);
        await InvokeAsync(() =>
        {
            _app = app;
            _history = history;
            _missing = app is null;
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
        _shown = Math.Min(DeploymentReader.MaxLimit, _shown + (4 * Page));
        await LoadAsync(Name, CancellationToken.None);
    }

    private async Task DeployAsync()
    {
        _busy = true;
        try
        {
            var request = new DeploymentRequest(Image: null, Reason: null, RequestedBy: null, IdempotencyKey: null);
            if (await Deployments.EnqueueAsync(Name, request, CancellationToken.None) is EnqueueResult.Queued queued)
            {
                Navigation.NavigateTo($"/deployments/{queued.Deployment.Id}");
            }
        }
        finally
        {
            _busy = false;
        }
    }

    private async Task RemoveAsync()
    {
        var sure = await Dialogs.ShowMessageBoxAsync(new MessageBoxOptions
        {
            Title = $"Remove {Name}?",
            Message = "Its container is stopped and removed, and all its deployments and their logs are deleted. Its volumes and images stay. This cannot be undone.",
            YesText = $"Remove {Name}",
            CancelText = "Keep it",
        });
        if (sure is not true)
        {
            return;
        }

        _busy = true;
        try
        {
            switch (await Catalog.RemoveAsync(Name, CancellationToken.None))
            {
                case AppRemoval.Busy busy:
                    Snackbar.Add("A deployment of it is queued or running: cancel that first.", Severity.Warning);
                    Navigation.NavigateTo($"/deployments/{busy.DeploymentId}");
                    break;
                default:
                    Snackbar.Add($"{Name} is removed.", Severity.Success);
                    Navigation.NavigateTo("/");
                    break;
            }
        }
        catch (EngineException exception)
        {
            Snackbar.Add($"{Name} was not removed: {exception.Message}", Severity.Error);
        }
        finally
        {
            _busy = false;
        }
    }
}
