using System.Globalization;
using System.Text.RegularExpressions;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.E2E.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Deployer.E2E.Journeys;

/// <summary>What a reader does in the console, over logs that the test writes itself.</summary>
public sealed class ConsoleTests(Browser browser) : Journey(browser)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Follow_ReaderScrollsUp_IsNotYankedBackAndCanReturn()
    {
        var (dashboard, id) = await StartAsync(lines: 500);
        var window = await OpenAsync(dashboard);
        await window.GoToAsync($"/deployments/{id}");
        await Expect(window.Deployment.Line(500)).ToBeVisibleAsync();

        await window.Deployment.Console.FocusAsync();
        await window.Page.Keyboard.PressAsync("PageUp");
        await window.Page.Keyboard.PressAsync("PageUp");
        await Expect(window.Deployment.Line(500)).ToHaveCountAsync(0);
        await window.Deployment.StandsStillAsync();
        var top = await window.Deployment.Rows.First.GetAttributeAsync("data-line");
        await AppendAsync(dashboard, id, from: 501, to: 520);

        await Expect(window.Deployment.NewLines).ToContainTextAsync("20 new lines");
        Assert.Equal(top, await window.Deployment.Rows.First.GetAttributeAsync("data-line"));
        await window.Deployment.NewLines.ClickAsync();
        await Expect(window.Deployment.Line(520)).ToBeVisibleAsync();
        await AppendAsync(dashboard, id, from: 521, to: 521);
        await Expect(window.Deployment.Line(521)).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Wheel_OverTheLog_MovesItAndTheAddressBringsTheReaderBack()
    {
        var (dashboard, id) = await StartAsync(lines: 500);
        var window = await OpenAsync(dashboard);
        await window.GoToAsync($"/deployments/{id}");
        await Expect(window.Deployment.Line(500)).ToBeVisibleAsync();

        await window.Deployment.Console.HoverAsync();
        await window.Page.Mouse.WheelAsync(0, -4_000);
        await Expect(window.Deployment.Line(500)).ToHaveCountAsync(0);
        await window.Page.ArriveAtAsync(new Regex(@"[?&]at=\d+", RegexOptions.None, TimeSpan.FromSeconds(1)));
        var at = int.Parse(Regex.Match(window.Page.Url, @"at=(?<line>\d+)", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Groups["line"].Value, CultureInfo.InvariantCulture);
        Assert.InRange(at, 200, 350);

        await window.Page.ReloadAsync();
        await Expect(window.Deployment.Line(at)).ToBeVisibleAsync();
        await Expect(window.Deployment.Line(at + 10)).ToBeVisibleAsync();
        await window.Page.Mouse.WheelAsync(0, 20_000);
        await Expect(window.Deployment.Line(500)).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Find_ByKeyboard_HighlightsCountsAndGoesOnAndStaysInTheAddress()
    {
        var (dashboard, id) = await StartAsync(lines: 3000);
        var window = await OpenAsync(dashboard);
        await window.GoToAsync($"/deployments/{id}#L1");
        await Expect(window.Deployment.Line(1)).ToBeVisibleAsync();

        await window.Deployment.Console.FocusAsync();
        await window.Page.Keyboard.PressAsync("/");
        await Expect(window.Deployment.FindField).ToBeFocusedAsync();
        await window.Page.Keyboard.TypeAsync("line 29");
        await Expect(window.Deployment.FindCount).ToHaveTextAsync("1 of 111");
        await Expect(window.Deployment.Line(29).Locator("mark")).ToHaveTextAsync("line 29");
        await window.Page.Keyboard.PressAsync("Enter");
        await Expect(window.Deployment.FindCount).ToHaveTextAsync("2 of 111");
        await Expect(window.Deployment.Line(290)).ToBeVisibleAsync();
        await window.Page.ArriveAtAsync($"/deployments/{id}?find=line+29#L290");

        await window.Page.ReloadAsync();
        await Expect(window.Deployment.FindField).ToHaveValueAsync("line 29");
        await Expect(window.Deployment.Line(290).Locator("mark")).ToHaveTextAsync("line 29");
    }

    [Fact]
    public async Task Escape_InFullScreen_ClosesOneThingAtATime()
    {
        var (dashboard, id) = await StartAsync(lines: 30);
        var window = await OpenAsync(dashboard);
        await window.GoToAsync($"/deployments/{id}#L7");
        await Expect(window.Deployment.Marked).ToHaveCountAsync(1);
        var full = window.Page.Locator(".console.full");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Full screen" }).ClickAsync();
        await window.Deployment.Console.FocusAsync();
        await window.Page.Keyboard.PressAsync("/");
        await Expect(window.Deployment.FindField).ToBeFocusedAsync();

        await window.Page.Keyboard.PressAsync("Escape");
        await Expect(window.Deployment.Console).ToBeFocusedAsync();
        await Expect(window.Deployment.FindField).ToHaveCountAsync(0);
        await Expect(window.Deployment.Marked).ToHaveCountAsync(1);
        await Expect(full).ToBeVisibleAsync();
        await window.Page.Keyboard.PressAsync("Escape");
        await Expect(window.Deployment.Marked).ToHaveCountAsync(0);
        await Expect(full).ToBeVisibleAsync();
        await window.Page.Keyboard.PressAsync("Escape");
        await Expect(full).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Colours_SgrSequences_AreSpansAndMarkupIsText()
    {
        var (dashboard, id) = await StartAsync(lines: 0);
        var store = dashboard.Services.GetRequiredService<LogStore>();
        await store.AppendLog(id, LogStream.Stdout, StepKind.Start, "\u001b[1;31mred\u001b[0m <b>plain</b> https://example.com/a?b=1.", Cancel);
        var window = await OpenAsync(dashboard);

        await window.GoToAsync($"/deployments/{id}");

        var line = window.Deployment.Line(1).Locator(".x");
        await Expect(line).ToHaveTextAsync("red <b>plain</b> https://example.com/a?b=1.");
        await Expect(line.Locator("span.bold.fore")).ToHaveTextAsync("red");
        await Expect(line.Locator("b")).ToHaveCountAsync(0);
        await Expect(line.Locator("a")).ToHaveAttributeAsync("href", "https://example.com/a?b=1");
    }

    [Fact]
    public async Task Permalink_RangeMarkedWithShift_IsInTheAddressAndCopied()
    {
        var (dashboard, id) = await StartAsync(lines: 100);
        var window = await OpenAsync(dashboard);
        await window.GoToAsync($"/deployments/{id}");
        await Expect(window.Deployment.Line(100)).ToBeVisibleAsync();

        await window.Deployment.Line(90).Locator("a.n").ClickAsync();
        await window.Deployment.Line(92).Locator("a.n").ClickAsync(new() { Modifiers = [KeyboardModifier.Shift] });
        await window.Page.ArriveAtAsync("#L90-L92");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Copy text" }).ClickAsync();

        await Expect(window.Page.Locator(".console [role=status]").Last).ToHaveTextAsync("Copied");
        Assert.Equal("line 90\nline 91\nline 92", await window.Page.EvaluateAsync<string>("navigator.clipboard.readText()"));
    }

    private static async Task AppendAsync(Dashboard dashboard, long id, int from, int to)
    {
        await using var log = dashboard.Services.GetRequiredService<LogStore>().Open(id, []);
        for (var number = from; number <= to; number++)
        {
            await log.AppendAsync(LogStream.Stdout, StepKind.Start, $"line {number}", Cancel);
        }
    }

    // A deployment that stays running: no runner is there to take it, and the test writes its log.
    private async Task<(Dashboard Dashboard, long Id)> StartAsync(int lines)
    {
        var dashboard = Keep(Dashboard.StartWithoutRunner());
        var id = await dashboard.DeployAsync(await dashboard.AddAppAsync("web", Settings.Image("web:v1")));
        if (lines > 0)
        {
            await AppendAsync(dashboard, id, from: 1, to: lines);
        }

        return (dashboard, id);
    }
}
