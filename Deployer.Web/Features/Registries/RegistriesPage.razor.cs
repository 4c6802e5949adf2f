using Deployer.Core.Access;
using Deployer.Core.Engine;
using Deployer.Core.Registries;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace Deployer.Web.Features.Registries;

/// <summary>Credentials for registries: listed without passwords, added, changed, tested and removed.</summary>
public sealed partial class RegistriesPage
{
    private readonly Dictionary<string, RegistryTest> _tests = new(StringComparer.Ordinal);
    private IReadOnlyList<RegistryView>? _registries;
    private CredentialsForm? _form;
    private RegistryTest? _outcome;
    private bool _busy;

    [Inject]
    private RegistryGate Registries { get; set; } = default!;

    [Inject]
    private IDialogService Dialogs { get; set; } = default!;

    [Inject]
    private ISnackbar Snackbar { get; set; } = default!;

    /// <inheritdoc/>
    protected override async Task OnInitializedAsync() => _registries = await Registries.ListAsync(CancellationToken.None);

    private void Edit(RegistryView? registry)
    {
        _form = new CredentialsForm { IsNew = registry is null, Host = registry?.Host ?? "", UserName = registry?.UserName ?? "" };
        _outcome = null;
    }

    private Task TestAsync(RegistryView registry) => DoAsync(async () =>
    {
        if (await Registries.TestAsync(registry.Host, credentials: null, CancellationToken.None) is { } test)
        {
            _tests[registry.Host] = test;
        }
    });

    private Task TestFormAsync() => DoAsync(async () => _outcome = _form!.Missing is { } missing
        ? Refuse(missing)
        : await Registries.TestAsync(_form.Host.Trim(), new RegistryCredentials(_form.UserName.Trim(), _form.Password), CancellationToken.None));

    private Task SaveAsync() => DoAsync(async () =>
    {
        var form = _form!;
        if (form.Missing is { } missing)
        {
            _outcome = Refuse(missing);
            return;
        }

        switch (await Registries.SaveAsync(form.Host.Trim(), form.UserName.Trim(), form.Password, CancellationToken.None))
        {
            case RegistryChange.HostInvalid:
                _outcome = Refuse($"“{form.Host}” is no registry host; write it as image references do, e.g. registry.example.com:5000.");
                break;
            case RegistryChange.CredentialsInvalid:
                _outcome = Refuse("A user name has no colon, and neither may be longer than registries take.");
                break;
            default:
                Snackbar.Add($"The credentials for {form.Host.Trim()} are stored. The next pull uses them.", Severity.Success);
                _tests.Remove(form.Host.Trim());
                _form = null;
                _registries = await Registries.ListAsync(CancellationToken.None);
                break;
        }
    });

    private async Task RemoveAsync(RegistryView registry)
    {
        if (await Dialogs.ShowMessageBoxAsync(new MessageBoxOptions
        {
            Title = $"Forget the credentials for {registry.Host}?",
            Message = "Apps that run keep running. Their next pull from there goes without a name, and fails where the registry wants one.",
            YesText = "Forget them",
            CancelText = "Keep them",
        }) is true)
        {
            await DoAsync(async () =>
            {
                await Registries.RemoveAsync(registry.Host, CancellationToken.None);
                _tests.Remove(registry.Host);
                _registries = await Registries.ListAsync(CancellationToken.None);
                Snackbar.Add($"The credentials for {registry.Host} are forgotten.", Severity.Success);
            });
        }
    }

    private static RegistryTest Refuse(string why) => new(Works: false, Code: null, why);

    private async Task DoAsync(Func<Task> act)
    {
        _busy = true;
        StateHasChanged();
        try
        {
            await act();
        }
        finally
        {
            _busy = false;
        }
    }

    /// <summary>What is written in the form.</summary>
    private sealed class CredentialsForm
    {
        public bool IsNew { get; init; }

        public string Host { get; set; } = "";

        public string UserName { get; set; } = "";

        public string Password { get; set; } = "";

        public string? Missing =>
            Host.Trim().Length == 0 ? "Name the registry's host."
            : UserName.Trim().Length == 0 ? "Give the user name."
            : Password.Length == 0 ? "Give the password or token."
            : null;
    }
}
