using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.E2E.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Deployer.E2E.Journeys;

/// <summary>A person without a mouse deploys from the home page and reads the log with the console's keys.</summary>
public sealed class KeyboardTests(Browser browser) : Journey(browser)
{
    private const int MostStops = 80;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task HomeDeployAndConsole_KeyboardAlone_EveryKeyDoesWhatTheHelpSays()
    {
        var dashboard = Keep(Dashboard.StartWithoutRunner());
        var app = await dashboard.AddAppAsync("web", Settings.Image("web:v1"));
        var window = await OpenAsync(dashboard);
        var keys = window.Page.Keyboard;
        var log = window.Deployment;

        await window.GoToAsync("/");
        await Expect(window.Home.Deploy(app)).ToBeEnabledAsync();
        await TabToAsync(window, window.Home.Deploy(app));
        await window.ScreenshotAsync("keyboard-home");
        await keys.PressAsync("Enter");
        await Expect(window.Deploy.Deploy).ToBeVisibleAsync();
        await TabToAsync(window, window.Deploy.Deploy);
        await window.ScreenshotAsync("keyboard-dialog");
        await keys.PressAsync("Enter");
        await log.ArriveAsync();
        await WriteAsync(dashboard, log.Id, 1, 300);
        await Expect(log.Line(300)).ToBeVisibleAsync();
        await TabToAsync(window, log.Console);
        await window.ScreenshotAsync("keyboard-console");

        // To the first line, and to the last, which is followed again.
        await keys.PressAsync("g");
        await Expect(log.Line(1)).ToBeVisibleAsync();
        await keys.PressAsync("G");
        await Expect(log.Line(300)).ToBeVisibleAsync();
        await WriteAsync(dashboard, log.Id, 301, 301);
        await Expect(log.Line(301)).ToBeVisibleAsync();

        // Space stays where it is, and follows again.
        await keys.PressAsync("Space");
        await Expect(window.Page.GetByRole(AriaRole.Button, new() { Name = "Follow" })).ToHaveAttributeAsync("aria-pressed", "false");
        await WriteAsync(dashboard, log.Id, 302, 340);
        await Expect(log.NewLines).ToContainTextAsync("39 new lines");
        await Expect(log.Line(340)).ToHaveCountAsync(0);
        await keys.PressAsync("Space");
        await Expect(log.Line(340)).ToBeVisibleAsync();

        // Errors forwards and back, and the mark away.
        await keys.PressAsync("g");
        await Expect(log.Line(1)).ToBeVisibleAsync();
        await keys.PressAsync("e");
        await Expect(log.Marked).ToHaveAttributeAsync("data-line", "100");
        await keys.PressAsync("e");
        await Expect(log.Marked).ToHaveAttributeAsync("data-line", "200");
        await keys.PressAsync("E");
        await Expect(log.Marked).ToHaveAttributeAsync("data-line", "100");
        await keys.PressAsync("Escape");
        await Expect(log.Marked).ToHaveCountAsync(0);

        // Search: the field, its own Enter, then the log's n and N.
        await keys.PressAsync("g");
        await Expect(log.Line(1)).ToBeVisibleAsync();
        await keys.PressAsync("/");
        await Expect(log.FindField).ToBeFocusedAsync();
        await keys.TypeAsync("needle");
        await Expect(log.FindCount).ToHaveTextAsync("1 of 6");
        await keys.PressAsync("Enter");
        await Expect(log.FindCount).ToHaveTextAsync("2 of 6");
        await TabToAsync(window, log.Console);
        await keys.PressAsync("n");
        await Expect(log.FindCount).ToHaveTextAsync("3 of 6");
        await Expect(log.Marked).ToHaveAttributeAsync("data-line", "150");
        await keys.PressAsync("N");
        await Expect(log.FindCount).ToHaveTextAsync("2 of 6");
        await keys.PressAsync("Escape");
        await Expect(log.FindField).ToHaveCountAsync(0);
        await Expect(log.Console).ToBeFocusedAsync();

        // How lines look.
        await keys.PressAsync("w");
        await Expect(window.Page.GetByRole(AriaRole.Button, new() { Name = "Wrap long lines" })).ToHaveAttributeAsync("aria-pressed", "true");
        await keys.PressAsync("t");
        await Expect(log.Rows.First.Locator(".t")).ToBeVisibleAsync();

        await keys.PressAsync("?");
        var help = window.Page.GetByRole(AriaRole.Dialog);
        await Expect(help).ToContainTextAsync("Next and previous match");
        await window.ScreenshotAsync("console-keys");
        await keys.PressAsync("Escape");
        await Expect(help).ToHaveCountAsync(0);
        await Expect(log.Console).ToBeFocusedAsync();
        Assert.Equal(340, (await log.ReadAllAsync(340)).Count);
    }

    /// <summary>Presses Tab until something has the focus, and fails when it, or what lies before it, does not show that it has.</summary>
    private static async Task TabToAsync(Window window, ILocator target)
    {
        for (var stop = 0; stop < MostStops; stop++)
        {
            await window.Page.Keyboard.PressAsync("Tab");
            var focused = await window.Page.EvaluateAsync<string>(
                """
                () => {
                  // The link to skip to the content is itself only shown while it has the focus.
                  const element = document.activeElement;
                  const style = getComputedStyle(element);
                  const shown = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== 'none';
                  const isShown = shown || element.matches('.skip');
                  return isShown || !element.matches('a, button, input, select, textarea, [role=log]') ? '' : element.outerHTML.slice(0, 200);
                }
                """);
            Assert.True(focused.Length == 0, $"It is not to be seen that this has the focus: {focused}");
            if (await target.EvaluateAsync<bool>("element => element === document.activeElement"))
            {
                return;
            }
        }

        Assert.Fail($"{MostStops} times Tab did not lead to {target}.");
    }

    private static async Task WriteAsync(Dashboard dashboard, long id, int from, int to)
    {
        await using var log = dashboard.Services.GetRequiredService<LogStore>().Open(id, []);
        for (var number = from; number <= to; number++)
        {
            var text = number % 100 == 0 ? $"error: needle {number}" : number % 50 == 0 ? $"needle {number}" : $"line {number}";
            await log.AppendAsync(LogStream.Stdout, StepKind.Start, text, Cancel);
        }
    }
}
