using Deployer.Core.Access;
using Deployer.Core.Deployments;
using Deployer.Web.Components.Time;
using Deployer.Web.Features.Console;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace Deployer.Web.Features.Deployments;

/// <summary>One deployment: its status, steps, failure and log.</summary>
public sealed partial class DeploymentPage : IAsyncDisposable
{
    private DeploymentView? _deployment;
    private DeploymentStatus _openedStatus;
    private LiveReloadHandle? _live;
    private long _shownId;
    private LogConsole? _console;
    private long? _tellingLine;
    private bool _missing;
    private bool _trouble;
    private bool _busy;

    /// <summary>Id of the deployment, from the address.</summary>
    [Parameter]
    public long Id { get; set; }

    [Inject]
    private DeploymentGate Deployments { get; set; } = default!;

    [Inject]
    private LogFinder Finder { get; set; } = default!;

    [Inject]
    private DeploymentFeed Feed { get; set; } = default!;

    [Inject]
    private LiveReload Live { get; set; } = default!;

    [Inject]
    private NavigationManager Navigation { get; set; } = default!;

    [Inject]
    private ISnackbar Snackbar { get; set; } = default!;

    private string Title => _deployment is { } deployment
        ? $"{StatusWords.Mark(deployment.Status)} {deployment.App} #{deployment.Number}"
        : "Deployment";

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
        if (_shownId == Id)
        {
            return;
        }

        _shownId = Id;
        await DisposeAsync();
        _deployment = null;
        _missing = false;
        _tellingLine = null;
        var id = Id;
        _live = Live.Start(Feed.Watch(id), stop => LoadAsync(id, stop), ShowTroubleAsync);
    }

    private async Task LoadAsync(long id, CancellationToken stop)
    {
        var deployment = await Deployments.FindAsync(id, stop);
        var telling = deployment is { Failure: not null } && _tellingLine is null && deployment.Steps.FirstOrDefault(step => step.State == StepState.Failed) is { } failed
            ? await Finder.FindTellingAsync(id, failed.Kind, stop)
            : _tellingLine;
        await InvokeAsync(() =>
        {
            _tellingLine = telling;
            if (_deployment is null && deployment is not null)
            {
                _openedStatus = deployment.Status;
            }

            _deployment = deployment;
            _missing = deployment is null;
            StateHasChanged();
        });
    }

    private Task ShowTroubleAsync(bool failing) => InvokeAsync(() =>
    {
        _trouble = failing;
        StateHasChanged();
    });

    private Task ShowLineAsync(long line) => _console?.ShowLineAsync(line) ?? Task.CompletedTask;

    private async Task CancelAsync()
    {
        _busy = true;
        try
        {
            await Deployments.CancelAsync(Id, CancellationToken.None);
        }
        finally
        {
            _busy = false;
        }
    }

    private async Task DeployAgainAsync()
    {
        _busy = true;
        try
        {
            var request = new DeploymentRequest(_deployment!.Image, $"Again, as #{_deployment.Number}", RequestedBy: null, IdempotencyKey: null);
            if (await Deployments.EnqueueAsync(_deployment.App, request, CancellationToken.None) is EnqueueResult.Queued queued)
            {
                Navigation.NavigateTo($"/deployments/{queued.Deployment.Id}");
            }
            else
            {
                Snackbar.Add($"{_deployment.App} was removed meanwhile.", Severity.Warning);
            }
        }
        finally
        {
            _busy = false;
        }
    }
}
