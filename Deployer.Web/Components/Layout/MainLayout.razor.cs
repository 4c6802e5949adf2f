using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using MudBlazor;

namespace Deployer.Web.Components.Layout;

/// <summary>What surrounds every page: bar, navigation, theme, banner, and the net that catches a page's fault.</summary>
public sealed partial class MainLayout(NavigationManager navigation)
{
    private MudThemeProvider? _theme;
    private ErrorBoundary? _boundary;
    private string? _choice;
    private bool _systemIsDark;

    /// <summary>The theme chosen in this browser when the page was opened.</summary>
    [CascadingParameter(Name = "ChosenTheme")]
    private string? ChosenTheme { get; set; }

    private bool IsDark => _choice is null ? _systemIsDark : _choice == ThemeChoice.Dark;

    // A bare "#content" would lead to the base address, not to this page.
    private string SkipTarget => new Uri(navigation.Uri).PathAndQuery + "#content";

    /// <inheritdoc/>
    protected override void OnInitialized() => _choice = ChosenTheme;

    /// <inheritdoc/>
    protected override void OnParametersSet() => _boundary?.Recover();

    /// <inheritdoc/>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender && _theme is not null)
        {
            _systemIsDark = await _theme.GetSystemDarkModeAsync();
            await _theme.WatchSystemDarkModeAsync(dark =>
            {
                _systemIsDark = dark;
                return InvokeAsync(StateHasChanged);
            });
            StateHasChanged();
        }
    }

    private void ChooseThemeAsync(string? choice) => _choice = choice;

    private void Recover() => _boundary?.Recover();
}
