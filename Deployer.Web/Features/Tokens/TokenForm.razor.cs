using Deployer.Core.Access;
using Microsoft.AspNetCore.Components;
using NodaTime;

namespace Deployer.Web.Features.Tokens;

/// <summary>Makes a token, and then shows it, once.</summary>
public sealed partial class TokenForm
{
    private const int NoEnd = 0;

    private static readonly int[] Choices = [7, 30, 90, 365, NoEnd];

    private IReadOnlyDictionary<string, string[]> _errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
    private ElementReference _heading;
    private string _name = "";
    private AccessRole _role = AccessRole.Deployer;
    private string? _environment;
    private string? _app;
    private int _days = 90;
    private NewApiToken? _made;
    private bool _busy;
    private bool _focus;

    /// <summary>Environments that can be chosen.</summary>
    [Parameter, EditorRequired]
    public required IReadOnlyList<string> Environments { get; set; }

    /// <summary>Apps that can be chosen.</summary>
    [Parameter, EditorRequired]
    public required IReadOnlyList<string> Apps { get; set; }

    /// <summary>The form is not wanted any more.</summary>
    [Parameter]
    public EventCallback OnDone { get; set; }

    /// <summary>A token was made.</summary>
    [Parameter]
    public EventCallback OnMade { get; set; }

    [Inject]
    private ApiTokens Tokens { get; set; } = default!;

    [Inject]
    private ICurrentActor Current { get; set; } = default!;

    /// <inheritdoc/>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (_focus)
        {
            _focus = false;
            await _heading.FocusAsync();
        }
    }

    private static string DaysText(int days) => days switch
    {
        NoEnd => "no end",
        365 => "a year",
        _ => $"{days} days",
    };

    private bool Has(string field) => _errors.ContainsKey(field);

    private string? Text(string field) => _errors.TryGetValue(field, out var messages) ? messages[0] : null;

    private async Task MakeAsync()
    {
        // A second press may come before the browser shows what came of the first.
        if (_busy || _made is not null)
        {
            return;
        }

        _busy = true;
        try
        {
            var isOwner = _role == AccessRole.Owner;
            var draft = new ApiTokenDraft(
                _name, _role, isOwner ? null : _environment, isOwner ? null : _app, _days == NoEnd ? null : Duration.FromDays(_days));
            _errors = await Tokens.CheckAsync(draft, CancellationToken.None);
            if (_errors.Count > 0)
            {
                return;
            }

            _made = await Tokens.CreateAsync(await Current.GetAsync(CancellationToken.None), draft, CancellationToken.None);
            _focus = true;
            await OnMade.InvokeAsync();
        }
        finally
        {
            _busy = false;
        }
    }
}
