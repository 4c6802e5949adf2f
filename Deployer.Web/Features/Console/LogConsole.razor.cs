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

    // The source gives no token any more once the page is left, and what was waited for then still goes on.
    private CancellationToken _stopping;
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
            case "t" when Source.Stored is not null:
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
            case "Escape":
                _full = false;
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
        _stopping = _stop.Token;
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
        _pane = await AskAsync(stop => _module.InvokeAsync<IJSObjectReference>("open", stop, _viewport, Options(), _self));
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

        if (!_stopping.IsCancellationRequested)
        {
            _run = Task.Run(() => ShowGrowthAsync(_stopping), CancellationToken.None);
        }
    }

    // A network that changes just now fails the import; the next try succeeds.
    private async Task<IJSObjectReference> ImportAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await AskAsync(stop => JS.InvokeAsync<IJSObjectReference>("import", stop, "./Features/Console/LogConsole.razor.js"));
            }
            catch (JSException) when (attempt < ImportAttempts)
            {
                await Task.Delay(ImportAgainAfter, Clock, _stopping);
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
                await CallAsync("grow", growth.Total, growth.Tail.Select(WireLine.Of).ToArray(), growth.Complete);
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

    // The module takes everything twice without harm: it keeps lines by number, and is told how things are, not what to
    // change.
    private Task<T> AskAsync<T>(Func<CancellationToken, ValueTask<T>> ask, CancellationToken stop) => Presence.AskAsync(
        async link =>
        {
            T? answer = default;
            await InvokeAsync(async () => answer = await ask(link));
            return answer!;
        },
        stop);

    private Task<T> AskAsync<T>(Func<CancellationToken, ValueTask<T>> ask) => AskAsync(ask, _stopping);

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

    // Of the tools; the viewport and the field to find in have Escape to themselves, which closes one thing at a time.
    private void OnKeyDown(KeyboardEventArgs key)
    {
        if (key.Key == "Escape")
        {
            _full = false;
        }
    }

    private Task CallAsync(string method, params object?[] arguments) => CallAsync(method, () => arguments, _stopping);

    // The arguments are made when they are sent: two calls that wait for the browser say the same, whichever comes first.
    private async Task CallAsync(string method, Func<object?[]> arguments, CancellationToken stop)
    {
        if (_pane is not null)
        {
            await AskAsync(TellAsync, stop);
        }

        async ValueTask<bool> TellAsync(CancellationToken link)
        {
            await _pane.InvokeVoidAsync(method, link, arguments());
            return true;
        }
    }

    [LoggerMessage(LogLevel.Error, "The console failed: {Label}")]
    private partial void LogPaneFailed(Exception exception, string label);
}
