using Deployer.Core.Access;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Secrets;
using Deployer.Web.Components.Time;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace Deployer.Web.Features.Deploy;

/// <summary>Lets somebody choose an earlier deployment, says what its return will change, and brings it back. Gives the deployment.</summary>
public sealed partial class RestoreDialog : IDisposable
{
    private const int Offered = 20;

    private readonly CancellationTokenSource _closed = new();

    // The source gives no token any more once the dialog is closed, and what it waited for then still goes on to here.
    private readonly CancellationToken _stop;

    private readonly DeployForm _form = new();
    private IReadOnlyList<DeploymentView>? _choices;
    private EnvironmentTerms? _terms;
    private DeployRights _rights = new(MayDeploy: false, MayOverride: false);
    private RestoreCheck? _check;
    private SecretChoice? _secrets;
    private string? _fault;
    private long _chosen;
    private long? _serving;
    private bool _missing;
    private bool _busy;

    /// <summary>Opens it.</summary>
    public RestoreDialog() => _stop = _closed.Token;

    /// <summary>Name of the app.</summary>
    [Parameter, EditorRequired]
    public string App { get; set; } = "";

    /// <summary>The deployment that is chosen first; <see langword="null"/> for the one before what serves.</summary>
    [Parameter]
    public long? DeploymentId { get; set; }

    [CascadingParameter]
    private IMudDialogInstance Dialog { get; set; } = default!;

    [Inject]
    private PlanGate Plans { get; set; } = default!;

    [Inject]
    private AppGate Apps { get; set; } = default!;

    [Inject]
    private OperationGate Operations { get; set; } = default!;

    private IReadOnlyList<ChangeLine> Changes => _check is { Current: not null } check ? ChangeLines.Of(check.Differences) : [];

    /// <inheritdoc/>
    public void Dispose()
    {
        _closed.Cancel();
        _closed.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task OnInitializedAsync()
    {
        _rights = await Plans.FindAsync(App, _stop) ?? _rights;
        var app = await Apps.FindAsync(App, _stop);
        _terms = await Plans.FindTermsAsync(App, _stop);
        _choices = await Plans.ListRestorableAsync(App, Offered, _stop) ?? [];
        _missing = app is null;
        _serving = app?.CurrentDeployment?.Id;
        var first = _choices.FirstOrDefault(choice => choice.Id == DeploymentId)
            ?? _choices.FirstOrDefault(choice => choice.Id != _serving) ?? (_choices.Count > 0 ? _choices[0] : null);
        if (first is not null && _rights.MayDeploy)
        {
            await ChooseAsync(first.Id);
        }
    }

    private static string Whereabouts(ImageWhereabouts image) => image switch
    {
        ImageWhereabouts.Here => "The engine still holds its image: no registry is needed.",
        ImageWhereabouts.InRegistry => "The registry still has its image; it is pulled by its digest.",
        _ => "The engine does not hold its image, and the registry did not tell whether it does. The restore tries to pull it.",
    };

    private static string Without(IEnumerable<SecretDifference> without)
    {
        var names = string.Join(", ", without.Select(secret => secret.Name));
        return names.Length == 0 ? "" : $"(without {names})";
    }

    private async Task ChooseAsync(long id)
    {
        _chosen = id;
        _check = null;
        _fault = null;
        _secrets = null;
        StateHasChanged();
        try
        {
            var check = await Operations.CheckRestoreAsync(id, _stop);
            if (_chosen == id)
            {
                _check = check;
                _fault = check is null ? "There is no such deployment any more." : null;
            }
        }
        catch (Exception exception) when (exception is EngineException or SecretUnreadableException)
        {
            _fault = exception.Message;
        }
    }

    private async Task RestoreAsync()
    {
        var check = _check!;
        var isFine = _form.Check(App, _terms!, _rights);
        if (check.Secrets.Count > 0 && _secrets is null)
        {
            _form.Refuse("secrets", "Choose which values the restored deployment gets.");
            isFine = false;
        }

        if (!isFine)
        {
            return;
        }

        _busy = true;
        try
        {
            switch (await Operations.RestoreAsync(_chosen, _secrets ?? SecretChoice.Current, _form.ToRequest(image: null, _terms!), _stop))
            {
                case EnqueueResult.Queued queued:
                    Dialog.Close(queued.Deployment);
                    break;
                case EnqueueResult.Frozen frozen:
                    _terms = await Plans.FindTermsAsync(App, _stop) ?? _terms;
                    _form.Refuse("", $"{frozen.Environment} was frozen meanwhile, until {TimeText.Full(frozen.Until)}: {frozen.Reason}");
                    break;
                case EnqueueResult.NotRestorable not:
                    _fault = not.WhyNot;
                    break;
                default:
                    _fault = "There is no such deployment any more.";
                    break;
            }
        }
        catch (Exception exception) when (exception is AccessDeniedException or SecretUnreadableException)
        {
            _form.Refuse("", exception.Message);
        }
        finally
        {
            _busy = false;
        }
    }
}
