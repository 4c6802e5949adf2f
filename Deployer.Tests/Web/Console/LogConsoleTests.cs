using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Bunit;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Web.Features.Console;
using Deployer.Web.Features.Deployments;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web.Console;

public sealed class LogConsoleTests : IAsyncLifetime
{
    private const string Module = "./Features/Console/LogConsole.razor.js";

    private readonly DashboardContext _context = new();
    private BunitJSModuleInterop _pane = null!;
    private readonly ConcurrentQueue<JSRuntimeInvocation> _heard = new();
    private readonly SemaphoreSlim _bell = new(0);
    private long _deployment;
    private DeploymentView _view = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var module = _context.JSInterop.SetupModule(Module);
        _pane = module.SetupModule(matcher => matcher.Identifier == "open");
        _pane.Mode = JSRuntimeMode.Loose;
        _pane.SetupVoid(Hear).SetVoidResult();
        _deployment = await _context.Bed.AddDeploymentAsync();
        _view = (await _context.Services.GetRequiredService<DeploymentReader>().FindAsync(_deployment, Cancel))! with { App = "web", Number = 1 };
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
        await UntilAsync(() => Heard("grow").Any(growth => growth.Arguments[2] is true));
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
        await UntilAsync(() => Heard("grow").Count > 0);

        var names = new List<string?>();
        for (var press = 0; press < 4; press++)
        {
            await console.InvokeAsync(() => console.Find("button[aria-label^='Times']").Click());
            names.Add(console.Find("button[aria-label^='Times']").GetAttribute("aria-label"));
        }

        Assert.Equal(["Times: local (t)", "Times: utc (t)", "Times: since start (t)", "Times: off (t)"], names);
        Assert.Equal(4, _pane.Invocations["set"].Count);
    }

    [Fact]
    public async Task Console_LeftWhileFollowing_StopsReading()
    {
        Render();
        await UntilAsync(() => Heard("grow").Count > 0);
        await _context.DisposeComponentsAsync();

        var before = Heard("grow").Count;
        await AppendAsync("after");

        Assert.Equal(before, Heard("grow").Count);
        Assert.Single(_pane.Invocations["dispose"]);
    }

    [Fact]
    public async Task Console_StepsBegin_TellsThePaneTheirFirstLinesByStepAndWhatTheyTake()
    {
        var began = Instant.FromUnixTimeSeconds(0);
        await _context.Logs.AppendLog(_deployment, LogStream.System, StepKind.Prepare, "one", Cancel);
        await _context.Logs.AppendLog(_deployment, LogStream.System, StepKind.Prepare, "two, late", Cancel);
        await _context.Logs.AppendLog(_deployment, LogStream.System, StepKind.Pull, "three", Cancel);
        var console = Render();
        await UntilAsync(() => Heard("grow").Count > 0);

        // Pull began before the second line was in the store; nothing of Start is there yet.
        LogSection[] sections =
        [
            new("prepare", "Prepare", "succeeded", "Done", IsOpen: false, began, began + Duration.FromSeconds(2), ExpectedSeconds: 3),
            new("pull", "Pull", "running", "Running", IsOpen: true, began, EndedAt: null, ExpectedSeconds: null),
            new("start", "Start", "running", "Running", IsOpen: true, began, EndedAt: null, ExpectedSeconds: null),
        ];
        console.Render(parameters => parameters.Add(shown => shown.Sections, sections));

        Assert.Equal(
            ["prepare 1 False 2 3", "pull 3 True - -", "start - True - -"],
            Sections(Heard("sections")[^1]));

        await _context.Logs.AppendLog(_deployment, LogStream.Stdout, StepKind.Start, "four", Cancel);
        await UntilToldAsync("1 one", "2 two, late", "3 three", "4 four");
        await UntilAsync(() => Sections(Heard("sections")[^1])[2] == "start 4 True - -");
    }

    [Fact]
    public async Task Console_FilterChosen_TellsThePaneTheLinesAndAllAgain()
    {
        await AppendAsync("one");
        await _context.Logs.AppendLog(_deployment, LogStream.Stderr, StepKind.Start, "two", Cancel);
        var console = Render();
        await UntilAsync(() => Heard("grow").Count > 0);

        await console.InvokeAsync(() => console.Find("button[aria-label='Filter by stream and step']").ClickAsync(new()));
        await console.InvokeAsync(() => console.FindAll(".chip").Single(chip => chip.TextContent == "stderr").ClickAsync(new()));
        await UntilAsync(() => Heard("filter").Count > 0);
        var call = Heard("filter")[^1];
        Assert.Equal([2L, 2L], (IReadOnlyList<long>)call.Arguments[1]!);
        Assert.Equal([true, true], call.Arguments.Skip(2));
        Assert.Equal("true", console.FindAll(".chip").Single(chip => chip.TextContent == "stderr").GetAttribute("aria-pressed"));

        await console.InvokeAsync(() => console.Find("button[aria-label='Show all lines again']").ClickAsync(new()));
        await UntilAsync(() => Heard("filter")[^1].Arguments[1] is null);
        Assert.Empty(console.FindAll(".chip"));
    }

    [Fact]
    public async Task Console_LogThatNobodyKeeps_IsFollowedSearchedInTheBrowserAndNotOfferedAsAFile()
    {
        var output = new Output(stored: null, ["one", "two"], ["three"]);
        _pane.Setup<FoundLine?>("findHeld", _ => true).SetResult(new FoundLine(2, 1, 1, TimedOut: false));
        var console = _context.Render<LogConsole>(parameters => parameters.Add(shown => shown.Source, output));

        await UntilToldAsync("1 one", "2 two", "3 three");
        await console.InvokeAsync(() => console.Instance.OnKey("e"));

        await console.InvokeAsync(() => console.Instance.OnKey("t"));

        Assert.Empty(console.FindAll("a[download]"));

        // Nobody knows when its lines came.
        Assert.Empty(console.FindAll("button[aria-label^='Times']"));
        Assert.Empty(_pane.Invocations["set"]);
        Assert.Equal("Output of web", console.Find("[role=log]").GetAttribute("aria-label"));
        Assert.Equal(2L, Assert.Single(_pane.Invocations["goTo"]).Arguments[0]);
    }

    [Fact]
    public async Task Console_SearchTookTooLong_SaysSoAndStaysAtTheLine()
    {
        var log = new ScriptedLog(asked => asked == 1 ? new FoundLine(7, 1, 3, TimedOut: false) : new FoundLine(0, 1, 0, TimedOut: true));
        _context.Services.GetRequiredService<NavigationManager>().NavigateTo("/?find=needle");
        var console = _context.Render<LogConsole>(parameters => parameters.Add(shown => shown.Source, new Output(log, ["one"])));
        console.WaitForAssertion(() => Assert.Equal("1 of 3", console.Find(".find-count").TextContent));

        await console.InvokeAsync(() => console.Instance.OnKey("n"));
        Assert.Equal("Took too long", console.Find(".find-count").TextContent);
        await console.InvokeAsync(() => console.Instance.OnKey("n"));
        Assert.Equal([1L, 8L, 8L], log.AskedFrom);

        await console.InvokeAsync(() => console.Instance.OnKey("e"));
        Assert.Equal("The search for errors took too long and was cut short", console.Find("p.sr[role=status]").TextContent);
        Assert.Equal(7L, Assert.Single(_pane.Invocations["goTo"]).Arguments[0]);
    }

    [Fact]
    public async Task Console_SearchFails_SaysSoStaysAtTheLineAndGoesOn()
    {
        var log = new ScriptedLog(asked => asked is 1 or 3 ? new FoundLine(7, asked, 3, TimedOut: false) : throw new SqliteException("disk I/O error", 10));
        _context.Services.GetRequiredService<NavigationManager>().NavigateTo("/?find=needle");
        var console = _context.Render<LogConsole>(parameters => parameters.Add(shown => shown.Source, new Output(log, ["one"])));
        console.WaitForAssertion(() => Assert.Equal("1 of 3", console.Find(".find-count").TextContent));

        await console.Find(".find-text").KeyDownAsync(new KeyboardEventArgs { Key = "Enter" });
        Assert.Equal("Cannot search now", console.Find(".find-count").TextContent);
        await console.InvokeAsync(() => console.Instance.OnKey("e"));
        Assert.Equal("The log cannot be searched just now", console.Find("p.sr[role=status]").TextContent);

        await console.Find(".find-text").KeyDownAsync(new KeyboardEventArgs { Key = "Enter" });
        Assert.Equal("3 of 3", console.Find(".find-count").TextContent);
        Assert.Equal([1L, 8L, 8L], log.AskedFrom);
    }

    [Fact]
    public async Task Console_FindIsClosedWhileTheBrowserIsAskedWhereTheReaderIs_ForgetsTheSearch()
    {
        var top = _pane.Setup<long>("topLine", _ => true);
        var log = new ScriptedLog(_ => null);
        _context.Services.GetRequiredService<NavigationManager>().NavigateTo("/?find=needle");
        var console = _context.Render<LogConsole>(parameters => parameters.Add(shown => shown.Source, new Output(log, ["one"])));
        console.WaitForAssertion(() => Assert.Equal("No match", console.Find(".find-count").TextContent));

        var stepping = console.InvokeAsync(() => console.Instance.OnKey("n"));
        await console.InvokeAsync(() => console.Instance.OnKey("Escape"));
        top.SetResult(1);
        await stepping;

        Assert.Empty(console.FindAll(".find-text"));
        Assert.Equal([1L], log.AskedFrom);
    }

    [Fact]
    public async Task Console_LinesWithComments_AreToldToThePane_AndTheirSignsLeadToThem()
    {
        var picked = new List<long>();
        var console = _context.Render<LogConsole>(parameters => parameters
            .Add(shown => shown.Source, _context.Services.GetRequiredService<DeploymentLogs>().Open(_view))
            .Add(shown => shown.Remarks, new Dictionary<long, int> { [3] = 2 })
            .Add(shown => shown.OnPickRemarks, picked.Add));
        await UntilAsync(() => Heard("remark").Count == 1);
        Assert.Equal([[3L, 2L]], (long[][])Heard("remark")[0].Arguments[0]!);

        await console.InvokeAsync(() => console.Instance.OnRemark(3));
        Assert.Equal([3L], picked);

        console.Render(parameters => parameters.Add(shown => shown.Remarks, new Dictionary<long, int>()));
        await UntilAsync(() => Heard("remark").Count == 2);
        Assert.Empty((long[][])Heard("remark")[1].Arguments[0]!);
    }

    private IRenderedComponent<LogConsole> Render() => _context.Render<LogConsole>(parameters => parameters
        .Add(console => console.Source, _context.Services.GetRequiredService<DeploymentLogs>().Open(_view)));

    private async Task AppendAsync(params string[] texts)
    {
        foreach (var text in texts)
        {
            await _context.Logs.AppendLog(_deployment, LogStream.Stdout, StepKind.Start, text, Cancel);
        }
    }

    // As 'key first open seconds expected'.
    private static string[] Sections(JSRuntimeInvocation call) =>
    [
        .. JsonSerializer.SerializeToElement(call.Arguments[0], JsonSerializerOptions.Web).EnumerateArray().Select(section => string.Join(
            ' ', new[] { "key", "first", "open", "seconds", "expected" }.Select(name => section.GetProperty(name) is { ValueKind: not JsonValueKind.Null } value ? value.ToString() : "-"))),
    ];

    private IReadOnlyList<string> Told() =>
        [.. Heard("grow").SelectMany(growth => (WireLine[])growth.Arguments[1]!).Select(line => $"{line.Line} {line.Output}")];

    // What the pane's module would hear. The library may ask more than once whether a call is meant.
    private bool Hear(JSRuntimeInvocation call)
    {
        if (call.Identifier is not ("grow" or "filter" or "sections" or "remark"))
        {
            return false;
        }

        if (!_heard.Any(earlier => ReferenceEquals(earlier.Arguments, call.Arguments)))
        {
            _heard.Enqueue(call);
            _bell.Release();
        }

        return true;
    }

    private List<JSRuntimeInvocation> Heard(string method) => [.. _heard.Where(call => call.Identifier == method)];

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

    /// <summary>What a container writes: lines that are told once, and kept by nobody unless the test says so.</summary>
    private sealed class Output(IStoredLog? stored, params string[][] growths) : IConsoleSource
    {
        public string Label => "Output of web";

        public bool OpenAtEnd => true;

        public Instant StartedAt => Instant.FromUnixTimeSeconds(0);

        public string Nothing => "Nothing.";

        public IStoredLog? Stored => stored;

        public async IAsyncEnumerable<LogGrowth> FollowAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            var number = 0L;
            foreach (var texts in growths)
            {
                await Task.Yield();
                LogLine[] lines = [.. texts.Select(text => new LogLine(++number, StartedAt, LogStream.Stdout, StepKind.Start, text))];
                yield return new LogGrowth(Status: null, number, lines, Complete: false, Trouble: null);
            }
        }
    }

    /// <summary>A log whose searches find what a test says, by how many there were; a search for errors asks as number 0.</summary>
    private sealed class ScriptedLog(Func<int, FoundLine?> find) : IStoredLog
    {
        public List<long> AskedFrom { get; } = [];

        public string Address => "/log";

        public string FileName => "web.log";

        public Task<FoundLine?> FindAsync(LogQuery query, long from, bool backwards, CancellationToken cancellationToken)
        {
            AskedFrom.Add(from);
            return Task.FromResult(find(AskedFrom.Count));
        }

        public Task<long?> FindErrorAsync(LineFilter filter, long from, bool backwards, CancellationToken cancellationToken) =>
            Task.FromResult(find(0)?.Line);

        public Task<long?> FindFirstLineAsync(LogSection section, CancellationToken cancellationToken) => Task.FromResult<long?>(null);

        public IAsyncEnumerable<FilteredLines> FollowFilteredAsync(LineFilter filter, CancellationToken cancellationToken) =>
            AsyncEnumerable.Empty<FilteredLines>();
    }
}
