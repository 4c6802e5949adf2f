using Deployer.Core.Access;
using Deployer.Web.Components.Layout;
using Deployer.Web.Features.Deploy;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.JSInterop;

namespace Deployer.Web.Features.Palette;

/// <summary>One field, reached by Ctrl+K from every page, to go anywhere, deploy, restore and search.</summary>
public sealed partial class CommandPalette : IAsyncDisposable
{
    private ElementReference _dialog;
    private ElementReference _input;
    private DotNetObjectReference<CommandPalette>? _self;
    private IJSObjectReference? _module;
    private IJSObjectReference? _pane;
    private Overview? _overview;
    private IReadOnlyList<Place> _places = [];
    private IReadOnlyList<PaletteEntry> _found = [];
    private string _text = "";
    private int _at;
    private bool _isOpen;

    [Inject]
    private IJSRuntime JS { get; set; } = default!;

    [Inject]
    private OverviewGate Overviews { get; set; } = default!;

    [Inject]
    private DeployLauncher Launcher { get; set; } = default!;

    [Inject]
    private NavigationManager Navigation { get; set; } = default!;

    /// <summary>Called by the script when the palette has been opened by its keys.</summary>
    [JSInvokable]
    public async Task OpenedAsync()
    {
        _isOpen = true;
        _text = "";
        Find();
        StateHasChanged();
        _overview = await Overviews.ReadAsync(CancellationToken.None);
        _places = Place.For(_overview.Actor);
        Find();
        StateHasChanged();
    }

    /// <summary>Called by the script when the palette has been closed.</summary>
    [JSInvokable]
    public void Closed()
    {
        _isOpen = false;
        StateHasChanged();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_pane is not null)
            {
                await _pane.InvokeVoidAsync("dispose");
                await _pane.DisposeAsync();
            }

            if (_module is not null)
            {
                await _module.DisposeAsync();
            }
        }
        catch (JSDisconnectedException)
        {
            // The browser is gone, and the script with it.
        }

        _self?.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender)
        {
            _self = DotNetObjectReference.Create(this);
            _module = await JS.InvokeAsync<IJSObjectReference>("import", "./Features/Palette/CommandPalette.razor.js");
            _pane = await _module.InvokeAsync<IJSObjectReference>("attach", _dialog, _input, _self);
            StateHasChanged();
        }
    }

    private async Task OpenAsync()
    {
        if (_pane is not null)
        {
            await _pane.InvokeVoidAsync("open");
        }
    }

    private void Find()
    {
        _found = PaletteIndex.Find(_text, _overview, _places);
        _at = 0;
    }

    private void Typed(ChangeEventArgs typed)
    {
        _text = typed.Value as string ?? "";
        Find();
    }

    private async Task PressedAsync(KeyboardEventArgs key)
    {
        switch (key.Key)
        {
            case "ArrowDown":
                Move(1);
                break;
            case "ArrowUp":
                Move(-1);
                break;
            case "Enter" when _found.Count > 0:
                await ChooseAsync(_found[_at]);
                break;
        }
    }

    private void Move(int by) => _at = _found.Count == 0 ? 0 : (_at + by + _found.Count) % _found.Count;

    private async Task ChooseAsync(PaletteEntry entry)
    {
        if (_pane is not null)
        {
            await _pane.InvokeVoidAsync("close");
        }

        switch (entry.Verb)
        {
            case PaletteVerb.Deploy:
                await Launcher.DeployAsync(entry.Target);
                break;
            case PaletteVerb.Restore:
                await Launcher.RestoreAsync(entry.Target, deploymentId: null);
                break;
            default:
                Navigation.NavigateTo(entry.Target);
                break;
        }
    }
}
