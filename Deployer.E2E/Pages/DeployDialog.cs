using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Deployer.E2E.Pages;

/// <summary>The dialogs to deploy and to restore.</summary>
public sealed partial class DeployDialog(IPage page)
{
    /// <summary>The dialog.</summary>
    public ILocator Dialog => page.GetByRole(AriaRole.Dialog);

    /// <summary>What has the focus, where that is in the dialog.</summary>
    public ILocator Focus => Dialog.Locator("xpath=ancestor-or-self::*[contains(@class, 'mud-dialog-container')]").Locator(":focus");

    /// <summary>The tag to deploy.</summary>
    public ILocator Tag => page.GetByLabel("Tag", new() { Exact = true });

    /// <summary>The reason.</summary>
    public ILocator Reason => page.GetByLabel("Reason");

    /// <summary>The app's name, typed to confirm.</summary>
    public ILocator Name => page.Locator("#deploy-name");

    /// <summary>A tag that is offered.</summary>
    public ILocator Offer(string tag) => page.GetByRole(AriaRole.Group, new() { Name = "Tags in the registry" }).GetByRole(AriaRole.Button, new() { Name = tag, Exact = true });

    /// <summary>Deploys.</summary>
    public ILocator Deploy => Dialog.GetByRole(AriaRole.Button, new() { NameRegex = DeployName });

    /// <summary>Restores.</summary>
    public ILocator Restore => Dialog.GetByRole(AriaRole.Button, new() { NameRegex = RestoreName });

    [GeneratedRegex("^Deploy ", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DeployName { get; }

    [GeneratedRegex("^Restore #", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RestoreName { get; }
}
