using Deployer.Core.Access;
using Deployer.Core.Comments;
using Deployer.Core.Deployments;
using Deployer.Web.Components.Time;
using Microsoft.AspNetCore.Components;

namespace Deployer.Web.Features.Comments;

/// <summary>Who else looks at a deployment now; and tells the others that this reader does.</summary>
public sealed partial class Viewers
{
    private const int MaxShown = 5;

    private IReadOnlyList<Viewer> _others = [];
    private LiveReloadHandle? _live;
    private Guid? _page;
    private bool _gone;

    /// <summary>The deployment.</summary>
    [Parameter, EditorRequired]
    public long DeploymentId { get; set; }

    [Inject]
    private PresenceBook Presence { get; set; } = default!;

    [Inject]
    private ICurrentActor Current { get; set; } = default!;

    [Inject]
    private DeploymentFeed Feed { get; set; } = default!;

    [Inject]
    private LiveReload Live { get; set; } = default!;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _gone = true;
        if (_live is not null)
        {
            await _live.DisposeAsync();
        }

        if (_page is { } page)
        {
            await Presence.LeaveAsync(page, CancellationToken.None);
        }
    }

    /// <inheritdoc/>
    protected override async Task OnInitializedAsync()
    {
        _page = await Presence.EnterAsync(DeploymentId, await Current.GetAsync(CancellationToken.None), CancellationToken.None);
        if (_gone)
        {
            await DisposeAsync();
            return;
        }

        // Who comes and goes rings for all; the lines of a log do not.
        _live = Live.Start(Feed.WatchAll(), LoadAsync, _ => Task.CompletedTask);
    }

    private static string Initials(string name) => string.Concat(
        name.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where((_, index) => index is 0 or 1).Select(word => char.ToUpperInvariant(word[0])));

    private async Task LoadAsync(CancellationToken stop)
    {
        var actor = await Current.GetAsync(stop);
        var viewers = await Presence.ListAsync(DeploymentId, actor, stop) ?? [];
        await InvokeAsync(() =>
        {
            _others = [.. viewers.Where(viewer => viewer.Id != actor.Id)];
            StateHasChanged();
        });
    }
}
