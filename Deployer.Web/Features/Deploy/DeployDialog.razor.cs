using Deployer.Core.Access;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Secrets;
using Deployer.Web.Components.Time;
using Deployer.Web.Features.Deployments;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace Deployer.Web.Features.Deploy;

/// <summary>Says before the click what a deployment will do, and takes what whoever deploys has to say. Gives the deployment.</summary>
public sealed partial class DeployDialog : IDisposable
{
    private const int OfferedTags = 8;

    private readonly CancellationTokenSource _closed = new();

    // The source gives no token any more once the dialog is closed, and what it waited for then still goes on to here.
    private readonly CancellationToken _stop;

    private readonly DeployForm _form = new();
    private DeployPlan? _plan;
    private DeployRights _rights = new(MayDeploy: false, MayOverride: false);
    private IReadOnlyList<string>? _tags;
    private string _repository = "";
    private string _version = "";
    private string? _fault;
    private bool _asked;
    private bool _missing;
    private bool _busy;

    /// <summary>Opens it.</summary>
    public DeployDialog() => _stop = _closed.Token;

    /// <summary>Name of the app.</summary>
    [Parameter, EditorRequired]
    public string App { get; set; } = "";

    /// <summary>
    /// Image whose tag or digest stands in the field at first; <see langword="null"/> for the app's own. One of another
    /// repository is left aside: the app has moved since.
    /// </summary>
    [Parameter]
    public string? Image { get; set; }

    [CascadingParameter]
    private IMudDialogInstance Dialog { get; set; } = default!;

    [Inject]
    private PlanGate Plans { get; set; } = default!;

    [Inject]
    private DeploymentGate Deployments { get; set; } = default!;

    private IReadOnlyList<ChangeLine> Changes
    {
        get
        {
            if (_plan is not { Current: { } current } plan)
            {
                return [];
            }

            var chosen = ImageChoice.TryChoose(plan.App.Spec.Image, _version, out var image, out _) ? image : null;
            return
            [
                .. chosen is not null && !IsSame(chosen, current.Image)
                    ? [new ChangeLine("Image", ImageText.WithShortDigest(current.Image, current.Digest), ImageText.WithShortDigest(chosen))]
                    : Array.Empty<ChangeLine>(),
                .. ChangeLines.Of(plan.Differences),
                .. plan.Secrets.Select(secret => new ChangeLine(
                    $"Secret {secret.Name}", secret.HadValue ? "the value it had" : null, secret.HasValue ? "a new value" : null)),
            ];
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _closed.Cancel();
        _closed.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task OnInitializedAsync()
    {
        try
        {
            _plan = await Plans.PlanAsync(App, _stop);
            _rights = await Plans.FindAsync(App, _stop) ?? _rights;
        }
        catch (SecretUnreadableException exception)
        {
            // Without a plan there is no form yet that could say it.
            _fault = exception.Message;
        }

        _missing = _plan is null && _fault is null;
        if (_plan is { } plan)
        {
            _repository = ImageChoice.Repository(plan.App.Spec.Image);
            _version = ImageChoice.Version(Image is { } asked && ImageChoice.Repository(asked) == _repository ? asked : plan.App.Spec.Image);
            StateHasChanged();
            _tags = _rights.MayDeploy ? (await Plans.ListTagsAsync(App, _stop))?.Tags : null;
            _asked = true;
        }
    }

    // What is chosen always has a tag or digest; an app's image may have neither.
    private static bool IsSame(string image, string other) =>
        ImageReference.Parse(image).WithDefaultTag() == ImageReference.Parse(other).WithDefaultTag();

    private void Choose(string version) => _version = version;

    private async Task DeployAsync()
    {
        var plan = _plan!;
        var isFine = _form.Check(App, plan.Terms, _rights);
        if (!ImageChoice.TryChoose(plan.App.Spec.Image, _version, out var image, out var error))
        {
            _form.Refuse("tag", error);
            isFine = false;
        }

        if (!isFine)
        {
            return;
        }

        _busy = true;
        try
        {
            var isOwn = _version == ImageChoice.Version(plan.App.Spec.Image);
            switch (await Deployments.EnqueueAsync(App, _form.ToRequest(isOwn ? null : image, plan.Terms), _stop))
            {
                case EnqueueResult.Queued queued:
                    Dialog.Close(queued.Deployment);
                    break;
                case EnqueueResult.Frozen frozen:
                    _plan = await Plans.PlanAsync(App, _stop) ?? plan;
                    _form.Refuse("", $"{frozen.Environment} was frozen meanwhile, until {TimeText.Full(frozen.Until)}: {frozen.Reason}");
                    break;
                case EnqueueResult.ImageInvalid invalid:
                    _form.Refuse("tag", invalid.Message);
                    break;
                default:
                    _missing = true;
                    _plan = null;
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
