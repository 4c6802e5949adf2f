using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace Deployer.Web.Features.Console;

/// <summary>The signs beside the numbers of lines that somebody commented on.</summary>
public sealed partial class LogConsole
{
    private static readonly IReadOnlyDictionary<long, int> NoRemarks = new Dictionary<long, int>();

    private IReadOnlyDictionary<long, int> _shownRemarks = NoRemarks;

    /// <summary>How many comments are pinned to which lines. A new dictionary tells of a change.</summary>
    [Parameter]
    public IReadOnlyDictionary<long, int> Remarks { get; set; } = NoRemarks;

    /// <summary>The reader wants to see the comments on a line.</summary>
    [Parameter]
    public EventCallback<long> OnPickRemarks { get; set; }

    /// <summary>Told by the module: the sign beside this line was pressed.</summary>
    [JSInvokable]
    public Task OnRemark(long line) => OnPickRemarks.InvokeAsync(line);

    private async Task PushRemarksAsync()
    {
        if (!ReferenceEquals(Remarks, _shownRemarks))
        {
            _shownRemarks = Remarks;
            await CallAsync("remark", () => [Remarks.Select(remark => new[] { remark.Key, remark.Value }).ToArray()], _stopping);
        }
    }
}
