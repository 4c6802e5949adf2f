using Microsoft.Playwright;

namespace Deployer.E2E.Pages;

/// <summary>The home page.</summary>
public sealed class HomePage(IPage page)
{
    /// <summary>Leads to the form of a new app.</summary>
    public ILocator AddApp => page.GetByRole(AriaRole.Link, new() { Name = "Add an app" });

    /// <summary>An app's row.</summary>
    public ILocator Row(string app) => page.GetByRole(AriaRole.Row).Filter(new() { Has = page.GetByRole(AriaRole.Link, new() { Name = app, Exact = true }) });

    /// <summary>An app's Deploy button.</summary>
    public ILocator Deploy(string app) => page.GetByRole(AriaRole.Button, new() { Name = $"Deploy {app}", Exact = true });

    /// <summary>An app's Restore button.</summary>
    public ILocator Restore(string app) => page.GetByRole(AriaRole.Button, new() { Name = $"Restore an earlier deployment of {app}", Exact = true });

    /// <summary>Deploys an app through its dialog, as it is offered.</summary>
    public async Task DeployAsync(string app)
    {
        await Deploy(app).ClickAsync();
        await new DeployDialog(page).Deploy.ClickAsync();
    }
}
