using Deployer.Core.Access;
using Deployer.Core.Data;
using Deployer.Core.Environments;
using Microsoft.AspNetCore.Components;
using MudBlazor;
using NodaTime;

namespace Deployer.Web.Features.Tokens;

/// <summary>The API tokens: made, listed, revoked.</summary>
public sealed partial class TokensPage
{
    private IReadOnlyList<ApiTokenView>? _tokens;
    private IReadOnlyList<string> _environments = [];
    private IReadOnlyList<string> _apps = [];
    private bool _making;

    [Inject]
    private ApiTokens Tokens { get; set; } = default!;

    [Inject]
    private EnvironmentBook Environments { get; set; } = default!;

    [Inject]
    private AppGate Apps { get; set; } = default!;

    [Inject]
    private ICurrentActor Current { get; set; } = default!;

    [Inject]
    private TimeProvider Time { get; set; } = default!;

    [Inject]
    private IDialogService Dialogs { get; set; } = default!;

    [Inject]
    private ISnackbar Snackbar { get; set; } = default!;

    private Instant Now => Time.Now();

    /// <inheritdoc/>
    protected override Task OnInitializedAsync() => LoadAsync();

    private async Task LoadAsync()
    {
        var actor = await Current.GetAsync(CancellationToken.None);
        _environments = [.. (await Environments.ListAsync(actor, CancellationToken.None)).Select(environment => environment.Name)];
        _apps = [.. (await Apps.ListAsync(CancellationToken.None)).Select(app => app.Name)];
        _tokens = await Tokens.ListAsync(actor, CancellationToken.None);
    }

    private Task CloseFormAsync()
    {
        _making = false;
        return LoadAsync();
    }

    private async Task RevokeAsync(ApiTokenView token)
    {
        var sure = await Dialogs.ShowMessageBoxAsync(new MessageBoxOptions
        {
            Title = $"Revoke {token.Name}?",
            Message = "Whatever uses it is refused from now on. This cannot be undone; a new token is another one.",
            YesText = "Revoke it",
            CancelText = "Keep it",
        });
        if (sure is true && await Tokens.RevokeAsync(await Current.GetAsync(CancellationToken.None), token.Id, CancellationToken.None))
        {
            Snackbar.Add($"{token.Name} is revoked.", Severity.Success);
            await LoadAsync();
        }
    }
}
