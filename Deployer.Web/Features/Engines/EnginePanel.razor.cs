using Deployer.Core.Access;
using Deployer.Core.Engine;
using Deployer.Web.Components.Sizes;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace Deployer.Web.Features.Engines;

/// <summary>The engine's state, and removing what nothing needs: first shown, then chosen, then done.</summary>
public sealed partial class EnginePanel : IDisposable
{
    private readonly CancellationTokenSource _left = new();
    private readonly HashSet<string> _chosen = new(StringComparer.Ordinal);
    private EngineOverview? _state;
    private PrunePreview? _preview;
    private string? _trouble;
    private bool _busy;

    /// <summary>Whether the reader may remove images.</summary>
    [Parameter, EditorRequired]
    public bool MayPrune { get; set; }

    [Inject]
    private EngineGate Engine { get; set; } = default!;

    [Inject]
    private IDialogService Dialogs { get; set; } = default!;

    [Inject]
    private ISnackbar Snackbar { get; set; } = default!;

    /// <inheritdoc/>
    public void Dispose()
    {
        _left.Cancel();
        _left.Dispose();
    }

    /// <inheritdoc/>
    protected override Task OnInitializedAsync() => TryAsync(async () => _state = await Engine.LookAsync(_left.Token));

    private static string Word(PruneKind kind) => kind switch
    {
        PruneKind.Surplus => "no longer needed",
        PruneKind.Nameless => "nameless",
        _ => "not Deployer's",
    };

    private static string Images(int count) => count == 1 ? "1 image" : $"{count} images";

    private static string Stay(int count) => $"{Images(count)} {(count == 1 ? "stays" : "stay")}";

    private static string Kept(PrunePreview preview) =>
        $"{Stay(preview.KeptForRestore)} for restores{(preview.KeptInUse == 0 ? "" : $", {Images(preview.KeptInUse)} of others because containers use them")}.";

    private Task PreviewAsync() => TryAsync(LoadPreviewAsync);

    private async Task LoadPreviewAsync()
    {
        _preview = await Engine.PreviewAsync(_left.Token);
        _chosen.Clear();
        _chosen.UnionWith(_preview.Images.Where(image => image.Kind == PruneKind.Surplus).Select(image => image.Id));
    }

    private void Choose(string id, bool isChosen)
    {
        if (isChosen)
        {
            _chosen.Add(id);
        }
        else
        {
            _chosen.Remove(id);
        }
    }

    private void Close() => _preview = null;

    private async Task PruneAsync()
    {
        // The removal goes on when the panel is left, whose source then gives no token any more.
        var stop = _left.Token;
        var others = _preview!.Images.Count(image => image.Kind != PruneKind.Surplus && _chosen.Contains(image.Id));
        if (others > 0 && await Dialogs.ShowMessageBoxAsync(new MessageBoxOptions
        {
            Title = $"Remove {Images(others)} that Deployer did not bring?",
            Message = "Somebody or something else on this engine may want them again; they would have to be pulled or built anew.",
            YesText = "Remove them too",
            CancelText = "Keep all",
        }) is not true)
        {
            return;
        }

        await TryAsync(async () =>
        {
            var result = await Engine.PruneAsync([.. _chosen], CancellationToken.None);
            Snackbar.Add(
                $"{Images(result.Removed.Count)} removed, {ByteText.Of(result.FreedBytes)} freed.{(result.Kept.Count == 0 ? "" : $" {Stay(result.Kept.Count)}: {(result.Kept.Count == 1 ? "it is" : "they are")} needed by now.")}",
                result.Kept.Count == 0 ? Severity.Success : Severity.Warning);
            _preview = null;
            _state = await Engine.LookAsync(stop);
        });
    }

    private async Task TryAsync(Func<Task> act)
    {
        _busy = true;
        _trouble = null;
        StateHasChanged();
        try
        {
            await act();
        }
        catch (OperationCanceledException) when (_left.IsCancellationRequested)
        {
            // The page was left.
        }
        catch (EngineException exception)
        {
            (_trouble, _preview) = (exception.Message, null);
        }
        finally
        {
            _busy = false;
        }
    }
}
