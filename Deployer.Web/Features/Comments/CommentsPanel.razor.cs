using Deployer.Core.Comments;
using Deployer.Core.Deployments;
using Deployer.Web.Components.Time;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace Deployer.Web.Features.Comments;

/// <summary>The comments pinned to lines of a deployment's log, and the form to pin one.</summary>
public sealed partial class CommentsPanel
{
    private IReadOnlyList<CommentView> _comments = [];
    private LiveReloadHandle? _live;
    private IJSObjectReference? _script;
    private bool _writing;
    private bool _busy;
    private long? _line;
    private string _text = "";
    private string? _error;

    /// <summary>The deployment.</summary>
    [Parameter, EditorRequired]
    public long DeploymentId { get; set; }

    /// <summary>A reader wants to see a line.</summary>
    [Parameter]
    public EventCallback<long> OnShowLine { get; set; }

    /// <summary>Comments have come or gone: how many there are on which lines.</summary>
    [Parameter]
    public EventCallback<IReadOnlyDictionary<long, int>> OnLoaded { get; set; }

    [Inject]
    private CommentBook Comments { get; set; } = default!;

    [Inject]
    private DeploymentFeed Feed { get; set; } = default!;

    [Inject]
    private LiveReload Live { get; set; } = default!;

    [Inject]
    private IJSRuntime Browser { get; set; } = default!;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_live is not null)
        {
            await _live.DisposeAsync();
        }

        try
        {
            if (_script is not null)
            {
                await _script.DisposeAsync();
            }
        }
        catch (JSDisconnectedException)
        {
            // The browser is gone, and the module with it.
        }
    }

    /// <inheritdoc/>
    protected override void OnInitialized() =>

        // Comments ring for all; the lines of a log do not.
        _live = Live.Start(Feed.WatchAll(), LoadAsync, _ => Task.CompletedTask);

    /// <summary>Shows the first comment on a line, and gives it the focus.</summary>
    internal async Task ShowAsync(long line)
    {
        if (_comments.FirstOrDefault(comment => comment.Line == line) is { } first)
        {
            await (await ScriptAsync()).InvokeVoidAsync("show", IdOf(first));
        }
    }

    private static string IdOf(CommentView comment) => $"comment-{comment.Id}";

    private async Task<IJSObjectReference> ScriptAsync() =>
        _script ??= await Browser.InvokeAsync<IJSObjectReference>("import", "./Features/Comments/CommentsPanel.razor.js");

    private string LinkTo(long line) => $"/deployments/{DeploymentId}#L{line}";

    private async Task LoadAsync(CancellationToken stop)
    {
        var comments = await Comments.ListAsync(DeploymentId, stop) ?? [];
        await InvokeAsync(() =>
        {
            var isOther = !_comments.Select(comment => comment.Id).SequenceEqual(comments.Select(comment => comment.Id));
            _comments = comments;
            StateHasChanged();
            return isOther
                ? OnLoaded.InvokeAsync(comments.GroupBy(comment => comment.Line).ToDictionary(group => group.Key, group => group.Count()))
                : Task.CompletedTask;
        });
    }

    private async Task WriteAsync()
    {
        _line = await (await ScriptAsync()).InvokeAsync<long?>("markedLine") ?? _line;
        _error = null;
        _writing = true;
    }

    private async Task PinAsync()
    {
        // A second press may come before the browser shows what came of the first.
        if (_busy || !_writing)
        {
            return;
        }

        if (_line is not { } line)
        {
            _error = "Say to which line, by its number.";
            return;
        }

        _busy = true;
        try
        {
            var result = await Comments.AddAsync(DeploymentId, line, _text, CancellationToken.None);
            _error = result switch
            {
                CommentResult.Added => null,
                CommentResult.NoSuchLine { Lines: var lines } => lines == 0 ? "The log has no lines yet." : $"The log has lines 1 to {lines}.",
                CommentResult.TextInvalid => $"Write 1 to {CommentBook.MaxLength} characters.",
                CommentResult.TooMany => "There are too many comments here; remove some.",
                _ => "This deployment was removed meanwhile.",
            };
            if (_error is null)
            {
                _text = "";
                _writing = false;
                await LoadAsync(CancellationToken.None);
            }
        }
        finally
        {
            _busy = false;
        }
    }

    private async Task RemoveAsync(CommentView comment)
    {
        await Comments.RemoveAsync(DeploymentId, comment.Id, CancellationToken.None);
        await LoadAsync(CancellationToken.None);
    }
}
