namespace Deployer.E2E.Hosting;

/// <summary>A test in the browser: what it opens and starts is closed at its end, windows before servers.</summary>
/// <param name="browser">The browser of all tests.</param>
[Collection(nameof(BrowserTests))]
public abstract class Journey(Browser browser) : IAsyncLifetime
{
    private readonly List<Window> _windows = [];
    private readonly List<Dashboard> _dashboards = [];

    /// <inheritdoc/>
    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        var failed = TestContext.Current.TestState?.Result == TestResult.Failed;
        try
        {
            foreach (var window in _windows)
            {
                await window.CloseAsync(failed);
            }
        }
        finally
        {
            foreach (var dashboard in _dashboards)
            {
                await dashboard.DisposeAsync();
            }
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Takes care of a dashboard until the test ends.</summary>
    protected Dashboard Keep(Dashboard dashboard)
    {
        _dashboards.Add(dashboard);
        return dashboard;
    }

    /// <summary>Opens a window on a dashboard.</summary>
    protected Task<Window> OpenAsync(Dashboard dashboard) => OpenAsync(dashboard, Look.Desktop);

    /// <summary>Opens a window of a size and theme on a dashboard.</summary>
    protected async Task<Window> OpenAsync(Dashboard dashboard, Look look)
    {
        var window = await browser.OpenAsync(dashboard, look);
        _windows.Add(window);
        return window;
    }
}
