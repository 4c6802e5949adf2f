using Deployer.Core.Data;
using Microsoft.AspNetCore.Components;
using NodaTime;

namespace Deployer.Web.Features.Console;

/// <summary>The pane's sections: headings over parts of the log, with what these took and usually take.</summary>
public sealed partial class LogConsole
{
    private readonly Dictionary<string, long> _firstLines = new(StringComparer.Ordinal);
    private IReadOnlyList<LogSection> _shownSections = [];
    private bool? _foldAtFirst;

    /// <summary>The sections that have begun, in order; empty for a log without.</summary>
    [Parameter]
    public IReadOnlyList<LogSection> Sections { get; set; } = [];

    [Inject]
    private TimeProvider Clock { get; set; } = default!;

    /// <summary>Shows a section: open, with its heading at the top.</summary>
    internal Task ShowSectionAsync(string key) => CallAsync("showSection", key);

    private bool HasUnplacedSection => Sections.Any(section => !_firstLines.ContainsKey(section.Key));

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        if (_pane is null)
        {
            return;
        }

        if (!Sections.SequenceEqual(_shownSections))
        {
            await PushSectionsAsync();
        }

        await PushRemarksAsync();
    }

    private async Task PushSectionsAsync()
    {
        if (Source.Stored is not { } stored)
        {
            return;
        }

        _shownSections = Sections;
        foreach (var section in Sections.Where(section => !_firstLines.ContainsKey(section.Key)))
        {
            try
            {
                if (await stored.FindFirstLineAsync(section, _stopping) is { } line)
                {
                    _firstLines[section.Key] = line;
                }
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // The log cannot be read just now, which the pane says; with the next line it is asked again.
                break;
            }
        }

        await CallAsync("sections", () => [WireSections()], _stopping);
    }

    private object[] WireSections()
    {
        var now = Clock.Now();
        return [.. Sections.Select(section => new
        {
            section.Key,
            section.Name,
            section.State,
            section.Says,
            First = _firstLines.TryGetValue(section.Key, out var first) ? first : (long?)null,
            Open = section.IsOpen,
            Since = Seconds(section.StartedAt, now),
            Seconds = section.EndedAt is { } ended ? Seconds(section.StartedAt, ended) : (double?)null,
            Expected = section.ExpectedSeconds,
        })];
    }

    private Task FoldAllAsync(bool open)
    {
        // The tools are there before the pane: it is told when it comes.
        _foldAtFirst = open;
        return CallAsync("fold", null, open);
    }

    private static double Seconds(Instant from, Instant to) => (to - from).TotalSeconds;
}
