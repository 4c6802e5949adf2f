using Deployer.Core.Logs;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;
using Microsoft.AspNetCore.Components.Web.Virtualization;

namespace Deployer.E2E.Measurements.Baselines;

/// <summary>A pane of Blazor's own <c>Virtualize</c>, which asks the circuit for the lines in view.</summary>
internal sealed class VirtualPane : BaselinePane
{
    private const float RowHeight = 20;

    private Virtualize<LogLine>? _rows;
    private long _total;

    /// <inheritdoc/>
    protected override void BuildRenderTree(RenderTreeBuilder builder)
    {
        builder.OpenElement(0, "div");
        builder.AddAttribute(1, "class", "viewport");
        builder.AddAttribute(2, "tabindex", "0");
        if (_total > 0)
        {
            builder.OpenComponent<Virtualize<LogLine>>(3);
            builder.AddComponentParameter(4, nameof(Virtualize<>.ItemsProvider), (ItemsProviderDelegate<LogLine>)ProvideAsync);
            builder.AddComponentParameter(5, nameof(Virtualize<>.ItemSize), RowHeight);
            builder.AddComponentParameter(6, nameof(Virtualize<>.ChildContent), (RenderFragment<LogLine>)(line => row => Build(row, line)));
            builder.AddComponentReferenceCapture(7, rows => _rows = (Virtualize<LogLine>)rows);
            builder.CloseComponent();
        }

        builder.CloseElement();
    }

    /// <inheritdoc/>
    protected override async Task<LogPage> ReadAsync(CancellationToken cancellationToken)
    {
        var last = await Logs.GetLogsTail(DeploymentId, count: 1, cancellationToken);
        _total = last!.Lines[^1].Line;
        return last;
    }

    /// <inheritdoc/>
    protected override async Task GrowAsync(LogPage page)
    {
        if (page.Lines is [.., var last])
        {
            _total = last.Line;
            await (_rows?.RefreshDataAsync() ?? Task.CompletedTask);
            StateHasChanged();
        }
    }

    private async ValueTask<ItemsProviderResult<LogLine>> ProvideAsync(ItemsProviderRequest request)
    {
        var page = await Logs.GetLogsRange(DeploymentId, request.StartIndex + 1, Math.Max(1, request.Count), request.CancellationToken);
        return new ItemsProviderResult<LogLine>(page!.Lines, (int)_total);
    }
}
