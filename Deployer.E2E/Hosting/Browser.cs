using Microsoft.Playwright;

namespace Deployer.E2E.Hosting;

/// <summary>One Chromium for all tests.</summary>
public sealed class Browser : IAsyncLifetime
{
    /// <summary>How long something expected may take, where a test does not say more; in milliseconds. Enough for a busy machine.</summary>
    private const float Patience = 20_000;

    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ];

    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        Assertions.SetDefaultExpectTimeout(Patience);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Settings.Chromium, Args = Arguments });
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    /// <summary>Opens a window of a size and theme on a dashboard, traced.</summary>
    public async Task<Window> OpenAsync(Dashboard dashboard, Look look)
    {
        var context = await _browser.NewContextAsync(new()
        {
            BaseURL = dashboard.Address.ToString(),
            ViewportSize = new() { Width = look.Width, Height = look.Height },
            ColorScheme = look.IsDark ? ColorScheme.Dark : ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
            HasTouch = look.Width < 600,
            Permissions = ["clipboard-read", "clipboard-write"],
        });
        await context.Tracing.StartAsync(new() { Screenshots = true, Snapshots = true });
        return new Window(context, await context.NewPageAsync(), look);
    }
}

/// <summary>Size and theme of a window.</summary>
/// <param name="Name">Of the size, for the names of files.</param>
/// <param name="Width">In CSS pixels.</param>
/// <param name="Height">In CSS pixels.</param>
/// <param name="IsDark">Whether the system's theme is dark.</param>
public sealed record Look(string Name, int Width, int Height, bool IsDark)
{
    /// <summary>A laptop, light.</summary>
    public static Look Desktop { get; } = new("desktop", 1440, 900, IsDark: false);

    /// <summary>A phone, light.</summary>
    public static Look Phone { get; } = new("phone", 390, 844, IsDark: false);

    /// <summary>A phone, dark.</summary>
    public static Look DarkPhone { get; } = Phone with { IsDark = true };

    /// <summary>A window that shows hundreds of lines of a log at once.</summary>
    public static Look Tall { get; } = new("tall", 1440, 4000, IsDark: false);
}

[CollectionDefinition(nameof(BrowserTests))]
public sealed class BrowserTests : ICollectionFixture<Browser>;
