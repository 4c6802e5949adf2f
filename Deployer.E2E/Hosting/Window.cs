using System.Collections.Concurrent;
using Deployer.E2E.Pages;
using Microsoft.Playwright;

namespace Deployer.E2E.Hosting;

/// <summary>
/// A browser window of one test. A failed test leaves a screenshot and a trace; an error in the page's own script fails
/// the test, whatever else it looked at.
/// </summary>
public sealed class Window
{
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _errors = new();

    internal Window(IBrowserContext context, IPage page)
    {
        _context = context;
        Page = page;
        Page.PageError += (_, error) => _errors.Enqueue(error);
    }

    /// <summary>Playwright's page.</summary>
    public IPage Page { get; }

    /// <summary>The home page.</summary>
    public HomePage Home => new(Page);

    /// <summary>The form of an app.</summary>
    public AppFormPage AppForm => new(Page);

    /// <summary>An app's page.</summary>
    public AppPage App => new(Page);

    /// <summary>A deployment's page.</summary>
    public DeploymentPage Deployment => new(Page);

    /// <summary>The dialogs to deploy and to restore.</summary>
    public DeployDialog Deploy => new(Page);

    /// <summary>Opens an address and waits until the circuit has rendered the page.</summary>
    public async Task GoToAsync(string address)
    {
        await Page.GotoAsync(address);
        // The first page of the first server is compiled while it is waited for.
        await Assertions.Expect(Page.Locator(".shell h1").First).ToBeVisibleAsync(new() { Timeout = 30_000 });
    }

    /// <summary>Keeps a picture of the page.</summary>
    public Task ScreenshotAsync(string name) =>
        Page.ScreenshotAsync(new() { Path = Path.Combine(Settings.Artifacts, "screenshots", $"{name}.png"), Animations = ScreenshotAnimations.Disabled });

    /// <summary>Lets the errors of the page's script so far pass: the test caused them.</summary>
    public void ForgetErrors() => _errors.Clear();

    /// <summary>Closes the window, keeping a picture and a trace of it when the test failed.</summary>
    internal async Task CloseAsync(bool failed)
    {
        var name = $"{TestContext.Current.TestMethod?.MethodName}-{Guid.NewGuid():N}"[..^26];
        failed |= !_errors.IsEmpty;
        if (failed)
        {
            await Page.ScreenshotAsync(new() { Path = Path.Combine(Settings.Artifacts, "failed", $"{name}.png") });
        }

        await _context.Tracing.StopAsync(failed ? new() { Path = Path.Combine(Settings.Artifacts, "failed", $"{name}.zip") } : new());
        await _context.DisposeAsync();
        Assert.Empty(_errors);
    }
}
