using Deployer.Core.Access;
using Deployer.Core.Environments;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace Deployer.Web.Features.People;

/// <summary>Everybody who may sign in, and the invitations that are out.</summary>
public sealed partial class PeoplePage
{
    private IReadOnlyList<PersonView>? _people;
    private IReadOnlyList<InvitationView> _invitations = [];
    private IReadOnlyList<string> _environments = [];
    private bool _inviting;

    [Inject]
    private Core.Access.People People { get; set; } = default!;

    [Inject]
    private Invitations Invitations { get; set; } = default!;

    [Inject]
    private EnvironmentBook Environments { get; set; } = default!;

    [Inject]
    private ICurrentActor Current { get; set; } = default!;

    [Inject]
    private ISnackbar Snackbar { get; set; } = default!;

    /// <inheritdoc/>
    protected override Task OnInitializedAsync() => LoadAsync();

    private async Task LoadAsync()
    {
        var actor = await Current.GetAsync(CancellationToken.None);
        _environments = [.. (await Environments.ListAsync(actor, CancellationToken.None)).Select(environment => environment.Name)];
        _invitations = await Invitations.ListAsync(actor, CancellationToken.None);
        _people = await People.ListAsync(actor, CancellationToken.None);
    }

    private Task CloseFormAsync()
    {
        _inviting = false;
        return LoadAsync();
    }

    private async Task WithdrawAsync(InvitationView invitation)
    {
        if (await Invitations.WithdrawAsync(await Current.GetAsync(CancellationToken.None), invitation.Id, CancellationToken.None))
        {
            Snackbar.Add($"The invitation for {invitation.Email} is withdrawn; its link is dead.", Severity.Success);
        }

        await LoadAsync();
    }
}
