using Deployer.Core.Access;
using Deployer.Core.Environments;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace Deployer.Web.Features.People;

/// <summary>One person: roles, sessions, and the account itself.</summary>
public sealed partial class PersonPage
{
    private PersonView? _person;
    private IReadOnlyList<SessionView> _sessions = [];
    private IReadOnlyList<string> _environments = [];
    private AccessRole _role = AccessRole.Deployer;
    private string? _environment;
    private string? _error;
    private bool _missing;

    /// <summary>Id of the person, from the address.</summary>
    [Parameter]
    public string Id { get; set; } = "";

    [Inject]
    private Core.Access.People People { get; set; } = default!;

    [Inject]
    private Sessions Sessions { get; set; } = default!;

    [Inject]
    private EnvironmentBook Environments { get; set; } = default!;

    [Inject]
    private ICurrentActor Current { get; set; } = default!;

    [Inject]
    private IDialogService Dialogs { get; set; } = default!;

    [Inject]
    private ISnackbar Snackbar { get; set; } = default!;

    [Inject]
    private NavigationManager Navigation { get; set; } = default!;

    /// <inheritdoc/>
    protected override Task OnParametersSetAsync() => LoadAsync();

    private async Task LoadAsync()
    {
        var actor = await Current.GetAsync(CancellationToken.None);
        _environments = [.. (await Environments.ListAsync(actor, CancellationToken.None)).Select(environment => environment.Name)];
        _person = await People.FindAsync(actor, Id, CancellationToken.None);
        _missing = _person is null;
        _sessions = _missing ? [] : await Sessions.ListAsync(actor, Id, CancellationToken.None);
    }

    private Task<bool> GrantAsync(AccessRole? role, string? environment) =>
        ChangeAsync(actor => People.GrantAsync(actor, Id, environment, role, CancellationToken.None));

    private async Task DisableAsync()
    {
        if (await AskAsync($"Shut the account of {_person!.DisplayName}?", "All sessions end at once. Roles and passkeys stay for when it is opened again.", "Shut the account"))
        {
            await ChangeAsync(actor => People.DisableAsync(actor, Id, CancellationToken.None));
        }
    }

    private Task<bool> EnableAsync() => ChangeAsync(actor => People.EnableAsync(actor, Id, CancellationToken.None));

    private async Task RemoveAsync()
    {
        var name = _person!.DisplayName;
        if (!await AskAsync($"Remove {name}?", "The account goes, with its roles, passkeys and sessions. What the person did stays in the audit log. Tokens stay; revoke those on their own page.", $"Remove {name}"))
        {
            return;
        }

        if (await ChangeAsync(actor => People.RemoveAsync(actor, Id, CancellationToken.None)))
        {
            Snackbar.Add($"{name} is removed.", Severity.Success);
            Navigation.NavigateTo("/people");
        }
    }

    private async Task SignOutAsync()
    {
        await Sessions.EndAllAsync(await Current.GetAsync(CancellationToken.None), Id, CancellationToken.None);
        await LoadAsync();
    }

    private async Task EndAsync(Guid session)
    {
        await Sessions.EndAsync(await Current.GetAsync(CancellationToken.None), Id, session, CancellationToken.None);
        await LoadAsync();
    }

    private async Task<bool> AskAsync(string title, string message, string yes) =>
        await Dialogs.ShowMessageBoxAsync(new MessageBoxOptions { Title = title, Message = message, YesText = yes, CancelText = "Leave it" }) is true;

    private async Task<bool> ChangeAsync(Func<Actor, Task<PersonChange>> change)
    {
        var made = await change(await Current.GetAsync(CancellationToken.None));
        _error = made.Done ? null : made.Errors[0];
        if (made.Done && (await Current.GetAsync(CancellationToken.None)).MayEverywhere(AccessRole.Owner))
        {
            await LoadAsync();
        }

        return made.Done;
    }
}
