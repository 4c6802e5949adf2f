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
/// The console pane of a deployment: tools, and a viewport whose rows and scroll its module owns. The circuit tells the
/// module how long the log is and its newest lines; all others the module fetches by number.
/// </summary>
public sealed partial class LogConsole(ILogger<LogConsole> logger) : IAsyncDisposable
{
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

    /// <summary>The deployment whose log is shown.</summary>
    [Parameter, EditorRequired]
    public long DeploymentId { get; set; }

    /// <summary>What the log is of, e.g. <c>Log of web #3</c>: the name of the region.</summary>
    [Parameter, EditorRequired]
    public string Label { get; set; } = "";

    /// <summary>Name of the file that a download makes.</summary>
    [Parameter, EditorRequired]
    public string FileName { get; set; } = "";

    /// <summary>Where the log is opened: at its end, or at its first line.</summary>
    [Parameter, EditorRequired]
    public bool OpenAtEnd { get; set; }

    /// <summary>When the deployment began, for times since then.</summary>
    [Parameter, EditorRequired]
    public Instant StartedAt { get; set; }

    [Inject]
    private LogFollower Follower { get; set; } = default!;

    [Inject]
    private CircuitPresence Presence { get; set; } = default!;

    [Inject]
    private IJSRuntime JS { get; set; } = default!;

    private string LogsAddress => string.Create(CultureInfo.InvariantCulture, $"/api/deployments/{DeploymentId}/logs");

    private string RawAddress => LogsAddress + ".txt";

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
        _following = OpenAtEnd;
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
        _module = await JS.InvokeAsync<IJSObjectReference>("import", _stop.Token, "./Features/Console/LogConsole.razor.js");
        _pane = await _module.InvokeAsync<IJSObjectReference>("open", _stop.Token, _viewport, Options(), _self);
        if (_query is { } query)
        {
            await RestoreFindAsync(query);
        }

        if (!_stop.IsCancellationRequested)
        {
            _run = Task.Run(() => ShowGrowthAsync(_stop.Token), CancellationToken.None);
        }
    }

    private static string Pressed(bool on) => on ? "true" : "false";

    private object Options() => new
    {
        pages = LogsAddress,
        follow = OpenAtEnd,
        wrap = _look.Wrap,
        times = _look.Times,
        start = InstantPattern.ExtendedIso.Format(StartedAt),
    };

    private async Task ShowGrowthAsync(CancellationToken stop)
    {
        try
        {
            await foreach (var growth in Follower.FollowAsync(DeploymentId, stop))
            {
                await InvokeAsync(() => Tell(growth));
                await PushAsync(growth, stop);
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
            LogPaneFailed(exception, DeploymentId);
            await DispatchExceptionAsync(exception);
        }
    }

    private void Tell(LogGrowth growth)
    {
        var changed = _trouble != growth.Trouble || _status != growth.Status || _complete != growth.Complete
            || !_opened || _empty != (growth.Total == 0);
        _announcement = growth.Trouble ?? (_status is not null && _status != growth.Status ? $"Deployment {Word(growth.Status)}" : _announcement);
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

    // What is pushed while the connection is down is lost with it, so a growth is pushed until it arrived. The module
    // takes the same lines twice without harm: it keeps them by number.
    private async Task PushAsync(LogGrowth growth, CancellationToken stop)
    {
        var lines = growth.Tail.Select(WireLine.Of).ToArray();
        while (true)
        {
            await Presence.WhenConnectedAsync(stop);
            try
            {
                await InvokeAsync(() => _pane!.InvokeVoidAsync("grow", stop, growth.Total, lines, growth.Complete).AsTask());
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

    [LoggerMessage(LogLevel.Error, "The console of deployment {DeploymentId} failed")]
    private partial void LogPaneFailed(Exception exception, long deploymentId);
}
