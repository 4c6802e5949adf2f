using System.Globalization;
using Deployer.Core.Deployments;
using Deployer.Web.Components;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.JSInterop;
using NodaTime;
using NodaTime.Text;

namespace Deployer.Web.Features.Console;

/// <summary>
/// The console pane of a log: tools, and a viewport whose rows and scroll its module owns. The circuit tells the
/// module how long the log is and its newest lines; all others the module fetches by number.
/// </summary>
public sealed partial class LogConsole(ILogger<LogConsole> logger) : IAsyncDisposable
{
    private const int ImportAttempts = 5;

    private static readonly TimeSpan ImportAgainAfter = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private ElementReference _viewport;
    private IJSObjectReference? _module;
    private IJSObjectReference? _pane;
    private DotNetObjectReference<LogConsole>? _self;
    private Task _run = Task.CompletedTask;
    private ConsoleLook _look = new(Wrap: false, ConsoleLook.TimesOff);
    private DeploymentStatus? _status;
    private (long From, long To)? _marked;
    private string? _trouble;
    private string? _announcement;
    private bool _following;
    private bool _complete;
    private bool _opened;
    private bool _empty = true;
    private bool _full;

    /// <summary>The log that is shown: the same one for as long as the console lives.</summary>
    [Parameter, EditorRequired]
    public IConsoleSource Source { get; set; } = default!;

    /// <summary>What stands below the lines while there is something to say, e.g. how far a pull is.</summary>
    [Parameter]
    public RenderFragment? ChildContent { get; set; }

    [Inject]
    private CircuitPresence Presence { get; set; } = default!;

    [Inject]
    private IJSRuntime JS { get; set; } = default!;

    private string? TextAddress => Source.Stored is { } stored ? stored.Address + ".txt" : null;

    private string TimesName => _look.Times switch
    {
        ConsoleLook.TimesLocal => "Local",
        ConsoleLook.TimesUtc => "UTC",
        ConsoleLook.TimesSinceStart => "Since start",
        _ => "Off",
    };

    private string TimesTitle => $"Times: {TimesName.ToLowerInvariant()} (t)";

    /// <summary>Told by the module: the reader scrolled away from the end, or came back to it.</summary>
    [JSInvokable]
    public void OnFollowing(bool on)
    {
        _following = on;
        _announcement = on ? "Following the newest lines" : _complete ? null : "Following paused";
        StateHasChanged();
    }

    /// <summary>Told by the module: these lines are marked.</summary>
    [JSInvokable]
    public void OnMarked(long from, long to)
    {
        _marked = (from, to);
        StateHasChanged();
    }

    /// <summary>Told by the module: the marked lines, or the address of them, are on the clipboard or could not be put there.</summary>
    [JSInvokable]
    public void OnCopied(bool done)
    {
        _announcement = done ? "Copied" : "The browser did not allow copying";
        StateHasChanged();
    }

    /// <summary>Told by the module: a key that is not the module's own was pressed in the viewport.</summary>
    [JSInvokable]
    public async Task OnKey(string key)
    {
        switch (key)
        {
            case "w":
                await ToggleWrapAsync();
                break;
            case "t":
                await NextTimesAsync();
                break;
            case "/":
                await OpenFindAsync();
                break;
            case "n" or "N":
                await StepAsync(key == "N");
                break;
            case "e" or "E":
                await GoToErrorAsync(key == "E");
                break;
            case "?":
                _help = true;
                break;
            case "Escape" when _finding:
                await CloseFindAsync();
                break;
            case "Escape" when _marked is not null:
                await UnmarkAsync();
                break;
        }

        StateHasChanged();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
        await StopSiftingAsync();
        try
        {
            if (_pane is not null)
            {
                await _pane.InvokeVoidAsync("dispose");
                await _pane.DisposeAsync();
            }

            if (_module is not null)
            {
                await _module.DisposeAsync();
            }
        }
        catch (JSDisconnectedException)
        {
            // The browser is gone, and the pane with it.
        }

        _self?.Dispose();
        _stop.Dispose();
    }

    /// <inheritdoc/>
    protected override void OnInitialized()
    {
        _following = Source.OpenAtEnd;
        ReadAddress();
    }

    /// <inheritdoc/>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (!firstRender)
        {
            return;
        }

        _self = DotNetObjectReference.Create(this);
        _module = await ImportAsync();
        _pane = await _module.InvokeAsync<IJSObjectReference>("open", _stop.Token, _viewport, Options(), _self);
        if (_foldAtFirst is { } open)
        {
            await FoldAllAsync(open);
        }

        await PushSectionsAsync();
        await PushRemarksAsync();
        if (_filter != LineFilter.All)
        {
            Sift(_filter);
        }

        if (_query is { } query)
        {
            await RestoreFindAsync(query);
        }

        if (!_stop.IsCancellationRequested)
        {
            _run = Task.Run(() => ShowGrowthAsync(_stop.Token), CancellationToken.None);
        }
    }

    // A network that changes just now fails the import; the next try succeeds.
    private async Task<IJSObjectReference> ImportAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await JS.InvokeAsync<IJSObjectReference>("import", _stop.Token, "./Features/Console/LogConsole.razor.js");
            }
            catch (JSException) when (attempt < ImportAttempts)
            {
                await Task.Delay(ImportAgainAfter, Clock, _stop.Token);
            }
        }
    }

    private static string Pressed(bool on) => on ? "true" : "false";

    private object Options() => new
    {
        pages = Source.Stored?.Address,
        follow = _following,
        wrap = _look.Wrap,
        times = _look.Times,
        start = InstantPattern.ExtendedIso.Format(Source.StartedAt),
    };

    private async Task ShowGrowthAsync(CancellationToken stop)
    {
        try
        {
            await foreach (var growth in Source.FollowAsync(stop))
            {
                await InvokeAsync(() => Tell(growth));
                await PushAsync("grow", [growth.Total, growth.Tail.Select(WireLine.Of).ToArray(), growth.Complete], stop);
                if (HasUnplacedSection)
                {
                    await InvokeAsync(PushSectionsAsync);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The page was left.
        }
        catch (Exception exception) when (exception is JSDisconnectedException or ObjectDisposedException)
        {
            // The circuit ended.
        }
        catch (Exception exception)
        {
            LogPaneFailed(exception, Source.Label);
            await DispatchExceptionAsync(exception);
        }
    }

    private void Tell(LogGrowth growth)
    {
        var changed = _trouble != growth.Trouble || _status != growth.Status || _complete != growth.Complete
            || !_opened || _empty != (growth.Total == 0);
        _announcement = growth.Trouble ?? (_status is not null && growth.Status is { } status && _status != status ? $"Deployment {Word(status)}" : _announcement);
        _trouble = growth.Trouble;
        _status = growth.Status;
        _complete = growth.Complete;
        _empty = growth.Total == 0;
        _opened = true;
        if (changed)
        {
            StateHasChanged();
        }
    }

    // What is pushed while the connection is down is lost with it, so it is pushed until it arrived. The module takes the
    // same lines twice without harm: it keeps them by number.
    private async Task PushAsync(string method, object?[] arguments, CancellationToken stop)
    {
        while (true)
        {
            await Presence.WhenConnectedAsync(stop);
            try
            {
                await InvokeAsync(() => _pane!.InvokeVoidAsync(method, stop, arguments).AsTask());
                return;
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                // The browser did not answer in time: the connection dropped under the call.
            }
        }
    }

    private static string Word(DeploymentStatus status) => status.ToString().ToLowerInvariant();

    private async Task FollowAsync(bool on)
    {
        _following = on;
        await CallAsync("follow", on);
    }

    private Task GoToAsync(long line) => CallAsync("goTo", line);

    private async Task ToggleWrapAsync()
    {
        _look = _look with { Wrap = !_look.Wrap };
        await CallAsync("set", Options());
    }

    private async Task NextTimesAsync()
    {
        _look = _look.WithNextTimes();
        await CallAsync("set", Options());
    }

    private async Task UnmarkAsync()
    {
        _marked = null;
        await CallAsync("unmark");
    }

    private void OnKeyDown(KeyboardEventArgs key)
    {
        if (_full && key.Key == "Escape" && _marked is null && !_finding)
        {
            _full = false;
        }
    }

    private async Task CallAsync(string method, params object?[] arguments)
    {
        if (_pane is not null)
        {
            await _pane.InvokeVoidAsync(method, _stop.Token, arguments);
        }
    }

    [LoggerMessage(LogLevel.Error, "The console failed: {Label}")]
    private partial void LogPaneFailed(Exception exception, string label);
}
