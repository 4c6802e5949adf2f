using Microsoft.Playwright;

namespace Deployer.E2E.Pages;

/// <summary>An app's page.</summary>
public sealed class AppPage(IPage page)
{
    /// <summary>Its Deploy button.</summary>
    public ILocator Deploy => page.GetByRole(AriaRole.Button, new() { Name = "Deploy", Exact = true });

    /// <summary>Its deployments.</summary>
    public ILocator History => page.Locator(".deployments tbody tr");
}
