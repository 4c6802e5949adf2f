using Deployer.Core.Access;
using Deployer.Core.Deployments;
using Deployer.Web.Components.Time;
using Deployer.Web.Features.Comments;
using Deployer.Web.Features.Console;
using Deployer.Web.Features.Deploy;
using Microsoft.AspNetCore.Components;

namespace Deployer.Web.Features.Deployments;

/// <summary>One deployment: its status, steps, failure and log.</summary>
public sealed partial class DeploymentPage : IAsyncDisposable
{
    private DeploymentView? _deployment;
    private DeploymentLogSource? _source;
    private IReadOnlyList<LogSection> _sections = [];
    private IReadOnlyDictionary<StepKind, double> _expected = new Dictionary<StepKind, double>();
    private LiveReloadHandle? _live;
    private long _shownId;
    private LogConsole? _console;
    private CommentsPanel? _comments;
    private IReadOnlyDictionary<long, int> _remarks = new Dictionary<long, int>();
    private long? _tellingLine;
    private bool _missing;
    private bool _trouble;
    private bool _mayDeploy;
    private bool _busy;
    private bool _gone;

    /// <summary>Id of the deployment, from the address.</summary>
    [Parameter]
    public long Id { get; set; }

    [Inject]
    private DeploymentGate Deployments { get; set; } = default!;

    [Inject]
    private LogFinder Finder { get; set; } = default!;

    [Inject]
    private DeploymentLogs Logs { get; set; } = default!;

    [Inject]
    private OperationGate Operations { get; set; } = default!;

    [Inject]
    private DeploymentFeed Feed { get; set; } = default!;

    [Inject]
    private LiveReload Live { get; set; } = default!;

    [Inject]
    private PlanGate Plans { get; set; } = default!;

    [Inject]
    private DeployLauncher Launcher { get; set; } = default!;

    private string Title => _deployment is { } deployment
        ? $"{StatusWords.Mark(deployment.Status)} {deployment.App} #{deployment.Number}"
        : "Deployment";

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _gone = true;
        await StopAsync();
    }

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        if (_shownId == Id)
        {
            return;
        }

        var id = _shownId = Id;
        await StopAsync();
        if (_gone || id != _shownId)
        {
            // The page was left meanwhile, or leads to yet another deployment.
            return;
        }

        _deployment = null;
        _missing = false;
        _tellingLine = null;
        _live = Live.Start(Feed.Watch(id), stop => LoadAsync(id, stop), ShowTroubleAsync);
    }

    private async Task StopAsync()
    {
        if (_live is not null)
        {
            await _live.DisposeAsync();
        }
    }

    private async Task LoadAsync(long id, CancellationToken stop)
    {
        var deployment = await Deployments.FindAsync(id, stop);
        var telling = deployment is { Failure: not null } && _tellingLine is null && deployment.Steps.FirstOrDefault(step => step.State == StepState.Failed) is { } failed
            ? await Finder.FindTellingAsync(id, failed.Kind, stop)
            : _tellingLine;
        var expected = deployment is not null && _deployment is null ? await FindExpectedAsync(id, stop) : _expected;
        var mayDeploy = deployment is not null && await Plans.FindAsync(deployment.App, stop) is { MayDeploy: true };
        await InvokeAsync(() =>
        {
            _mayDeploy = mayDeploy;
            _tellingLine = telling;
            _expected = expected;
            _sections = deployment is null ? [] : StepSections.Of(deployment.Steps, expected);
            if (_deployment is null && deployment is not null)
            {
                _source = Logs.Open(deployment);
            }

            _deployment = deployment;
            _missing = deployment is null;
            StateHasChanged();
        });
    }

    private async Task<IReadOnlyDictionary<StepKind, double>> FindExpectedAsync(long id, CancellationToken stop) =>
        (await Operations.ProgressAsync(id, stop))?.Steps.Where(step => step.ExpectedSeconds is not null)
            .ToDictionary(step => step.Kind, step => step.ExpectedSeconds!.Value) ?? [];

    private Task ShowTroubleAsync(bool failing) => InvokeAsync(() =>
    {
        _trouble = failing;
        StateHasChanged();
    });

    private Task ShowLineAsync(long line) => _console?.ShowLineAsync(line) ?? Task.CompletedTask;

    private Task ShowCommentsAsync(long line) => _comments?.ShowAsync(line) ?? Task.CompletedTask;

    private Task ShowStepAsync(StepKind step) => _console?.ShowSectionAsync(LineFilter.NameOf(step)) ?? Task.CompletedTask;

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

    private Task DeployAgainAsync() => Launcher.DeployAsync(_deployment!.App, _deployment.Image);
}
