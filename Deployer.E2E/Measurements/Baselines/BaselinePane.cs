using Deployer.Core.Logs;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;

namespace Deployer.E2E.Measurements.Baselines;

/// <summary>What the panes that a console is compared with share: they follow a log as the console does.</summary>
internal abstract class BaselinePane : ComponentBase, IAsyncDisposable
{
    /// <summary>Lines in one read, as the console's follower has them.</summary>
    protected const int PageLines = 1000;

    // Rendered for every line it would fall behind for ever; what comes meanwhile is in the next page.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(30);

    private readonly CancellationTokenSource _stop = new();
    private Task _run = Task.CompletedTask;

    /// <summary>Whose log.</summary>
    [Parameter, EditorRequired]
    public long DeploymentId { get; set; }

    /// <summary>The store.</summary>
    [Inject]
    protected LogStore Logs { get; set; } = default!;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
        _stop.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task OnInitializedAsync()
    {
        var last = await ReadAsync(_stop.Token);
        _run = Task.Run(() => FollowAsync(last), CancellationToken.None);
    }

    /// <summary>Reads what is there and gives the last page.</summary>
    protected abstract Task<LogPage> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Takes new lines, on the circuit's dispatcher.</summary>
    protected abstract Task GrowAsync(LogPage page);

    /// <summary>A line: its number and its text.</summary>
    protected static void Build(RenderTreeBuilder builder, LogLine line)
    {
        builder.OpenElement(0, "span");
        builder.AddAttribute(1, "class", "row");
        builder.AddAttribute(2, "data-line", line.Line);
        builder.OpenElement(3, "span");
        builder.AddAttribute(4, "class", "n");
        builder.AddContent(5, line.Line);
        builder.CloseElement();
        builder.OpenElement(6, "span");
        builder.AddAttribute(7, "class", "x");
        builder.AddContent(8, line.Text);
        builder.CloseElement();
        builder.CloseElement();
    }

    private async Task FollowAsync(LogPage last)
    {
        try
        {
            await foreach (var page in Logs.FollowUntilTroubleAsync(DeploymentId, last, PageLines, _stop.Token))
            {
                await InvokeAsync(() => GrowAsync(page));
                await Task.Delay(Pause, TimeProvider.System, _stop.Token);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // The page was left.
        }
    }
}
