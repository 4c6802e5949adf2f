using Microsoft.JSInterop;

namespace Deployer.Web.Features.Console;

/// <summary>The pane's filter: which lines are shown, and the loop that tells the pane which these are.</summary>
public sealed partial class LogConsole
{
    private LineFilter _filter = LineFilter.All;
    private CancellationTokenSource? _sifting;
    private Task _sift = Task.CompletedTask;
    private bool _filtering;

    private async Task SetFilterAsync(LineFilter filter)
    {
        _filter = filter;
        await StopSiftingAsync();
        if (filter == LineFilter.All)
        {
            await CallAsync("filter", null, null, true, true);
        }
        else
        {
            Sift(filter);
        }

        if (_query is not null)
        {
            await FindAsync(await TopLineAsync(), backwards: false, goThere: false);
        }
    }

    private Task OpenFilter()
    {
        _filtering = true;
        return Task.CompletedTask;
    }

    private async Task CloseFilterAsync()
    {
        _filtering = false;
        await SetFilterAsync(LineFilter.All);
        await CallAsync("focus");
    }

    private void Sift(LineFilter filter)
    {
        if (Source.Stored is { } stored)
        {
            _sifting = CancellationTokenSource.CreateLinkedTokenSource(_stopping);
            var stop = _sifting.Token;
            _sift = Task.Run(() => ShowFilteredAsync(stored, filter, stop), CancellationToken.None);
        }
    }

    private async Task StopSiftingAsync()
    {
        if (_sifting is { } sifting)
        {
            _sifting = null;
            await sifting.CancelAsync();
            await _sift;
            sifting.Dispose();
        }
    }

    private async Task ShowFilteredAsync(IStoredLog stored, LineFilter filter, CancellationToken stop)
    {
        var address = new
        {
            stream = filter.Stream is { } stream ? LineFilter.NameOf(stream) : null,
            step = filter.Step is { } step ? LineFilter.NameOf(step) : null,
        };
        try
        {
            var first = true;
            var caughtUp = false;
            await foreach (var lines in stored.FollowFilteredAsync(filter, stop))
            {
                object?[] arguments = caughtUp ? [lines.Runs] : [address, lines.Runs, first, lines.CaughtUp];
                await CallAsync(caughtUp ? "matched" : "filter", () => arguments, stop);
                first = false;
                caughtUp |= lines.CaughtUp;
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Another filter was chosen, or the page was left.
        }
        catch (Exception exception) when (exception is JSDisconnectedException or ObjectDisposedException)
        {
            // The circuit ended.
        }
        catch (Exception exception)
        {
            LogPaneFailed(exception, Source.Label);
            await InvokeAsync(() =>
            {
                _announcement = "The log cannot be filtered just now";
                StateHasChanged();
            });
        }
    }
}
