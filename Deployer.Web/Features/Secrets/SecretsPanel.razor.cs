using Deployer.Core.Access;
using Deployer.Core.Secrets;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace Deployer.Web.Features.Secrets;

/// <summary>An app's secrets by name: values are set, replaced and removed here, and never shown.</summary>
public sealed partial class SecretsPanel
{
    /// <summary>The longest value that is taken here, so that it fits into one message of the circuit; longer ones go by the API.</summary>
    public const int MaxLength = 8000;

    private readonly Dictionary<string, string> _errors = new(StringComparer.Ordinal);
    private IReadOnlyList<SecretView>? _secrets;
    private ElementReference _first;
    private ElementReference _text;
    private string? _writing;
    private string _name = "";
    private string _value = "";
    private bool _shown;
    private bool _busy;
    private bool _focus;
    private bool _told;

    /// <summary>Name of the app.</summary>
    [Parameter, EditorRequired]
    public string App { get; set; } = "";

    /// <summary>Raised when something begins to be written that is not stored yet, and when it no longer is.</summary>
    [Parameter]
    public EventCallback<bool> UnsavedChanged { get; set; }

    [Inject]
    private SecretGate Secrets { get; set; } = default!;

    [Inject]
    private IDialogService Dialogs { get; set; } = default!;

    [Inject]
    private ISnackbar Snackbar { get; set; } = default!;

    /// <inheritdoc/>
    protected override Task OnInitializedAsync() => LoadAsync();

    /// <inheritdoc/>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (_focus)
        {
            _focus = false;
            await (_writing is { Length: 0 } ? _first : _text).FocusAsync();
        }
    }

    private async Task LoadAsync() => _secrets = await Secrets.ListAsync(App, CancellationToken.None) ?? [];

    /// <param name="name">The secret whose value is written; empty for a new one.</param>
    private Task WriteAsync(string name)
    {
        Clear();
        (_writing, _focus) = (name, true);
        return TellAsync();
    }

    private Task CloseAsync()
    {
        Clear();
        return TellAsync();
    }

    private void Clear()
    {
        _errors.Clear();
        (_writing, _name, _value, _shown) = (null, "", "", false);
    }

    private Task TellAsync()
    {
        var unsaved = _name.Length > 0 || _value.Length > 0;
        if (unsaved == _told)
        {
            return Task.CompletedTask;
        }

        _told = unsaved;
        return UnsavedChanged.InvokeAsync(unsaved);
    }

    private async Task SaveAsync()
    {
        _errors.Clear();
        var name = _writing is { Length: > 0 } known ? known : _name.Trim();
        if (_value.Length == 0)
        {
            _errors["value"] = "Write the value.";
        }

        if (_writing is { Length: 0 } && _secrets is { } all && all.Any(secret => secret.Name == name && secret.UpdatedAt is not null))
        {
            _errors["name"] = $"There is a secret {name} already; replace its value instead.";
        }

        if (_errors.Count > 0 || _busy)
        {
            return;
        }

        await ChangeAsync(async () =>
        {
            switch (await Secrets.SetAsync(App, name, _value, CancellationToken.None))
            {
                case SecretChange.Saved:
                    Clear();
                    await TellAsync();
                    Snackbar.Add($"{name} is stored. The next deployment uses it.", Severity.Success);
                    break;
                case SecretChange.NameInvalid:
                    _errors["name"] = "A name begins with a letter or _, and goes on with letters, digits, _, . and -.";
                    break;
                case SecretChange.NameInEnv:
                    _errors["name"] = $"{name} is among the variables in the clear; remove it there and save first.";
                    break;
                case SecretChange.ValueInvalid:
                    _errors["value"] = "A value cannot hold a NUL character.";
                    break;
                default:
                    Snackbar.Add($"{App} was removed meanwhile.", Severity.Warning);
                    break;
            }
        });
    }

    private async Task RemoveAsync(string name)
    {
        var sure = await Dialogs.ShowMessageBoxAsync(new MessageBoxOptions
        {
            Title = $"Remove {name}?",
            Message = $"Its value is deleted and cannot be read back. The container that serves keeps it; the next deployment of {App} starts without it.",
            YesText = $"Remove {name}",
            CancelText = "Keep it",
        });
        if (sure is true)
        {
            await ChangeAsync(async () =>
            {
                await Secrets.RemoveAsync(App, name, CancellationToken.None);
                Snackbar.Add($"{name} is removed.", Severity.Success);
                if (_writing == name)
                {
                    await CloseAsync();
                }
            });
        }
    }

    // Roles may have changed since the page was opened.
    private async Task ChangeAsync(Func<Task> change)
    {
        _busy = true;
        try
        {
            await change();
            await LoadAsync();
        }
        catch (AccessDeniedException exception)
        {
            Snackbar.Add(exception.Message, Severity.Error);
        }
        finally
        {
            _busy = false;
        }
    }
}
