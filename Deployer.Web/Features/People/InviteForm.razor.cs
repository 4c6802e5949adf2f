using Deployer.Core.Access;
using Deployer.Core.Notifications;
using Microsoft.AspNetCore.Components;
using NodaTime;

namespace Deployer.Web.Features.People;

/// <summary>Invites somebody, and then shows the link, once.</summary>
public sealed partial class InviteForm
{
    private IReadOnlyDictionary<string, string[]> _errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
    private ElementReference _heading;
    private string _email = "";
    private AccessRole _role = AccessRole.Deployer;
    private string? _environment;
    private string? _link;
    private string? _invited;
    private InvitationMailing? _mailing;
    private Instant _until;
    private bool _busy;
    private bool _focus;

    /// <summary>Environments that can be chosen.</summary>
    [Parameter, EditorRequired]
    public required IReadOnlyList<string> Environments { get; set; }

    /// <summary>The form is not wanted any more.</summary>
    [Parameter]
    public EventCallback OnDone { get; set; }

    /// <summary>Somebody was invited.</summary>
    [Parameter]
    public EventCallback OnInvited { get; set; }

    [Inject]
    private Invitations Invitations { get; set; } = default!;

    [Inject]
    private InvitationMail Mail { get; set; } = default!;

    [Inject]
    private ICurrentActor Current { get; set; } = default!;

    [Inject]
    private NavigationManager Navigation { get; set; } = default!;

    /// <inheritdoc/>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (_focus)
        {
            _focus = false;
            await _heading.FocusAsync();
        }
    }

    private bool Has(string field) => _errors.ContainsKey(field);

    private string? Text(string field) => _errors.TryGetValue(field, out var messages) ? messages[0] : null;

    private async Task InviteAsync()
    {
        // A second press may come before the browser shows what came of the first.
        if (_busy || _link is not null)
        {
            return;
        }

        _busy = true;
        try
        {
            var environment = _role == AccessRole.Owner ? null : _environment;
            var email = _email.Trim();
            _errors = await Invitations.CheckAsync(email, _role, environment, CancellationToken.None);
            if (_errors.Count > 0)
            {
                return;
            }

            var made = await Invitations.InviteAsync(await Current.GetAsync(CancellationToken.None), email, _role, environment, CancellationToken.None);
            var link = Navigation.ToAbsoluteUri(InvitationsApi.Path + made!.Key);
            _mailing = await Mail.SendAsync(made, link, CancellationToken.None);
            _link = link.ToString();
            _invited = made.View.Email;
            _until = made.View.ExpiresAt;
            _focus = true;
            await OnInvited.InvokeAsync();
        }
        finally
        {
            _busy = false;
        }
    }
}
