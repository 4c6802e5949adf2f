using System.Collections.Concurrent;
using Deployer.E2E.Pages;
using Deque.AxeCore.Commons;
using Microsoft.Playwright;

namespace Deployer.E2E.Hosting;

/// <summary>
/// A browser window of one test. A failed test leaves a screenshot and a trace; an error in the page's own script fails
/// the test, whatever else it looked at.
/// </summary>
public sealed class Window
{
    private const string Axe = """
        async runOnly => (await axe.run(document, { runOnly, resultTypes: ["violations"] })).violations
            .map(violation => `${violation.id}: ${violation.help}: ${violation.nodes.map(node => node.html).join(" | ")}`)
        """;

    private static readonly object LevelAa = new { type = "tag", values = new[] { "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa" } };
    private static readonly object Contrast = new { type = "rule", values = new[] { "color-contrast" } };
    private static readonly string AxeCore = new BundledAxeScriptProvider().GetScript();

    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly string _size;
    private bool _isDark;

    internal Window(IBrowserContext context, IPage page, Look look)
    {
        _context = context;
        _size = look.Name;
        _isDark = look.IsDark;
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

    /// <summary>
    /// Keeps a picture of the page in both themes and finds what is not accessible, or wider than the screen. Leaves the
    /// window in the other theme, so that of the pages looked at one after the other each second one loads in it.
    /// </summary>
    /// <param name="name">For the names of the pictures, which get the size and the theme behind it.</param>
    /// <returns>What was found, each with the name, the size and the theme; empty when all is well.</returns>
    public async Task<IReadOnlyList<string>> FaultsAsync(string name)
    {
        var faults = await FaultsOfThemeAsync(name, LevelAa);
        _isDark = !_isDark;
        await Page.EmulateMediaAsync(new() { ColorScheme = _isDark ? ColorScheme.Dark : ColorScheme.Light });
        if (await Page.Locator(".shell").CountAsync() > 0)
        {
            await Assertions.Expect(Page.Locator($".shell[data-theme={Theme}]")).ToBeVisibleAsync();
        }

        // The same elements, in other colours.
        return [.. faults, .. await FaultsOfThemeAsync(name, Contrast)];
    }

    /// <summary>Looks at the page as <see cref="FaultsAsync"/> does and fails when that finds something.</summary>
    /// <param name="name">For the names of the pictures.</param>
    public async Task LookAsync(string name)
    {
        var faults = await FaultsAsync(name);
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    private string Theme => _isDark ? "dark" : "light";

    private async Task<IEnumerable<string>> FaultsOfThemeAsync(string name, object rules)
    {
        var look = $"{name}-{_size}-{Theme}";
        await ScreenshotAsync(look);
        if (!await Page.EvaluateAsync<bool>("'axe' in window"))
        {
            await Page.EvaluateAsync(AxeCore);
        }

        var faults = await Page.EvaluateAsync<string[]>(Axe, rules);
        var overflow = await Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        string[] wide = overflow > 0 ? [$"{overflow} px wider than the screen"] : [];
        return faults.Concat(wide).Select(fault => $"{look}: {fault}");
    }

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
