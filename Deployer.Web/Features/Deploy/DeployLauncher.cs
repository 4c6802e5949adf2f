using Deployer.Core.Deployments;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace Deployer.Web.Features.Deploy;

/// <summary>Opens the dialogs to deploy and to restore from wherever they are wanted, and leads to the deployment.</summary>
internal sealed class DeployLauncher(IDialogService dialogs, NavigationManager navigation)
{
    private static readonly DialogOptions Options = new() { MaxWidth = MaxWidth.Small, FullWidth = true, CloseOnEscapeKey = true, BackdropClick = false };

    /// <summary>Asks how to deploy an app, does so, and opens the deployment.</summary>
    public Task DeployAsync(string app) => DeployAsync(app, image: null);

    /// <summary>Asks how to deploy an app, does so, and opens the deployment.</summary>
    /// <param name="app">The app.</param>
    /// <param name="image">Image whose tag or digest is offered first; <see langword="null"/> for the app's own.</param>
    public async Task DeployAsync(string app, string? image) => await FollowAsync(await dialogs.ShowAsync<DeployDialog>(
        $"Deploy {app}",
        new DialogParameters<DeployDialog> { { dialog => dialog.App, app }, { dialog => dialog.Image, image } },
        Options));

    /// <summary>Asks which earlier deployment of an app comes back, does so, and opens the new deployment.</summary>
    /// <param name="app">The app.</param>
    /// <param name="deploymentId">The deployment that is chosen at first; <see langword="null"/> for the one before what serves.</param>
    public async Task RestoreAsync(string app, long? deploymentId) => await FollowAsync(await dialogs.ShowAsync<RestoreDialog>(
        $"Restore {app}",
        new DialogParameters<RestoreDialog> { { dialog => dialog.App, app }, { dialog => dialog.DeploymentId, deploymentId } },
        Options));

    private async Task FollowAsync(IDialogReference dialog)
    {
        if (await dialog.Result is { Canceled: false, Data: DeploymentView deployment })
        {
            navigation.NavigateTo($"/deployments/{deployment.Id}");
        }
    }
}
