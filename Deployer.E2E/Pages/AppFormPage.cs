using Microsoft.Playwright;

namespace Deployer.E2E.Pages;

/// <summary>The form of an app.</summary>
public sealed class AppFormPage(IPage page)
{
    /// <summary>The name.</summary>
    public ILocator Name => page.GetByLabel("Name", new() { Exact = true }).First;

    /// <summary>The image.</summary>
    public ILocator Image => page.GetByLabel("Image", new() { Exact = true });

    /// <summary>Adds a row for a port.</summary>
    public ILocator AddPort => page.GetByRole(AriaRole.Button, new() { Name = "Add a port" });

    /// <summary>The container's port.</summary>
    public ILocator ContainerPort => page.GetByLabel("Container port", new() { Exact = true }).First;

    /// <summary>Saves a new app.</summary>
    public ILocator Add => page.GetByRole(AriaRole.Button, new() { Name = "Add the app" });

    /// <summary>The error beside the image.</summary>
    public ILocator ImageError => page.Locator(".mud-input-control", new() { Has = Image }).Locator(".mud-input-error.mud-input-helper-text");
}
