using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Web.Components.Time;
using Deployer.Web.Features.Deploy;
using Deployer.Web.Features.Home;
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
    private AppRuntime? _runtime;
    private string? _engineTrouble;
    private bool _mayDeploy;
    private bool _mayChange;
    private bool _missing;
    private bool _trouble;
    private bool _busy;

    /// <summary>The app's name, from the address.</summary>
    [Parameter]
    public string Name { get; set; } = "";

    [Inject]
    private AppGate Catalog { get; set; } = default!;

    [Inject]
    private OperationGate Operations { get; set; } = default!;

    [Inject]
    private ICurrentActor Current { get; set; } = default!;

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
    private DeployLauncher Launcher { get; set; } = default!;

    [Inject]
    private AppAddress Addresses { get; set; } = default!;

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

    private bool IsStopped => _runtime is { StoppedAt: not null } or { ContainerId: not null, Status: not (ContainerStatus.Running or ContainerStatus.Restarting or ContainerStatus.Paused) };

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
        var actor = await Current.GetAsync(stop);
        var (runtime, trouble) = app is null ? (null, null) : await LookAsync(name, stop);
        await InvokeAsync(() =>
        {
            _app = app;
            (_runtime, _engineTrouble) = (runtime, trouble);
            _mayDeploy = app is not null && actor.May(AccessRole.Deployer, app.Environment, app.Name);
            _mayChange = app is not null && actor.May(AccessRole.Admin, app.Environment, app.Name);
            _history = history;
            _missing = app is null;
            StateHasChanged();
        });
    }

    private async Task<(AppRuntime? Runtime, string? Trouble)> LookAsync(string name, CancellationToken stop)
    {
        try
        {
            return (await Operations.LookAsync(name, stop), null);
        }
        catch (EngineException exception)
        {
            return (null, exception.Message);
        }
    }

    private Task StartAsync() => OperateAsync($"{Name} is started.", Operations.StartAsync);

    private async Task StopAsync()
    {
        if (await ConfirmAsync($"Stop {Name}?", "Requests under way end first. Until it is started or deployed again, its hosts answer 503.", $"Stop {Name}"))
        {
            await OperateAsync($"{Name} is stopped.", Operations.StopAsync);
        }
    }

    private async Task RestartAsync()
    {
        if (await ConfirmAsync($"Restart {Name}?", "Its container stops and starts again; its hosts answer 503 meanwhile.", $"Restart {Name}"))
        {
            await OperateAsync($"{Name} is restarted.", Operations.RestartAsync);
        }
    }

    private async Task<bool> ConfirmAsync(string title, string message, string yes) =>
        await Dialogs.ShowMessageBoxAsync(new MessageBoxOptions { Title = title, Message = message, YesText = yes, CancelText = "Cancel" }) is true;

    private async Task OperateAsync(string done, Func<string, CancellationToken, Task<OperationResult>> operate)
    {
        _busy = true;
        try
        {
            var result = await operate(Name, CancellationToken.None);
            Snackbar.Add(
                result switch
                {
                    OperationResult.Done => done,
                    OperationResult.Busy => "A deployment of it runs: wait for it, or cancel it.",
                    OperationResult.ContainerGone => "Somebody else removed its container: deploy it to make it anew.",
                    OperationResult.NotDeployed => "It has never run: deploy it first.",
                    _ => $"{Name} was removed meanwhile.",
                },
                result == OperationResult.Done ? Severity.Success : Severity.Warning);
            await LoadAsync(Name, CancellationToken.None);
        }
        catch (EngineException exception)
        {
            Snackbar.Add(exception.Message, Severity.Error);
        }
        finally
        {
            _busy = false;
        }
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

    private Task DeployAsync() => Launcher.DeployAsync(Name);

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
                    Snackbar.Add("A deployment of it is queued or running, or began meanwhile: see to that first.", Severity.Warning);
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
