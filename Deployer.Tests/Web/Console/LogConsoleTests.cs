using System.Collections.Concurrent;
using Bunit;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Web.Features.Console;
using NodaTime;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web.Console;

public sealed class LogConsoleTests : IAsyncLifetime
{
    private const string Module = "./Features/Console/LogConsole.razor.js";

    private readonly DashboardContext _context = new();
    private BunitJSModuleInterop _pane = null!;
    private readonly ConcurrentQueue<(string[] Lines, bool Complete)> _growths = new();
    private readonly SemaphoreSlim _bell = new(0);
    private object? _heard;
    private long _deployment;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var module = _context.JSInterop.SetupModule(Module);
        _pane = module.SetupModule(matcher => matcher.Identifier == "open");
        _pane.Mode = JSRuntimeMode.Loose;
        _pane.SetupVoid(Hear).SetVoidResult();
        _deployment = await _context.Bed.AddDeploymentAsync();
    }

    public ValueTask DisposeAsync()
    {
        _bell.Dispose();
        return _context.DisposeAsync();
    }

    [Fact]
    public async Task Console_LinesComeAndDeploymentEnds_TellsThePaneEachLineOnceInOrderAndStops()
    {
        await AppendAsync("one", "two");
        var console = Render();
        await UntilToldAsync("1 one", "2 two");

        await AppendAsync("three");
        await UntilToldAsync("1 one", "2 two", "3 three");

        await _context.Bed.EndAsync(_deployment);
        await UntilAsync(() => _growths.Any(growth => growth.Complete));
        Assert.Equal(["1 one", "2 two", "3 three"], Told());
        console.WaitForAssertion(() => Assert.DoesNotContain("Follow", console.Find("[role=toolbar]").TextContent, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Console_StoreFails_SaysSoAndGoesOnWithoutLosingALine()
    {
        await AppendAsync("one");
        var console = Render();
        await UntilToldAsync("1 one");

        await _context.Databases.BreakLogsAsync();
        _context.Bed.Feed.PublishLines(_deployment);
        console.WaitForAssertion(() => Assert.Contains("Trying again", console.Find(".trouble").TextContent, StringComparison.Ordinal));

        await _context.Databases.MendLogsAsync();
        await AppendAsync("two", "three");
        await _context.Time.AdvanceUntilAsync(UntilToldAsync("1 one", "2 two", "3 three"), LogFollower.RetryAfter);
        console.WaitForAssertion(() => Assert.Empty(console.FindAll(".trouble")));
    }

    [Fact]
    public void Console_EmptyLog_SaysThatItWaits()
    {
        var console = Render();

        console.WaitForAssertion(() => Assert.Equal("Waiting for the first line…", console.Find(".nothing").TextContent));
    }

    [Fact]
    public void Console_Region_IsNamedFocusableAndNotLive()
    {
        var region = Render().Find("[role=log]");

        Assert.Equal("Log of web #1", region.GetAttribute("aria-label"));
        Assert.Equal("off", region.GetAttribute("aria-live"));
        Assert.Equal("0", region.GetAttribute("tabindex"));
    }

    [Fact]
    public void Console_EveryTool_HasAName()
    {
        var tools = Render().FindAll("[role=toolbar] .tool");

        Assert.All(tools, tool => Assert.False(string.IsNullOrWhiteSpace(tool.GetAttribute("aria-label") ?? tool.TextContent)));
    }

    [Fact]
    public async Task Console_TimesPressed_GoesThroughTheKindsOfTimes()
    {
        var console = Render();
        await UntilAsync(() => !_growths.IsEmpty);

        string?[] names = [.. Enumerable.Range(0, 4).Select(_ =>
        {
            console.Find("button[aria-label^='Times']").Click();
            return console.Find("button[aria-label^='Times']").GetAttribute("aria-label");
        })];

        Assert.Equal(["Times: local (t)", "Times: utc (t)", "Times: since start (t)", "Times: off (t)"], names);
        Assert.Equal(4, _pane.Invocations["set"].Count);
    }

    [Fact]
    public async Task Console_LeftWhileFollowing_StopsReading()
    {
        Render();
        await UntilAsync(() => !_growths.IsEmpty);
        await _context.DisposeComponentsAsync();

        var before = _growths.Count;
        await AppendAsync("after");

        Assert.Equal(before, _growths.Count);
        Assert.Single(_pane.Invocations["dispose"]);
    }

    private IRenderedComponent<LogConsole> Render() => _context.Render<LogConsole>(parameters => parameters
        .Add(console => console.DeploymentId, _deployment)
        .Add(console => console.Label, "Log of web #1")
        .Add(console => console.FileName, "web-1.log")
        .Add(console => console.OpenAtEnd, true)
        .Add(console => console.StartedAt, Instant.FromUnixTimeSeconds(0)));

    private async Task AppendAsync(params string[] texts)
    {
        foreach (var text in texts)
        {
            await _context.Logs.AppendLog(_deployment, LogStream.Stdout, StepKind.Start, text, Cancel);
        }
    }

    private IReadOnlyList<string> Told() => [.. _growths.SelectMany(growth => growth.Lines)];

    // What the pane's module would hear. The library may ask more than once whether a call is meant.
    private bool Hear(JSRuntimeInvocation call)
    {
        if (call.Identifier != "grow")
        {
            return false;
        }

        if (!ReferenceEquals(call.Arguments, _heard))
        {
            _heard = call.Arguments;
            var lines = ((WireLine[])call.Arguments[1]!).Select(line => $"{line.Line} {line.Output}");
            _growths.Enqueue(([.. lines], call.Arguments[2] is true));
            _bell.Release();
        }

        return true;
    }

    private Task UntilToldAsync(params string[] lines) => UntilAsync(() => Told().SequenceEqual(lines));

    private async Task UntilAsync(Func<bool> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (!condition())
        {
            await _bell.WaitAsync(patience.Token);
        }
    }
}
