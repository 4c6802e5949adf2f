using Deployer.Core.Logs;
using Microsoft.AspNetCore.Components.Rendering;

namespace Deployer.E2E.Measurements.Baselines;

/// <summary>The plainest pane: every line of the log is an element, by a loop.</summary>
internal sealed class EachLinePane : BaselinePane
{
    private readonly List<LogLine> _lines = [];

    /// <inheritdoc/>
    protected override void BuildRenderTree(RenderTreeBuilder builder)
    {
        builder.OpenElement(0, "div");
        builder.AddAttribute(1, "class", "viewport");
        builder.AddAttribute(2, "tabindex", "0");
        foreach (var line in _lines)
        {
            builder.OpenRegion(3);
            Build(builder, line);
            builder.CloseRegion();
        }

        builder.CloseElement();
    }

    /// <inheritdoc/>
    protected override async Task<LogPage> ReadAsync(CancellationToken cancellationToken)
    {
        LogPage? last = null;
        await foreach (var page in Logs.ReadAllAsync(DeploymentId, PageLines, cancellationToken))
        {
            _lines.AddRange(page.Lines);
            last = page;
        }

        return last!;
    }

    /// <inheritdoc/>
    protected override Task GrowAsync(LogPage page)
    {
        _lines.AddRange(page.Lines);
        StateHasChanged();
        return Task.CompletedTask;
    }
}
